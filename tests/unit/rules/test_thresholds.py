"""The key ``threshold``: what is read, what is refused, and what one event comes to."""

from dataclasses import replace
from typing import Any

import pytest

from auditwire.condition.syntax import Path
from auditwire.documents.diagnostics import Diagnostic
from auditwire.events.model import User
from auditwire.rules import RuleSet, Source, load_sources
from auditwire.rules.bundle import decode_bundle, encode_bundle
from auditwire.rules.difference import Snapshot, difference
from auditwire.rules.threshold import Threshold, duration_text
from made_events import event
from rule_texts import document, rule, rule_set_of

DONE = 'Stage = "ResponseComplete"'
GOOD = "count: 3, by: [User.Username], within: 10m"


def many(threshold: str = GOOD, *, condition: str = f'Verb = "get" and {DONE}', more: str = "", **rest: str) -> str:
    return document(rule(condition, name="many", more=f", threshold: {{{threshold}}}{more}", **rest))


def found(text: str, **options: Any) -> list[Diagnostic]:
    return load_sources([Source("mine.yaml", text)], **options).diagnostics


def threshold_of(text: str) -> Threshold | None:
    return rule_set_of(text).alerting[0].text.threshold


def texts(paths: tuple[Path, ...]) -> list[str]:
    return [path.text for path in paths]


def test_a_threshold_counts_matches_or_different_values() -> None:
    counted = threshold_of(many("count: 1000, by: [user.username, SOURCEIP], within: 90s"))
    assert counted is not None
    assert (counted.at_least, counted.within, texts(counted.by), counted.distinct) == (
        1_000,
        90,
        ["User.Username", "SourceIP"],
        None,
    )
    assert counted.as_text() == "1,000 matches within 90s, by User.Username and SourceIP"

    different = threshold_of(many("distinct: objectref.name, atLeast: 1, within: 24h"))
    assert different is not None
    assert different.distinct is not None
    assert (different.at_least, different.within, different.by) == (1, 86_400, ())
    assert different.as_text() == "1 different values of ObjectRef.Name within 24h"
    assert [duration_text(seconds) for seconds in (1, 60, 61, 3_600, 5_400)] == ["1s", "1m", "61s", "1h", "90m"]


def test_an_alias_is_a_field_and_is_used() -> None:
    alias = "- {name: who, type: alias, alias: 'Annotations[\"a/b\"]'}\n"
    for written in ("who", "'${who}'", "'${mine.who}'"):
        text = document(alias + rule(DONE, more=f", threshold: {{count: 2, by: [{written}], within: 1m}}"))
        key = threshold_of(text)
        assert key is not None
        assert texts(key.by) == ['Annotations["a/b"]']
    assert "AW215" not in [one.code for one in found(text)]


@pytest.mark.parametrize(
    ("threshold", "code", "words"),
    [
        ("by: [Verb], within: 1m", "AW205", "neither count nor distinct"),
        ("count: 2, distinct: Verb, within: 1m", "AW205", "both count and distinct"),
        ("count: 2, atLeast: 2, within: 1m", "AW206", "atLeast"),
        ("distinct: Verb, within: 1m", "AW205", "no atLeast"),
        ("distinct: Verb, atLeast: 0, within: 1m", "AW206", "atLeast cannot be 0"),
        ("count: 2", "AW205", "no within"),
        *((f"count: {number}, within: 1m", "AW206", "from 1 to 1,000") for number in (0, -1, 1_001, "9" * 30)),
        *((f"count: {number}, within: 1m", "AW204", "whole number") for number in ("2.5", '"2"', "[2]", "true")),
        *(
            (f"count: 2, within: {time}", "AW206", "at most 24h")
            for time in ("0s", "10", "600", "25h", "86401s", "1d", "-1m", "1 m", "10M", "1.5h", "[1m]", "99999999h")
        ),
        ("count: 2, within: 1m, by: Verb", "AW204", "list"),
        ("count: 2, within: 1m, by: [Verb, Stage, Level, Cluster, Message]", "AW214", "limit is 4"),
        ("count: 2, within: 1m, by: [Vreb]", "AW105", "Vreb"),
        ("count: 2, within: 1m, by: [Verb, 5]", "AW204", "text"),
        ("distinct: 'Verb = 1', atLeast: 2, within: 1m", "AW105", ""),
        ("count: 2, within: 1m, per: [Verb]", "AW203", "per"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(threshold: str, code: str, words: str) -> None:
    errors = [one for one in found(many(threshold)) if one.is_error]

    assert [one.code for one in errors] == [code]
    assert words in f"{errors[0].message} {errors[0].hint}"
    assert errors[0].line == 6
    assert errors[0].column > 1


def test_it_is_a_mapping_of_a_rule_only() -> None:
    assert [one.code for one in found(document(rule(DONE, more=", threshold: 5"))) if one.is_error] == ["AW204"]
    macro = f"- {{name: m, type: macro, macro: '{DONE}', threshold: {{{GOOD}}}}}\n" + rule("${m}")
    assert [one.code for one in found(document(macro))] == ["AW209"]
    distinct = [one.code for one in found(many(more=", alert: distinct"))]
    assert distinct == ["AW206"]


def test_it_has_no_effect_where_nothing_alerts() -> None:
    text = document(rule(DONE, name="many", more=f", threshold: {{{GOOD}}}"), kind="archiving")
    assert [(one.code, one.severity) for one in found(text) if one.rule == "" and one.code == "AW209"] == [
        ("AW209", "info")
    ]


def test_kubesphere_does_not_know_it() -> None:
    codes = [(one.code, one.message) for one in found(many(), dialect="kubesphere") if "threshold" in one.message]
    assert codes == [("AW111", "KubeSphere's rules have no threshold")]


@pytest.mark.parametrize(
    ("condition", "is_asked"),
    [
        ('Verb = "get"', False),
        (DONE, True),
        (f'Verb = "get" and {DONE}', True),
        (f'Verb = "get" or {DONE}', False),
        (f'(Verb = "get" and {DONE}) or (Verb = "list" and Stage != "RequestReceived")', True),
        ('not (Stage = "RequestReceived")', True),
        ('not (Stage = "RequestReceived" and Verb = "get")', False),
        ('not (Stage = "RequestReceived" or Verb = "get")', True),
        ('StageTimestamp = "x"', False),
        ('any RequestObject.x[*] (Stage = "a")', False),
        ("${done}", True),
    ],
)
def test_a_condition_that_does_not_ask_for_the_stage_is_found(condition: str, *, is_asked: bool) -> None:
    macro = f"- {{name: done, type: macro, macro: '{DONE}'}}\n"
    text = document(macro + rule(condition, name="many", more=f", threshold: {{{GOOD}}}"))
    codes = [one.code for one in found(text) if one.code in ("AW224", "AW225")]

    assert codes == ([] if is_asked else ["AW224"])
    assert not [one for one in found(document(rule(condition))) if one.code == "AW224"]


def test_a_group_that_anybody_chooses_is_found() -> None:
    def codes(field: str) -> list[str]:
        return [one.code for one in found(many(f"count: 2, within: 1m, by: [{field}]"))]

    for chosen in ("UserAgent", "useragent", "SourceIPs", "'SourceIPs[0]'", "RequestURI", "RequestObject.a.b"):
        assert codes(chosen) == ["AW225"], chosen
    for told in ("User.Username", "SourceIP", "ObjectRef.Namespace", "ObjectRef.Name"):
        assert codes(told) == [], told


def ways(rules: RuleSet) -> list[tuple[str, Any]]:
    """Each way to decide about an event: cold, with functions, and one by one by the walker."""

    def walked(one: Any) -> Any:
        one.unknown_paths = frozenset(("annotations",))
        return rules.decide(one)

    hot = replace(rules)
    for _ in range(50):
        hot.decide(event())
    return [("cold", rules.decide), ("hot", hot.decide), ("walker", walked)]


def test_a_match_is_counted_and_never_alerts_by_itself() -> None:
    text = many()
    rules = decode_bundle(encode_bundle(rule_set_of(text), [Source("0.yaml", text)])).rule_set
    for way, decide in ways(rules):
        verdict = decide(event())
        assert (verdict.outcome, verdict.alerting, verdict.alerts) == ("archive", ("mine.many",), ()), way
        assert verdict.pending_groups(event(user="bob")) == [{"rule": "mine.many", "by": {"User.Username": "bob"}}]
        assert decide(event(verb="create")).pending == (), way
        assert decide(event(verb="create")).outcome == "ignore", way


def test_another_rule_alerts_on_the_same_event() -> None:
    entry = rule(f'Verb = "get" and {DONE}', name="many", more=f", threshold: {{{GOOD}}}")
    rules = rule_set_of(document(entry + rule('Verb = "get"', name="each")))
    for way, decide in ways(rules):
        verdict = decide(event())
        assert verdict.outcome == "alert", way
        assert [one.qualified for one in verdict.alerts] == ["mine.each"], way
        assert [one.qualified for one in verdict.pending] == ["mine.many"], way
        silenced = verdict.without_alerts()
        assert (silenced.outcome, silenced.alerts, silenced.pending) == ("archive", (), ()), way


def test_what_would_not_alert_is_not_counted() -> None:
    quiet = rule_set_of(many(priority="INFO")).decide(event())
    assert (quiet.outcome, quiet.alerting, quiet.pending) == ("archive", ("mine.many",), ())

    exception = (
        "apiVersion: auditwire.io/v1alpha1\nkind: Exception\nmetadata: {name: x}\n"
        "spec: {rule: mine.many, owner: a, reason: b, expires: 2999-01-01, condition: 'User.Username = \"ann\"'}\n"
    )
    rules = rule_set_of(many(), exception)
    assert (rules.decide(event()).pending, rules.decide(event()).outcome) == ((), "archive")
    assert len(rules.decide(event(user="bob")).pending) == 1

    undecided = rule_set_of(many(condition=f'RequestObject.a = "b" and {DONE}'))
    cut = event(verb="create")
    cut.unknown_paths = frozenset(("requestObject",))
    verdict = undecided.decide(cut)
    assert (verdict.outcome, verdict.undecided, verdict.might_alert, verdict.pending) == (
        "archive",
        ("mine.many",),
        (),
        (),
    )


def test_what_is_counted_is_the_event_or_a_value() -> None:
    each = rule_set_of(many("count: 2, within: 1m, by: [User.Groups, User.UID]")).alerting[0].threshold
    assert each is not None
    one = event()
    one.user = User(username="ann", groups=["a", "b"])
    assert each.group(one) == {"User.Groups": "a, b", "User.UID": ""}
    assert each.counted(one) == one.digest

    different = rule_set_of(many("distinct: ObjectRef.Name, atLeast: 2, within: 1m")).alerting[0].threshold
    assert different is not None
    assert (different.group(one), different.counted(one), different.counted(event(name=""))) == ({}, "web", "")


def test_a_difference_names_the_threshold() -> None:
    def snapshot(text: str) -> Snapshot:
        loaded = load_sources([Source("mine.yaml", text)])
        assert loaded.rule_set is not None
        return Snapshot(loaded.rule_set, loaded.documents)

    told = difference(snapshot(many()), snapshot(many("count: 4, by: [user.username], within: 600s")))
    assert [(one.what, one.before, one.after) for one in told.rules[0].changes] == [
        ("threshold", "3 matches within 10m, by User.Username", "4 matches within 10m, by User.Username")
    ]
