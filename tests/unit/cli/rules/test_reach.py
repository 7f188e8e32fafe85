"""``auditwire rules reach``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rule_texts import document, rule

Run = Callable[..., Any]
SHIPPED = Path(__file__).parents[4] / "rules"
NEED_BODIES = ("CreateHostnetworkPod", "CreateHostportPod", "CreateNodeportService")


def rows(result: Any) -> dict[str, Any]:
    return {row.pop("rule"): row for row in json.loads(result.stdout)}


@pytest.mark.parametrize("words", [("--level", "Metadata"), ("--sender", "kubesphere")])
def test_three_shipped_rules_cannot_match_at_the_level_metadata(auditwire: Run, words: tuple[str, ...]) -> None:
    result = auditwire("rules", "reach", SHIPPED, *words, "--format", "json")

    found = rows(result)
    assert result.exit_code == 1
    for name in NEED_BODIES:
        row = found[f"alerting-rule.{name}"]
        assert row["reachable"] is False
        assert row["blame"].startswith("level: Metadata keeps too little of ")
        assert row["proof"] is None
    assert found["alerting-rule.AttachOrExecPod"]["reachable"] is True


def test_a_policy_is_blamed_by_the_rule_that_decides(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- {level: Request, verbs: [get]}\n- level: Metadata\n"
    )

    result = auditwire("rules", "reach", SHIPPED, "--policy", tmp_path / "policy.yaml")

    assert result.exit_code == 1
    assert "policy: rules[1] records create pods at " in result.stdout


def test_a_test_beside_the_rule_is_the_proof(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(document(rule('Verb = "get" and User.Username = "ann"')))
    (tmp_path / "mine.test.yaml").write_text(
        "tests:\n- {name: ann reads, rule: r, expect: alert, events: [{verb: get, user: {username: ann}}]}\n"
    )

    result = auditwire("rules", "reach", tmp_path, "--format", "json")

    assert result.exit_code == 0
    row = rows(result)["mine.r"]
    assert (row["reachable"], row["blame"]) == (True, None)
    assert row["proof"].endswith("mine.test.yaml: ann reads")


def test_without_a_test_nothing_is_said_about_what_is_not_understood(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(document(rule('Verb = "get" and User.Username = "ann"')))

    row = rows(auditwire("rules", "reach", tmp_path, "--format", "json"))["mine.r"]

    assert row == {"reachable": None, "blame": "no test proves it; not understood: User.Username", "proof": None}


@pytest.mark.parametrize("policy", ["gone.yaml", "wrong.yaml"])
def test_a_policy_that_does_not_load_ends_with_2(auditwire: Run, tmp_path: Path, policy: str) -> None:
    (tmp_path / "wrong.yaml").write_text("kind: Policy\n")

    assert auditwire("rules", "reach", SHIPPED, "--policy", tmp_path / policy).exit_code == 2


def test_the_smallest_policy_is_one_that_kubernetes_loads(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(document(rule("RequestObject.x = 1")))
    (tmp_path / "mine.test.yaml").write_text(
        "tests:\n- {name: one, rule: r, expect: alert, events:"
        " [{verb: create, objectRef: {resource: pods}, requestObject: {x: 1}}]}\n"
    )
    written = tmp_path / "policy"

    assert auditwire("rules", "reach", tmp_path, "--write", written).exit_code == 0
    assert auditwire("policy", "check", written).exit_code == 0
    assert rows(auditwire("rules", "reach", tmp_path, "--policy", written, "--format", "json"))["mine.r"]["reachable"]


def test_without_tests_no_policy_is_written(auditwire: Run, tmp_path: Path) -> None:
    alone = tmp_path / "alone.yaml"
    alone.write_text((SHIPPED / "alerting-rule.yaml").read_text())
    result = auditwire("rules", "reach", alone, "--write", tmp_path / "policy")

    assert (result.exit_code, (tmp_path / "policy").exists()) == (1, False)
