"""Policies as people publish them in tutorials, each with the trap it walks into."""

import subprocess
import sys
from pathlib import Path

import pytest

from auditwire.documents.source import Source
from auditwire.policy import Attributes, LoadedPolicy, check_policy

# Keys in the singular: valid to kube-apiserver, which reads over them.
SINGULAR = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  # What was meant: who deletes Secrets in prod.
  - level: Metadata
    namespace: [prod]
    verb: [delete]
    resources:
      - group: ""
        resources: [secrets]
"""
# The catch-all first: everything after it is decoration.
CATCH_ALL_FIRST = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: RequestResponse
  - level: None
    verbs: [watch, get, list]
  - level: Metadata
    resources:
      - group: ""
        resources: [secrets]
"""
# A rule for Secrets that says what the next one says anyway, after reads were dropped.
SECRETS_LAST = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    resources:
      - group: ""
        resources: [events]
  - level: None
    users: ["system:kube-scheduler", "system:kube-proxy", "system:apiserver"]
  - level: None
    userGroups: ["system:nodes"]
  - level: None
    verbs: [watch, get, list]
  - level: RequestResponse
    resources:
      - group: ""
        resources: [secrets]
  - level: RequestResponse
"""


def check(text: str) -> LoadedPolicy:
    return check_policy(Source("policy.yaml", text))


def found(loaded: LoadedPolicy) -> list[tuple[str, str, int]]:
    return [(finding.code, finding.rule, finding.line) for finding in loaded.diagnostics]


def level(loaded: LoadedPolicy, verb: str, resource: str, namespace: str = "dev") -> str:
    assert loaded.policy is not None
    request = Attributes("alice", (), verb, True, "", resource, "", "x", namespace, "/x", "ResponseComplete")
    return str(loaded.policy.evaluate(request).level)


def test_keys_in_the_singular_make_a_rule_wider() -> None:
    loaded = check(SINGULAR)

    assert loaded.load == "warning"
    assert loaded.warnings == ('unknown field "rules[0].namespace"', 'unknown field "rules[0].verb"')
    assert found(loaded) == [("AW310", "rules[0]", 7), ("AW310", "rules[0]", 8)]
    assert "matches every verb on secrets in every namespace by everybody" in loaded.diagnostics[0].message
    assert level(loaded, "get", "secrets") == level(loaded, "delete", "secrets", "prod") == "Metadata"
    assert level(loaded, "delete", "pods", "prod") == "None"


def test_a_catch_all_in_front_kills_what_follows_and_records_secrets() -> None:
    loaded = check(CATCH_ALL_FIRST)

    assert loaded.load == "ok"
    assert found(loaded) == [
        ("AW332", "", 3), ("AW324", "rules[0]", 5), ("AW320", "rules[1]", 6), ("AW320", "rules[2]", 8)
    ]  # fmt: skip
    assert level(loaded, "list", "secrets") == "RequestResponse"


def test_a_rule_for_secrets_without_effect_is_found_and_so_are_their_values() -> None:
    loaded = check(SECRETS_LAST)

    assert loaded.load == "ok"
    assert found(loaded) == [("AW332", "", 3), ("AW321", "rules[4]", 15), ("AW324", "rules[4]", 15)]
    assert level(loaded, "get", "secrets") == "None"
    assert level(loaded, "create", "secrets") == level(loaded, "create", "pods") == "RequestResponse"


@pytest.mark.parametrize("module", ["yaml", "lark"])
def test_evaluating_needs_no_parser(module: str) -> None:
    script = f"import sys, auditwire.policy; auditwire.policy.Policy.from_json; assert {module!r} not in sys.modules"

    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parent)
