"""Every vector of kube-apiserver's policy loader and evaluator: load, errors, warnings and decision are the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from auditwire.documents.source import Source
from auditwire.policy import Attributes, Policy, check_policy, load_policy

VECTORS: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("policy.jsonl").read_text().splitlines()
]


def test_all_vectors_are_there() -> None:
    assert len(VECTORS) == 237


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_policy_loads_and_decides_as_in_kube_apiserver(vector: dict[str, Any]) -> None:
    expected = vector["expected"]

    loaded = load_policy(Source("policy.yaml", vector["policy"]))

    assert loaded.load == expected["load"]
    assert {(fault.type, fault.field) for fault in loaded.errors} == {
        (fault["type"], fault["field"]) for fault in expected.get("errors", [])
    }
    if loaded.policy is None:
        return
    unknown = [warning for warning in loaded.warnings if warning.startswith("unknown field ")]
    assert unknown == [f'unknown field "{path}"' for path in expected.get("unknown_keys", [])]
    attributes = Attributes.from_json(vector["attributes"])
    for policy in (loaded.policy, Policy.from_json(json.loads(json.dumps(loaded.policy.as_json())))):
        decision = policy.evaluate(attributes)
        assert decision.level == expected["level"]
        assert (attributes.stage in decision.omit_stages) == expected["omit_stage"]
        assert decision.omit_managed_fields == expected["omit_managed_fields"]
        assert decision.emits(attributes.stage) == expected["emit"]
        assert decision.matched_rule == expected["matched_rule"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_checking_loads_the_same_and_never_calls_a_rule_unreached_that_a_vector_reaches(vector: dict[str, Any]) -> None:
    source = Source("policy.yaml", vector["policy"])

    checked = check_policy(source)

    loaded = load_policy(source)
    assert (checked.load, checked.errors, checked.policy) == (loaded.load, loaded.errors, loaded.policy)
    unreached = {found.rule for found in checked.diagnostics if found.code == "AW320"}
    assert f"rules[{vector['expected'].get('matched_rule')}]" not in unreached
