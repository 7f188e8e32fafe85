"""Exceptions: which matches raise no alert, and when they do all the same."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from auditwire.documents.diagnostics import Diagnostic
from auditwire.events import Event, User
from auditwire.pipeline import decide_event
from auditwire.rules import RuleSet, Source, load_sources
from auditwire.rules.bundle import decode_bundle, encode_bundle
from auditwire.rules.difference import Snapshot, difference
from made_events import event
from rule_texts import document, rule

RULES = document(
    rule('Verb = "create"', name="made")
    + rule('Verb = "create" and ObjectRef.Resource = "pods"', name="noted", priority="INFO")
    + rule('Verb = "create"', name="idle", more=", enable: false")
    + "- {name: ci, type: macro, macro: 'User.Username = \"ci\"'}\n"
)
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def exception(
    condition: str, *, rule: str = "mine.made", name: str = "x", expires: str = "2027-03-31", more: str = ""
) -> str:
    quoted = condition.replace("'", "''")
    return (
        f"apiVersion: auditwire.io/v1alpha1\nkind: Exception\nmetadata: {{name: {name}}}\n"
        f"spec: {{rule: {rule}, owner: a, reason: b, expires: {expires}, condition: '{quoted}'{more}}}\n"
    )


def loaded(*exceptions: str, rules: str = RULES, **options: Any) -> tuple[RuleSet | None, list[Diagnostic]]:
    sources = [Source("rules.yaml", rules), *(Source(f"site/{n}.yaml", text) for n, text in enumerate(exceptions))]
    found = load_sources(sources, **options)
    return found.rule_set, [one for one in found.diagnostics if one.code not in ("AW215", "AW216", "AW117")]


def rules_with(*exceptions: str) -> RuleSet:
    rules, found = loaded(*exceptions)
    assert rules is not None, found
    return rules


def created(user: str | None = "ci", **more: Any) -> Event:
    one = event(verb="create", **more)
    one.user = User(username=user)
    one.receipt = NOON
    return one


def said(rules: RuleSet, one: Event) -> tuple[str, list[str], list[tuple[str, str]]]:
    verdict = rules.decide(one)
    alerts = [rule.qualified for rule in verdict.alerts]
    return verdict.outcome, alerts, [(one.rule, one.exception) for one in verdict.excepted]


def test_a_match_that_is_excepted_is_archived_and_raises_no_alert() -> None:
    rules = rules_with(exception('User.Username = "ci"'))

    assert said(rules, created()) == ("archive", [], [("mine.made", "x")])
    assert rules.decide(created()).alerting == ("mine.made", "mine.noted")
    assert said(rules, created("ann")) == ("alert", ["mine.made"], [])
    assert said(rules, event(verb="get")) == ("ignore", [], [])


def test_every_exception_that_applies_is_named_also_where_there_would_be_no_alert() -> None:
    rules = rules_with(
        exception('User.Username = "ci"'),
        exception('${mine.ci} and ObjectRef.Namespace = "shop"', name="second"),
        exception('User.Username = "ann"', name="z"),
        exception('User.Username = "ci"', rule="mine.noted", name="third"),
    )

    assert said(rules, created()) == (
        "archive",
        [],
        [("mine.made", "x"), ("mine.made", "second"), ("mine.noted", "third")],
    )


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        ('User.Username != "root"', False),
        ('not (User.Username = "root")', False),
        ('not (User.Username = "root") or Verb = "create"', True),
        ('not (User.Username = "root") and Verb = "create"', False),
        ("User.Username not exists", True),
        ('not (any RequestObject.items[*] (name = "a"))', False),
        ('any RequestObject.items[*] (name not in ("a"))', False),
        ('not (RequestObject.labels["team"] = "red")', False),
        ('ObjectRef.Subresource = ""', True),
        ('not (SourceIP within ("10.0.0.0/8"))', False),
    ],
)
def test_a_missing_field_does_not_make_an_exception_apply(condition: str, applies: bool) -> None:
    one = created(None, body={"labels": {}})

    assert bool(said(rules_with(exception(condition)), one)[2]) is applies


def test_an_element_that_lacks_what_is_asked_for_is_unknown_and_others_decide() -> None:
    condition = 'any RequestObject.items[*] (name = "a" and not (kind = "b"))'
    rules = rules_with(exception(condition))

    assert said(rules, created(body={"items": [{"name": "a", "kind": "c"}]}))[2]
    assert not said(rules, created(body={"items": [{"name": "a"}]}))[2]
    assert said(rules, created(body={"items": [{"name": "a"}, {"name": "a", "kind": "c"}]}))[2]
    assert not said(rules_with(exception(f"not ({condition})")), created(body={"items": [{"name": "a"}]}))[2]
    assert said(rules_with(exception(f"not ({condition})")), created(body={"items": [{"name": "z"}]}))[2]


def test_a_value_that_cannot_be_judged_lets_the_alert_out_and_is_counted() -> None:
    rules = rules_with(exception("RequestObject.replicas > 3"))
    one = created(body={"replicas": "many"})

    verdict = rules.decide(one)

    assert [rule.qualified for rule in verdict.alerts] == ["mine.made"]
    assert [(error.rule, error.message) for error in verdict.errors] == [
        ("mine.made", "exception x: 'many' is not a number")
    ]


def test_what_did_not_arrive_lets_the_alert_out() -> None:
    one = created(body={"team": "red"})
    one.unknown_paths = frozenset(("requestObject",))

    assert said(rules_with(exception('RequestObject.team = "red"')), one)[1] == ["mine.made"]
    assert said(rules_with(exception('User.Username = "ci"')), one)[2] == [("mine.made", "x")]


def test_a_rule_that_is_undecided_alerts_of_nothing_that_is_certainly_excepted() -> None:
    rules, _ = loaded(
        exception('User.Username = "ci"'), rules=document(rule("RequestObject.hostNetwork = true", name="made"))
    )
    assert rules is not None
    for user, might in (("ci", []), ("ann", ["mine.made"])):
        one = created(user)
        one.unknown_paths = frozenset(("requestObject",))
        assert [rule.qualified for rule in rules.decide(one).might_alert] == might


@pytest.mark.parametrize(
    ("receipt", "applies"),
    [
        (datetime(2027, 3, 31, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2027, 4, 1, tzinfo=UTC), False),
        (datetime(2027, 4, 1, 1, tzinfo=timezone(timedelta(hours=2))), True),
        (datetime(2027, 3, 31, 23, tzinfo=timezone(timedelta(hours=-2))), False),
        (None, True),
    ],
)
def test_it_ends_by_the_time_of_receipt_and_not_by_a_time_of_the_sender(
    receipt: datetime | None, applies: bool
) -> None:
    rules = rules_with(exception('User.Username = "ci"'))
    for stamp in ("2020-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z"):
        one = created(stageTimestamp=stamp)
        one.receipt = receipt
        assert bool(said(rules, one)[2]) is applies
        assert bool(decide_event(one, sender=None, rules=rules).verdict.excepted) is applies


def test_exceptions_travel_in_a_bundle_and_older_bundles_have_none() -> None:
    sources = [Source("a.yaml", RULES), Source("b.yaml", exception('User.Username = "ci"'))]
    rules = load_sources(sources).rule_set
    assert rules is not None
    data = encode_bundle(rules, sources)

    read = decode_bundle(data).rule_set

    assert [one.text for one in read.exceptions] == [one.text for one in rules.exceptions]
    assert read.exceptions[0].text.expires == date(2027, 3, 31)
    assert said(read, created()) == ("archive", [], [("mine.made", "x")])
    assert not decode_bundle(data.replace(b'"exceptions"', b'"other"')).rule_set.exceptions


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (exception('User.Username = "ci"'), []),
        (exception('User.Username = "ci"', rule="made"), ["AW230"]),
        (exception('User.Username = "ci"', rule="mine.idle"), ["AW231"]),
        (exception('User.Username = "ci"', expires="2026-11-28"), ["AW232"]),
        (exception('User.Username = "ci"', expires="2026-11-29"), []),
        (exception('User.Username = "ci"', expires="'2026-11-30'"), []),
        (exception('User.Username = "ci"', expires="2026-13-01"), ["AW206"]),
        (exception('User.Username = "ci"', expires="tomorrow"), ["AW206"]),
        (exception('User.Username = "ci"', expires="2027-01-01T00:00:00Z"), ["AW206"]),
        (exception('Vreb = "ci"'), ["AW102"]),
        (exception('${ci} and Verb = "get"'), ["AW105"]),
        (exception("Verb exists or Verb not exists"), ["AW115", "AW233"]),
        (exception('User.Username = "ci"', more=", ower: a"), ["AW203"]),
        ("apiVersion: auditwire.io/v1alpha1\nkind: Exception\nspec: {}\n", ["AW205"] * 6),
        (exception('User.Username = "ci"').replace("auditwire.io/v1alpha1", "auditwire.io/v2"), ["AW202"]),
    ],
)
def test_what_is_said_of_exceptions(text: str, codes: list[str]) -> None:
    _, found = loaded(text, today=date(2026, 11, 29))

    assert sorted(one.code for one in found) == sorted(codes)
    assert all(one.path == "site/0.yaml" for one in found)


@pytest.mark.parametrize(
    ("condition", "anybody"),
    [
        ('UserAgent startswith "deployer/"', True),
        ('ObjectRef.Name = "web"', True),
        ('RequestObject.metadata.labels["app"] = "web"', True),
        ('any RequestObject.metadata.ownerReferences[*] (kind = "ReplicaSet")', True),
        ('SourceIPs[0] within ("10.0.0.0/8")', True),
        ('SourceIPs contains "10.0.0.1"', True),
        ('Containers[*].image startswith "registry.example.com/"', True),
        ('Containers[*].image = "registry.example.com:5000/web"', True),
        ('any Containers[*] (image in ("web:1", "web"))', True),
        ('Verb = "create" and ObjectRef.Resource = "pods"', True),
        ('User.Username = "ci" or UserAgent = "x"', True),
        ('not (User.Username != "ci" and UserAgent != "x")', True),
        ('not (User.Username != "ci" or UserAgent != "x")', False),
        ('User.Username = "ci" and UserAgent = "x"', False),
        ('${mine.ci} and UserAgent = "x"', False),
        ('SourceIP within ("10.0.0.0/8")', False),
        ('ObjectRef.Namespace = "ci"', False),
        ('Containers[*].image = "registry.example.com:5000/web:1.2"', False),
        ('any Containers[*] (image = "web@sha256:0123" and name = "a")', False),
    ],
)
def test_an_exception_that_anybody_can_use_is_a_finding(condition: str, anybody: bool) -> None:
    _, found = loaded(exception(condition))

    assert [one.code for one in found if one.code == "AW233"] == ["AW233"] * anybody


def test_names_are_used_once_and_kubesphere_knows_none() -> None:
    text = exception('User.Username = "ci"')

    assert [one.code for one in loaded(text, text)[1]] == ["AW207"]
    assert "KubeSphere knows no exceptions" in [one.message for one in loaded(text, dialect="kubesphere")[1]]


def test_a_macro_that_only_an_exception_uses_is_used() -> None:
    found = load_sources([Source("a.yaml", RULES), Source("b.yaml", exception("${mine.ci}"))]).diagnostics

    assert "AW215" not in [one.code for one in found]


def test_a_difference_shows_exceptions() -> None:
    def snapshot(*texts: str) -> Snapshot:
        found = load_sources([Source("a.yaml", RULES), *(Source(f"{n}.yaml", text) for n, text in enumerate(texts))])
        assert found.rule_set is not None
        return Snapshot(found.rule_set, found.documents)

    changed = difference(snapshot(exception('user.username = "ci"')), snapshot(exception('User.Username = "cd"')))

    (change,) = changed.exceptions
    assert (change.what, change.before and change.before.splitlines()[1]) == ("x", 'condition: User.Username = "ci"')
    assert (
        difference(snapshot(), snapshot(exception('User.Username = "ci"'))).as_json()["exceptions"][0]["before"] is None
    )
    assert not difference(snapshot(), snapshot())
