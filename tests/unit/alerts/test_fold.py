"""Occurrences become alerts: identity in labels, the rest in annotations, bounded and the same each time."""

import random
from dataclasses import asdict
from typing import Any

import pytest

from auditwire.alerts import FOLDED_ALERT, MAX_ALERTS_A_BATCH, Alert, Occurrence, encode_message, fold
from auditwire.events import ObjectRef, User
from occurrences import KEY, event, occurrence, rule_of

BUNDLE = "b" * 64


def alerts_of(*occurrences: Occurrence, archive_url: str = "", most: int = MAX_ALERTS_A_BATCH) -> list[Alert]:
    return fold(occurrences, cluster="prod", bundle=BUNDLE, archive_url=archive_url, most=most)


def only(*occurrences: Occurrence) -> Alert:
    (alert,) = alerts_of(*occurrences)
    return alert


def test_nothing_gives_nothing() -> None:
    assert alerts_of() == []


def test_an_alert_says_who_did_what_to_which_object() -> None:
    alert = only(occurrence(workspace="shop"))
    assert alert.labels == {
        "alertname": "CreatePod",
        "severity": "warning",
        "priority": "WARNING",
        "cluster": "prod",
        "workspace": "shop",
        "namespace": "default",
        "resource": "pods",
        "name": "web",
        "verb": "create",
        "user": "alice",
    }
    assert alert.annotations == {
        "summary": "a pod was created",
        "description": "alice create pods default/web in cluster prod: once, at 2026-11-21T22:05:00.000000Z",
        "message": "pod created, 0",
        "first_occurrence": "2026-11-21T22:05:00.000000Z",
        "last_occurrence": "2026-11-21T22:05:00.000000Z",
        "count": "1",
        "source_addresses": "198.51.100.7, 10.0.0.1",
        "user_agent": "kubectl/v1.31",
        "decision": "allow",
        "reason": 'RBAC: allowed by "edit"',
        "audit_ids": "id-0",
        "archive_key": KEY,
    }
    assert (alert.rule, alert.document, alert.bundle) == ("alerting-rule.CreatePod", "alerting-rule", BUNDLE)


def test_empty_labels_and_annotations_are_left_out() -> None:
    bare = occurrence(user=User(), objectRef=ObjectRef(), sourceIPs=None, userAgent="", annotations=None)
    alert = only(bare)
    assert set(alert.labels) == {"alertname", "severity", "priority", "cluster", "verb"}
    assert all(alert.labels.values())
    assert all(alert.annotations.values())
    assert alert.annotations["description"].startswith(
        "an unknown user create /api/v1/namespaces/default/pods in cluster prod: once"
    )


def test_the_label_user_is_who_really_called_and_an_annotation_says_as_whom() -> None:
    alert = only(occurrence(impersonatedUser=User(username="system:admin")))
    assert alert.labels["user"] == "alice"
    assert alert.annotations["impersonated_user"] == "system:admin"


def test_occurrences_of_one_act_are_folded_whatever_order_they_come_in() -> None:
    many = [occurrence(number, userAgent=f"agent {number % 2}") for number in range(25)]
    random.Random(7).shuffle(many)
    alert = only(*many)
    assert alert.count == 25
    assert (alert.first, alert.last) == ("2026-11-21T22:05:00.000000Z", "2026-11-21T22:05:24.000000Z")
    assert alert.audit_ids == tuple(f"id-{number}" for number in range(10))
    assert alert.annotations["message"] == "pod created, 0"
    assert alert.annotations["count"] == "25"
    assert alert.annotations["user_agent"] == "agent 0, agent 1"
    assert alert.annotations["description"].endswith(
        "25 events from 2026-11-21T22:05:00.000000Z to 2026-11-21T22:05:24.000000Z"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"user": User(username="bob")},
        {"verb": "delete"},
        {"workspace": "shop"},
        {"objectRef": ObjectRef(resource="pods", namespace="default", name="other")},
        {"rule": rule_of("Other")},
        {"rule": rule_of(document="another-document")},
        {"rule": rule_of(labels={"team": "payments"})},
    ],
    ids=["user", "verb", "workspace", "name", "rule", "document", "the rule's own label"],
)
def test_another_identity_is_another_alert(other: dict[str, Any]) -> None:
    assert len(alerts_of(occurrence(1), occurrence(2, **other))) == 2


def test_a_distinct_rule_makes_each_request_its_own_alert() -> None:
    rule = rule_of(alert="distinct")
    one, two = alerts_of(occurrence(1, rule=rule), occurrence(2, rule=rule))
    assert one.labels["event"] == event(1).digest
    assert {**one.labels, "event": ""} == {**two.labels, "event": ""}


@pytest.mark.parametrize(("priority", "severity"), [("DEBUG", "info"), ("INFO", "info"), ("WARNING", "warning")])
def test_severity_follows_priority_unless_the_rule_says_more(priority: str, severity: str) -> None:
    assert only(occurrence(rule=rule_of(priority=priority))).labels["severity"] == severity
    own = rule_of(priority=priority, labels={"severity": "critical"})
    assert only(occurrence(rule=own)).labels["severity"] == "critical"
    assert only(occurrence(rule=own)).labels["priority"] == priority


def test_a_rule_cannot_say_what_the_alert_is_about_but_loses_nothing() -> None:
    labels = {"cluster": "other", "alertname": "x", "app.kubernetes.io/part-of": "shop", "event": "1", "empty": ""}
    alert = only(occurrence(rule=rule_of(labels=labels)))
    assert alert.labels["cluster"] == "prod"
    assert alert.labels["alertname"] == "CreatePod"
    assert alert.labels["rule_cluster"] == "other"
    assert alert.labels["rule_event"] == "1"
    assert alert.labels["app_kubernetes_io_part_of"] == "shop"
    assert "empty" not in alert.labels


def test_a_rule_words_summary_description_and_runbook_but_not_the_facts() -> None:
    annotations = {
        "summary": "Somebody made a pod",
        "description": "Look at it.",
        "runbook_url": "https://wiki/x",
        "count": "0",
        "dashboard": "https://grafana/d",
    }
    alert = only(occurrence(rule=rule_of(annotations=annotations)))
    expected = {**annotations, "count": "1", "rule_count": "0"}
    assert {name: alert.annotations[name] for name in expected} == expected


def test_labels_are_bounded_and_escaped_and_the_evidence_is_not_their_business() -> None:
    hostile = occurrence(
        user=User(username="eve\n\u202eadmin"), objectRef=ObjectRef(resource="pods", name="x" * 65_000)
    )
    alert = only(hostile)
    assert alert.labels["user"] == r"eve\n\u202eadmin"
    assert len(alert.labels["name"]) == 256
    assert max(map(len, alert.annotations.values())) <= 1024
    assert hostile.event.objectRef.name == "x" * 65_000


def test_audit_ids_are_bounded_since_clients_choose_them() -> None:
    alert = only(*(occurrence(number, auditID="i" * 90_000 + str(number)) for number in range(20)))
    assert alert.audit_ids == ("i" * 127 + "…",)


def test_a_rule_with_ever_so_many_labels_keeps_its_first_ones() -> None:
    rule = rule_of(labels={f"own_{number:05}": "x" for number in range(10_000)})
    assert len(only(occurrence(rule=rule)).labels) == 9 + 32


def test_the_generator_is_the_archived_object_of_the_first_occurrence() -> None:
    (alert,) = alerts_of(occurrence(1, key="k/second hour"), occurrence(0), archive_url="https://console/o?prefix=")
    assert alert.generator_url == f"https://console/o?prefix={KEY}"
    assert alert.annotations["archive_key"] == f"{KEY}, k/second hour"
    (alert,) = alerts_of(occurrence(0, key="a b&c"), archive_url="https://console/o?prefix=")
    assert alert.generator_url == "https://console/o?prefix=a%20b%26c"


def test_the_same_batch_gives_the_same_alerts_byte_for_byte() -> None:
    def messages(seed: int) -> list[bytes]:
        batch = [occurrence(number % 7, user=User(username=f"user-{number % 5}")) for number in range(60)]
        random.Random(seed).shuffle(batch)
        return [encode_message(alert) for alert in alerts_of(*batch)]

    assert messages(1) == messages(2) == messages(3)


def test_more_than_500_alerts_become_500_and_the_last_says_so() -> None:
    noisy = rule_of("Noisy", alert="distinct")
    quiet = rule_of("Quiet", priority="INFO")
    batch = [occurrence(number, rule=noisy) for number in range(700)]
    batch += [occurrence(9_000, rule=quiet), occurrence(9_001, rule=quiet, user=User(username="bob"))]
    alerts = alerts_of(*batch, archive_url="https://console/")
    assert len(alerts) == 500
    *kept, rest = alerts
    assert {alert.rule for alert in kept} == {"alerting-rule.Noisy", "alerting-rule.Quiet"}
    assert sum(alert.count for alert in alerts) == len(batch)
    assert rest.labels == {
        "alertname": FOLDED_ALERT,
        "cluster": "prod",
        "priority": "WARNING",
        "severity": "warning",
    }
    assert rest.annotations["summary"] == "203 alerts of one batch were folded into this one"
    assert rest.annotations["rules"] == "alerting-rule.Noisy: 203"
    assert rest.annotations["folded_alerts"] == "203"
    assert rest.annotations["archive_key"] == KEY
    assert rest.count == 203
    assert rest.generator_url == f"https://console/{KEY}"


def test_room_may_be_left_for_alerts_about_the_batch_itself() -> None:
    batch = [occurrence(number, rule=rule_of(alert="distinct")) for number in range(12)]
    assert len(alerts_of(*batch, most=12)) == 12
    alerts = alerts_of(*batch, most=11)
    assert (len(alerts), alerts[-1].count) == (11, 2)


def test_exactly_500_alerts_stay_as_they_are() -> None:
    rule = rule_of(alert="distinct")
    alerts = alerts_of(*(occurrence(number, rule=rule) for number in range(500)))
    assert len(alerts) == 500
    assert FOLDED_ALERT not in {alert.labels["alertname"] for alert in alerts}


def test_no_rule_is_hidden_by_another_that_floods() -> None:
    rules = [rule_of(f"Rule{number:03}", priority="DEBUG") for number in range(300)]
    batch = [occurrence(number, rule=rule_of("Flood", alert="distinct")) for number in range(2_000)]
    batch += [occurrence(5_000 + number, rule=rule) for number, rule in enumerate(rules)]
    kept = {alert.rule for alert in alerts_of(*batch)[:-1]}
    assert kept == {rule.qualified for rule in rules} | {"alerting-rule.Flood"}


def test_an_alert_is_plain_data() -> None:
    assert asdict(only(occurrence()))["count"] == 1
