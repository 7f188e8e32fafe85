"""``rules test`` and ``rules explain`` as commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from auditwire_cli.errors import UsageError
from auditwire_cli.rules.keyword import selects
from rule_texts import document, rule

Run = Callable[..., Any]

TESTS = """\
tests:
  - name: a pod is made
    rule: Pod
    expect: alert
    events: [{verb: create, objectRef: {resource: pods}}]
  - name: 'a 100% <service>: made'
    rule: Pod
    expect: alert
    events: [{verb: create, objectRef: {resource: services}}]
"""
REASON = 'expected alert, but mine.Pod does not match: ObjectRef.Resource = "pods" is false: it is "services"'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    (tmp_path / "rules" / "deep" / "mine.yaml").write_text(
        document(rule('Verb = "create" and ObjectRef.Resource = "pods"', name="Pod"))
    )
    (tmp_path / "rules" / "deep" / "mine.test.yaml").write_text(TESTS)
    return tmp_path


def test_only_what_failed_is_shown(auditwire: Run, folder: Path) -> None:
    result = auditwire("rules", "test")

    assert result.exit_code == 1
    assert result.stdout == (
        f"rules/deep/mine.test.yaml:6: Pod: a 100% <service>: made\n    {REASON}\n2 tests: 1 passed, 1 failed\n"
    )


@pytest.mark.parametrize("path", ["rules/deep", "rules/deep/mine.test.yaml", "rules/deep/mine.yaml"])
def test_a_folder_a_file_of_tests_or_a_document_names_the_tests(auditwire: Run, folder: Path, path: str) -> None:
    result = auditwire("rules", "test", path, "-k", "pod and not service")

    assert (result.exit_code, result.stdout) == (0, "1 test: 1 passed, 0 failed\n")


def test_json(auditwire: Run, folder: Path) -> None:
    result = auditwire("rules", "test", "--format", "json", "--coverage")

    found = json.loads(result.stdout)
    assert (found["passed"], found["failed"]) == (1, 1)
    assert found["tests"][1] == {
        "name": "a 100% <service>: made",
        "rule": "mine.Pod",
        "path": "rules/deep/mine.test.yaml",
        "line": 6,
        "passed": False,
        "reasons": [REASON],
    }
    assert found["coverage"]["percent"] == 75.0
    assert found["coverage"]["rules"][0]["missing"] == [{"operand": 'Verb = "create"', "never_decisive_when": "false"}]


def test_junit(auditwire: Run, folder: Path) -> None:
    result = auditwire("rules", "test", "--format", "junit", "--coverage", "--min", "80")

    root = ElementTree.fromstring(result.stdout)  # noqa: S314 - our own
    assert root.attrib == {"tests": "2", "failures": "1"}
    assert [(case.get("classname"), case.get("name")) for case in root.iter("testcase")] == [
        ("mine.Pod", "a pod is made"),
        ("mine.Pod", "a 100% <service>: made"),
        ("coverage", "coverage"),
    ]
    assert [failure.get("message") for failure in root.iter("failure")] == [
        REASON,
        "the coverage is 75.0%, but at least 80% is wanted",
    ]


def test_github(auditwire: Run, folder: Path) -> None:
    result = auditwire("rules", "test", "--format", "github")

    assert result.stdout == (
        "::error file=rules/deep/mine.test.yaml,line=6,title=Pod%3A a 100%25 <service>%3A made::"
        f"{REASON}\n2 tests: 1 passed, 1 failed\n"
    )


def test_too_little_coverage_fails_and_says_what_is_not_proved(auditwire: Run, folder: Path) -> None:
    enough = auditwire("rules", "test", "-k", "pod and not service", "--coverage", "--min", "50")
    result = auditwire("rules", "test", "-k", "pod and not service", "--coverage", "--min", "51")

    assert enough.exit_code == 0
    assert result.exit_code == 1
    assert result.stdout == (
        "mine.Pod: 50.0% of its operands are proved\n"
        '    never decisive when false: Verb = "create"\n'
        '    never decisive when false: ObjectRef.Resource = "pods"\n'
        "the coverage is 50.0%, but at least 51% is wanted\n"
        "1 test: 1 passed, 0 failed; coverage 50.0% of 1 rule\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["nowhere"], 2, "cannot read nowhere: No such file or directory"),
        (["-k", "x"], 2, "no test matches -k x"),
        (["-k", "(pod"], 2, "-k cannot be read at ("),
        (["--min", "5"], 2, "--min needs --coverage"),
    ],
)
def test_a_wrong_call_ends_in_one_sentence(
    auditwire: Run, folder: Path, arguments: list[str], code: int, text: str
) -> None:
    result = auditwire("rules", "test", *arguments)

    assert (result.exit_code, result.stderr.splitlines()[0]) == (code, f"auditwire: {text}")


def test_wrong_tests_and_wrong_rules_are_shown_with_their_places(auditwire: Run, folder: Path) -> None:
    (folder / "rules" / "deep" / "mine.test.yaml").write_text("tests: [{name: a, expect: x, events: []}]\n")
    tests = auditwire("rules", "test")
    (folder / "rules" / "deep" / "mine.test.yaml").write_text(TESTS)
    (folder / "rules" / "deep" / "mine.yaml").write_text(document(rule('Vreb = "x"')))
    rules = auditwire("rules", "test")

    assert (tests.exit_code, rules.exit_code) == (1, 1)
    assert tests.stderr.startswith("rules/deep/mine.test.yaml:1:27: error AW206: expect cannot be 'x'\n")
    assert "rules/deep/mine.yaml:6:58: error AW102: there is no field 'Vreb' in an audit event\n" in rules.stderr


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("", ["ab", "b", "c"]), ("B", ["ab", "b"]), ("not b", ["c"]), ("a or c", ["ab", "c"]),
        ("b and not a", ["b"]), ("b not (a or c)", ["b"]), ("a b", ["ab"]), ("not not c", ["c"]),
    ],
)  # fmt: skip
def test_tests_are_chosen_by_words(expression: str, chosen: list[str]) -> None:
    matches = selects(expression)

    assert [text for text in ("ab", "b", "c") if matches(text)] == chosen


@pytest.mark.parametrize("expression", ["(", "a and", "or a", "a)", "not"])
def test_an_expression_that_cannot_be_read_is_refused(expression: str) -> None:
    with pytest.raises(UsageError, match="-k cannot be read at"):
        selects(expression)


def test_explain_says_why_for_each_event_of_a_file(auditwire: Run, folder: Path) -> None:
    made = {"level": "Metadata", "auditID": "a", "stage": "ResponseComplete", "verb": "create",
            "user": {"username": "ann"},
            "objectRef": {"resource": "pods", "namespace": "shop", "name": "\u202eweb"}}  # fmt: skip
    (folder / "events.json").write_text(json.dumps(made) + "\n" + json.dumps(made | {"verb": "get"}) + "\n")

    text = auditwire("rules", "explain", "events.json", "--rule", "Pod")
    lines = auditwire("rules", "explain", "events.json", "--rule", "mine.Pod", "--format", "json").stdout.splitlines()

    assert text.exit_code == 0
    assert text.stdout.splitlines()[:6] == [
        "a ResponseComplete: ann create pods/shop/\\u202eweb",
        "mine.Pod matches; verdict: alert",
        "  because the rule matches and alerts: its priority WARNING is at least WARNING",
        '  because Verb = "create" is true: it is "create"',
        '  because ObjectRef.Resource = "pods" is true: it is "pods"',
        "  true  and",
    ]
    first, second = map(json.loads, lines)
    assert (first["rule"], first["matched"], first["verdict"]) == ("mine.Pod", True, "alert")
    assert (second["matched"], second["verdict"]) == (False, "ignore")
    assert second["because"] == ['Verb = "create" is false: it is "get"']
    assert second["tree"]["children"][0] == {
        "text": 'Verb = "create"', "value": False, "actual": "get", "children": [],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["missing.json", "logs/audit"])
def test_explain_takes_the_name_of_a_missing_file_for_no_audit_id(auditwire: Run, folder: Path, name: str) -> None:
    result = auditwire("rules", "explain", name, "--rule", "Pod")

    assert (result.exit_code, result.stderr) == (2, f"auditwire: cannot read {name}: No such file or directory\n")


@pytest.mark.parametrize(
    ("entries", "kind", "reason"),
    [
        (rule('Verb = "get"', name="Pod", more=", enable: false"), "alerting", "it is not enabled"),
        (rule('Verb = "get"', name="Pod"), "other", "no selector selects its document mine"),
    ],
)
def test_explain_says_that_a_rule_never_matches(
    auditwire: Run, folder: Path, entries: str, kind: str, reason: str
) -> None:
    (folder / "rules" / "deep" / "mine.yaml").write_text(document(entries, kind=kind))
    (folder / "e.json").write_text('{"level":"Metadata","auditID":"a","stage":"x","verb":"get"}')

    result = auditwire("rules", "explain", "e.json", "--rule", "Pod")

    assert (result.exit_code, result.stderr.splitlines()[0]) == (2, f"auditwire: Pod never matches: {reason}")


EXCEPTION = """\
apiVersion: auditwire.io/v1alpha1
kind: Exception
metadata: {name: all}
spec: {rule: mine.Pod, condition: 'User.Username exists', owner: a, reason: b, expires: 2999-01-01}
"""


def test_an_exception_that_silences_every_test_of_its_rule_is_too_wide(auditwire: Run, folder: Path) -> None:
    (folder / "rules" / "site.yaml").write_text(EXCEPTION)

    text = auditwire("rules", "test").stdout

    assert "expected alert, but the rule raises no alert because of the exception all" in text
    assert "the exception all is too wide: it silences every test of mine.Pod" in text
    for form, place in (("json", '"exceptions"'), ("junit", 'name="exceptions"'), ("github", "title=exceptions")):
        found = auditwire("rules", "test", "--format", form).stdout
        assert place in found
        assert "too wide" in found


def test_an_exception_for_one_user_is_not_too_wide(auditwire: Run, folder: Path) -> None:
    (folder / "rules" / "site.yaml").write_text(EXCEPTION.replace("exists", '= "nobody"'))

    assert "too wide" not in auditwire("rules", "test").stdout
