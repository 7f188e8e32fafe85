"""Alerts about rules that a missing part of an event leaves undecided."""

from typing import Any

from auditwire.alerts import Undecided
from auditwire.alerts.body_missing import MAX_ALERTS, bodies_missing
from auditwire.alerts.self_alerts import with_runbook
from auditwire.condition import compile_condition
from auditwire.events import User
from auditwire.rules import Priority, Rule, RuleText
from auditwire.rules.fields import EventFields
from occurrences import KEY, event

NEEDS_BODY = compile_condition('Verb = "create" and RequestObject.spec.hostNetwork = true', fields=EventFields())


def rule_of(name: str = "CreatePod", *, priority: str = "WARNING", **fields: Any) -> Rule:
    """A rule about the body of a request."""
    given = {"document": "alerting-rule", "desc": "a pod was created", **fields}
    return Rule(RuleText(name=name, priority=Priority(priority), expression=NEEDS_BODY.expression, **given))


def undecided(number: int = 0, *rules: Rule, **changes: Any) -> Undecided:
    """An event that rules could not judge for want of the request's object."""
    one = event(number, **changes)
    one.unknown_paths = frozenset(("requestObject", "responseObject"))
    return Undecided(rules or (rule_of(),), one, KEY)


def test_one_alert_for_each_rule_and_user_with_the_severity_and_labels_of_the_rule() -> None:
    grave = rule_of("Grave", labels={"severity": "critical", "team": "red", "user": "mine"})
    users = [User(username="bob"), User(username="eve"), User(username="bob")]

    alerts = bodies_missing(
        [undecided(number, grave, user=user) for number, user in enumerate(users)],
        cluster="prod", bundle="d", archive_url="https://archive/",
    )  # fmt: skip

    assert [alert.labels for alert in alerts] == [
        {
            "alertname": "auditwire.BodyMissing", "severity": "critical", "priority": "WARNING", "team": "red",
            "rule_user": "mine", "cluster": "prod", "rule": "Grave", "document": "alerting-rule", "user": user,
        }
        for user in ("bob", "eve")
    ]  # fmt: skip
    assert [(alert.count, alert.audit_ids) for alert in alerts] == [(2, ("id-0", "id-2")), (1, ("id-1",))]
    assert alerts[0].first < alerts[0].last
    assert alerts[0].generator_url.startswith("https://archive/events/cluster=prod/")
    assert alerts[0].annotations["missing"] == "requestObject"  # what the rule needs, not all that is missing
    assert alerts[0].annotations["acts"] == "bob create pods default/web"
    assert "runbook_url" in with_runbook(alerts[0]).annotations


def test_a_rule_of_lower_priority_alerts_with_its_own() -> None:
    (alert,) = bodies_missing([undecided(0, rule_of(priority="INFO"))], cluster="prod", bundle="d")

    assert (alert.labels["severity"], alert.priority) == ("info", "INFO")


def test_the_alerts_of_one_user_say_together_what_cannot_be_judged() -> None:
    first, second, third = rule_of("A"), rule_of("B"), rule_of("C", priority="INFO")
    found = [undecided(0, second, first), undecided(1, third, first), undecided(2, first, user=User(username="bob"))]

    alerts = bodies_missing(found, cluster="prod", bundle="d")

    assert [(one.labels["rule"], one.labels["user"], one.count) for one in alerts] == [
        ("A", "alice", 2), ("A", "bob", 1), ("B", "alice", 1), ("C", "alice", 1),
    ]  # fmt: skip
    about_alice = [one.annotations for one in alerts if one.labels["user"] == "alice"]
    assert {(one["summary"], one["rules"]) for one in about_alice} == {(
        "3 rules cannot judge 2 events of alice in cluster prod: a part did not arrive",
        "alerting-rule.A, alerting-rule.B, alerting-rule.C",
    )}  # fmt: skip
    (of_bob,) = (one.annotations["summary"] for one in alerts if one.labels["user"] == "bob")
    assert of_bob == "1 rule cannot judge 1 event of bob in cluster prod: a part did not arrive"


def test_too_many_alerts_keep_those_of_the_highest_priority_and_one_about_the_rest() -> None:
    rule, quiet = rule_of(), [rule_of(f"r{number}", priority="INFO") for number in range(3)]
    many = [undecided(number, rule, user=User(username=f"user-{number:03}")) for number in range(MAX_ALERTS + 10)]
    # One of those that have an alert of their own cannot be judged by others of the rest either.
    last = undecided(900, *quiet, user=User(username="user-000"))

    alerts = bodies_missing([last, *many], cluster="prod", bundle="d")

    assert len(alerts) == MAX_ALERTS
    assert {alert.priority for alert in alerts} == {"WARNING"}
    rest = alerts[-1]
    assert rest.labels == {
        "alertname": "auditwire.BodyMissing", "severity": "warning", "priority": "WARNING", "cluster": "prod"
    }  # fmt: skip
    assert rest.count == 12
    assert rest.annotations["users"].startswith("user-049, user-050")
    assert rest.annotations["users"].endswith("user-059, user-000")
    assert rest.annotations["rules"] == "alerting-rule.CreatePod, alerting-rule.r0, alerting-rule.r1, alerting-rule.r2"
    assert sum(alert.count for alert in alerts) == len(many) + 1


def test_an_event_that_came_twice_counts_once() -> None:
    rule = rule_of()

    (alert,) = bodies_missing([undecided(0, rule), undecided(0, rule)], cluster="prod", bundle="d")

    assert alert.count == 1


def test_nothing_undecided_is_no_alert() -> None:
    assert bodies_missing([], cluster="prod", bundle="d") == []
