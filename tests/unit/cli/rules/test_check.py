import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

GOOD = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata:
  name: own
  labels:
    type: alerting
spec:
  rules:
  - name: pod
    type: macro
    macro: ObjectRef.Resource = "pods"
  - name: verbs
    type: list
    list: [create]
  - name: user
    type: alias
    alias: User.Username
  - name: NewPod
    type: rule
    desc: A new pod
    condition: ${pod} and Verb in ${verbs}
    priority: WARNING
    output: ${user} made a pod
    enable: true
"""
BAD = GOOD.replace("Verb in", "Vreb in")
UNSELECTED = GOOD.replace("type: alerting", "type: nobody")


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_clean_rules_say_what_was_read(auditwire: Run, rules: Path) -> None:
    (rules / "own.yaml").write_text(GOOD)

    result = auditwire("rules", "check", "own.yaml")

    assert result.exit_code == 0
    assert result.stdout == "1 file, 1 rule, 1 macro, 1 list, 1 alias: no findings\n"


def test_a_finding_names_its_place_shows_the_line_and_says_what_to_do(auditwire: Run, rules: Path) -> None:
    (rules / "own.yaml").write_text(BAD)

    result = auditwire("rules", "check", ".")

    assert result.exit_code == 1
    assert result.stdout == (
        "own.yaml:21:27: error AW102: there is no field 'Vreb' in an audit event\n"
        "        condition: ${pod} and Vreb in ${verbs}\n"
        "                              ^\n"
        "  hint: did you mean Verb?\n"
        "1 file, 1 rule, 1 macro, 1 list, 1 alias: 1 error and 0 warnings\n"
    )


def test_json_is_one_array_with_the_fixed_members(auditwire: Run, rules: Path) -> None:
    (rules / "own.yaml").write_text(BAD)

    result = auditwire("rules", "check", "own.yaml", "--format", "json")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {
            "code": "AW102",
            "severity": "error",
            "path": "own.yaml",
            "line": 21,
            "column": 27,
            "rule": "own.NewPod",
            "message": "there is no field 'Vreb' in an audit event",
            "hint": "did you mean Verb?",
        }
    ]


def test_json_of_clean_rules_is_an_empty_array(auditwire: Run, rules: Path) -> None:
    (rules / "own.yaml").write_text(GOOD)

    assert auditwire("rules", "check", "own.yaml", "--format", "json").stdout == "[]\n"


def test_warnings_fail_only_a_strict_check(auditwire: Run, rules: Path) -> None:
    (rules / "own.yaml").write_text(UNSELECTED)

    lenient, strict = auditwire("rules", "check", "."), auditwire("rules", "check", ".", "--strict")

    assert (lenient.exit_code, strict.exit_code) == (0, 1)
    assert "own.yaml:1:1: warning AW208: " in lenient.stdout
    assert lenient.stdout.endswith(": 0 errors and 1 warning\n")


def test_the_dialect_of_kubesphere_refuses_what_only_auditwire_understands(auditwire: Run, rules: Path) -> None:
    (rules / "own.yaml").write_text(GOOD.replace("Verb in ${verbs}", 'RequestObject.a[*] != "x"'))

    assert auditwire("rules", "check", ".").exit_code == 0
    assert auditwire("rules", "check", ".", "--dialect", "kubesphere").exit_code == 1


def test_a_rule_that_is_not_enabled_is_counted_as_such(auditwire: Run, rules: Path) -> None:
    (rules / "own.yaml").write_text(GOOD.replace("enable: true", "enable: false"))

    assert "1 rule (1 not enabled)" in auditwire("rules", "check", ".").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "auditwire: there is nothing to check\n  hint: give a rule document, or a folder of them\n"),
        (["none.yaml"], "auditwire: cannot read none.yaml: No such file or directory\n"),
        (["."], "auditwire: there are no rule documents in .\n  hint: their names end in .yaml or .yml\n"),
        ([".", "--dialect", "falco"], "'--dialect'"),
    ],
)
def test_a_wrong_call_exits_2(auditwire: Run, rules: Path, arguments: list[str], message: str) -> None:
    result = auditwire("rules", "check", *arguments)

    assert result.exit_code == 2
    assert message in result.stderr


def test_the_dialect_is_explained_behaviour_by_behaviour(auditwire: Run) -> None:
    from auditwire.condition.dialect import BEHAVIOURS

    text = auditwire("rules", "check", "--explain-dialect")
    listed = auditwire("rules", "check", "--explain-dialect", "--format", "json")

    assert text.exit_code == listed.exit_code == 0
    assert text.stdout.startswith("precedence (kept)\n  KubeSphere: `and` and `or` have equal rank")
    assert [entry["name"] for entry in json.loads(listed.stdout)] == [behaviour.name for behaviour in BEHAVIOURS]


def test_exceptions_are_counted_where_there_are_any(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(GOOD)
    (tmp_path / "site.yaml").write_text(
        "apiVersion: auditwire.io/v1alpha1\nkind: Exception\nmetadata: {name: x}\n"
        "spec: {rule: own.NewPod, condition: User.Username exists, owner: a, reason: b, expires: 2999-01-01}\n"
    )

    assert auditwire("rules", "check", tmp_path).stdout.splitlines()[-1] == (
        "2 files, 1 rule, 1 macro, 1 list, 1 alias, 1 exception: no findings"
    )
