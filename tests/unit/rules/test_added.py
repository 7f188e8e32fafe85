"""Labels and annotations that a rule adds: filled in from the event, under names that Alertmanager takes, said so."""

from typing import Any

import pytest

from auditwire.documents.diagnostics import Severity
from auditwire.rules import Source, load_sources
from auditwire.rules.bundle import decode_bundle, encode_bundle
from local_road import body_of, exec_event
from memory_road import Road
from rule_texts import document, rule


def sources(more: str) -> list[Source]:
    text = document(rule('Verb = "get"', more=f", {more}") + "- {name: who, type: alias, alias: User.Username}\n")
    return [Source("mine.yaml", text)]


def loaded(more: str) -> Any:
    return load_sources(sources(more))


def codes(more: str) -> list[str]:
    return [found.code for found in loaded(more).diagnostics if found.code in {"AW212", "AW222", "AW223", "AW105"}]


def added(more: str, **changes: Any) -> tuple[dict[str, str], dict[str, str]]:
    """The labels and annotations of an alert of this rule, decided by the bundle as functions read it."""
    found = loaded(more)
    assert found.rule_set is not None, found.diagnostics
    rules = decode_bundle(encode_bundle(found.rule_set, sources(more))).rule_set

    class Rules:
        def current(self) -> Any:
            return rules

    road = Road(rules=Rules())
    assert road.post(body_of(exec_event(1, **changes))).status == 200
    (alert,) = road.publisher.alerts
    return dict(alert.labels), dict(alert.annotations)


def test_placeholders_are_filled_in_as_in_outputs() -> None:
    labels, annotations = added(
        'labels: {team: "${ObjectRef.Namespace}-team", plain: text, gone: "${ObjectRef.APIGroup}"},'
        ' annotations: {summary: "${who} in ${ObjectRef.Name}", addresses: "${SourceIPs}"}',
        sourceIPs=["192.0.2.7", "192.0.2.8"],
    )
    assert (labels["team"], labels["plain"], labels["gone"]) == ("shop-team", "text", "-")
    assert (annotations["summary"], annotations["addresses"]) == ("mallory in web-1", "192.0.2.7, 192.0.2.8")


def test_a_runbook_that_is_no_link_is_not_in_the_alert() -> None:
    assert "runbook_url" not in added('annotations: {runbook_url: "javascript:alert(1)"}')[1]
    _, annotations = added('annotations: {runbook_url: "https://wiki/x?verb=${Verb}"}')
    assert annotations["runbook_url"] == "https://wiki/x?verb=get"


def test_what_is_filled_in_is_bounded_and_on_one_line() -> None:
    user = {"username": "two\nlines" + "x" * 5_000}
    labels, annotations = added('labels: {who: "${who}"}, annotations: {note: "${who}"}', user=user)
    assert labels["who"].startswith("two\\nlinesxxx")
    assert len(labels["who"]) <= 256
    assert len(annotations["note"].encode()) <= 1_024


def test_alerts_of_different_values_are_different_alerts() -> None:
    found = loaded('labels: {who: "${who}"}')
    assert found.rule_set is not None

    class Rules:
        def current(self) -> Any:
            return found.rule_set

    road = Road(rules=Rules())
    users = [{"username": name} for name in ("ann", "bob", "ann")]
    assert road.post(body_of(*(exec_event(at, user=user) for at, user in enumerate(users)))).status == 200
    assert {alert.labels["who"] for alert in road.publisher.alerts} == {"ann", "bob"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('labels: {team: x, severity: critical, x_1: "${Verb}"}', []),
        ("labels: {alertname: x}", ["AW222"]),
        ("labels: {cluster: x, user: y}", ["AW222", "AW222"]),
        ('labels: {"http.code": x}', ["AW222"]),
        ('labels: {"9": x}', ["AW222"]),
        ('labels: {"": x}', ["AW222"]),
        ('labels: {team: ""}', ["AW222"]),
        ("annotations: {summary: x, description: y}", []),
        ("annotations: {message: x}", ["AW222"]),
        ('annotations: {"a b": x}', ["AW222"]),
        ('labels: {team: "${Nobody.Knows}"}', ["AW212"]),
        ('annotations: {note: "${nobodys}"}', ["AW212"]),
        ('annotations: {runbook_url: "https://wiki/x?verb=${Verb}"}', []),
        ("annotations: {runbook_url: http://wiki.example}", []),
        ('annotations: {runbook_url: "javascript:alert(1)"}', ["AW223"]),
        ("annotations: {runbook_url: docs/runbooks.md}", ["AW223"]),
        ('annotations: {runbook_url: "${who}"}', ["AW223"]),
        ('annotations: {runbook_url: "https://${who}/x"}', ["AW223"]),
        ('annotations: {runbook_url: "https://wiki.${who}"}', ["AW223"]),
        ('annotations: {runbook_url: "https://user@wiki/x"}', ["AW223"]),
        ('annotations: {runbook_url: "ftp://wiki/x"}', ["AW223"]),
    ],
)
def test_what_is_not_added_as_it_is_written_is_told(more: str, expected: list[str]) -> None:
    assert codes(more) == expected
    assert (loaded(more).rule_set is None) is ("AW212" in expected)


def test_a_finding_says_where_and_under_which_name() -> None:
    (found,) = [one for one in loaded('labels: {"http.code": x}').diagnostics if one.code == "AW222"]
    assert (found.severity, found.line) == (Severity.WARNING, 6)
    assert "'http_code'" in found.message
