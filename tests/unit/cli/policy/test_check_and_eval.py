import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  resources: [{group: "", resources: [secrets]}]
- level: Request
  omitManagedFields: true
  resources: [{group: apps}]
  verbs: [create, get]
"""
SECRET = {
    "user": "alice", "groups": ["system:authenticated"], "verb": "get", "resource_request": True, "group": "",
    "resource": "secrets", "subresource": "", "name": "db", "namespace": "shop",
    "path": "/api/v1/namespaces/shop/secrets/db", "stage": "ResponseComplete",
}  # fmt: skip


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


def test_a_clean_policy_is_taken(auditwire: Run, policy: Path) -> None:
    result = auditwire("policy", "check", "policy.yaml", "--strict")

    assert result.exit_code == 0
    assert result.stdout == "policy.yaml: 2 rules: no findings; kube-apiserver accepts it\n"


def test_warnings_fail_a_strict_check_only(auditwire: Run, policy: Path) -> None:
    (policy / "policy.yaml").write_text(POLICY + "  verb: [get]\n")

    assert auditwire("policy", "check", "policy.yaml").exit_code == 0
    result = auditwire("policy", "check", "policy.yaml", "--strict")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        (
            "policy.yaml:11:3: warning AW310: Kubernetes does not know 'verb' in rules[1] and ignores it; "
            "the rule matches create, get on everything of group apps in every namespace by everybody"
        ),
        "      verb: [get]",
        "      ^",
        "  hint: did you mean 'verbs'?",
        "policy.yaml: 2 rules: 0 errors and 1 warning; kube-apiserver accepts it and ignores what it does not know",
    ]


def test_errors_fail_a_check_and_every_file_is_checked(auditwire: Run, policy: Path) -> None:
    (policy / "bad.yaml").write_text(POLICY.replace("level: Request", "level: request"))

    result = auditwire("policy", "check", "bad.yaml", "policy.yaml")

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-2:] == [
        "bad.yaml: 1 error and 0 warnings; kube-apiserver would not start",
        "policy.yaml: 2 rules: no findings; kube-apiserver accepts it",
    ]


def test_findings_come_as_json(auditwire: Run, policy: Path) -> None:
    (policy / "policy.yaml").write_text("rules: [{level: Metadata}]\napiVersion: audit.k8s.io/v2\n")

    result = auditwire("policy", "check", "policy.yaml", "--format", "json")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {
            "code": "AW302",
            "severity": "error",
            "message": "the apiVersion is audit.k8s.io/v2",
            "hint": "write apiVersion: audit.k8s.io/v1 (older versions went with Kubernetes 1.24)",
            "path": "policy.yaml",
            "line": 2,
            "column": 13,
            "rule": "",
        }
    ]


@pytest.mark.parametrize("arguments", [("check", "no.yaml"), ("eval", "--policy", "no.yaml", "--requests", "-")])
def test_a_policy_that_cannot_be_read_is_a_wrong_call(auditwire: Run, policy: Path, arguments: tuple[str, ...]) -> None:
    result = auditwire("policy", *arguments)

    assert result.exit_code == 2
    assert result.stderr == "auditwire: cannot read no.yaml: No such file or directory\n"


def test_requests_are_judged_one_line_each(auditwire: Run, policy: Path) -> None:
    received = SECRET | {"stage": "RequestReceived"}
    deployment = SECRET | {"group": "apps", "resource": "deployments"}
    lines = [SECRET, received, deployment, {"verb": "get", "path": "/x", "user": None}]
    (policy / "requests.jsonl").write_text("\n\n".join(map(json.dumps, lines)))

    result = auditwire("policy", "eval", "--policy", "policy.yaml", "--requests", "requests.jsonl", "--format", "json")

    assert result.exit_code == 0
    base = {"load": "ok", "omit_stage": False, "omit_managed_fields": False, "errors": [], "warnings": []}
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        base | {"level": "Metadata", "emit": True},
        base | {"level": "Metadata", "emit": False, "omit_stage": True},
        base | {"level": "Request", "emit": True, "omit_managed_fields": True},
        base | {"level": "None", "emit": False},
    ]


def test_warnings_of_the_policy_are_on_every_line(auditwire: Run, policy: Path) -> None:
    (policy / "policy.yaml").write_text(POLICY + "  verb: [get]\n")

    result = auditwire("policy", "eval", "--policy", "policy.yaml", "--requests", "-", stdin=json.dumps(SECRET))

    line = json.loads(result.stdout)
    assert (line["load"], line["warnings"]) == ("warning", ['unknown field "rules[1].verb"'])


def test_a_policy_that_does_not_load_gives_one_line(auditwire: Run, policy: Path) -> None:
    (policy / "policy.yaml").write_text(POLICY.replace("level: Request", "level: request"))

    result = auditwire("policy", "eval", "--policy", "policy.yaml", "--requests", "-", stdin=json.dumps(SECRET) * 3)

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "load": "error",
        "errors": [{"type": "NotSupported", "field": "rules[1].level", "message": "there is no level 'request'"}],
        "warnings": [],
    }
    assert "policy.yaml:7:10: error AW305" in result.stderr


def test_people_get_text(auditwire: Run, policy: Path) -> None:
    requests = "\n".join(map(json.dumps, [SECRET, {"verb": "get", "path": "/x\x1b[2J", "stage": "Panic"}]))

    result = auditwire(
        "policy", "eval", "--policy", "policy.yaml", "--requests", "-", "--format", "text", stdin=requests
    )

    assert result.stdout.splitlines() == [
        "Metadata         alice get secrets db in shop ResponseComplete",
        "nothing          nobody get /x\\u001b[2J Panic",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("[]", "it is not a JSON object"),
        ('{"verb": 1}', "Expected `str`, got `int` - at `$.verb`"),
        ('{"verb"', "unexpected end of data: line 1 column 8 (char 7)"),
    ],
)
def test_a_line_that_is_no_request_is_named(auditwire: Run, policy: Path, line: str, problem: str) -> None:
    result = auditwire(
        "policy", "eval", "--policy", "policy.yaml", "--requests", "-", stdin=f"{json.dumps(SECRET)}\n{line}\n"
    )

    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr.startswith(f"auditwire: -:2: this is not a request: {problem}")


def test_a_recommended_policy_is_printed_with_the_flag_that_belongs_to_it(auditwire: Run, policy: Path) -> None:
    result = auditwire("policy", "init", "--level", "RequestResponse")
    assert result.exit_code == 0
    (policy / "new.yaml").write_text(result.stdout)

    assert "--audit-webhook-truncate-enabled=true" in result.stderr
    assert "--patches metadata" in result.stderr
    assert auditwire("policy", "check", "new.yaml", "--strict").exit_code == 0
    assert auditwire("policy", "init", "--level", "None").exit_code == 2
