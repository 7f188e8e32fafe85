"""Alerts about rules that a missing part of an event leaves undecided."""

from typing import Any

from auditwire.alerts import Occurrence
from auditwire.alerts.body_missing import MAX_ALERTS, bodies_missing
from auditwire.alerts.self_alerts import with_runbook
from auditwire.events import User
from occurrences import KEY, event, rule_of


def undecided(number: int = 0, *, rule: Any = None, **changes: Any) -> Occurrence:
    """A rule that could not be decided for want of the request's object."""
    one = event(number, **changes)
    one.unknown_paths = frozenset(("requestObject",))
    return Occurrence(rule or rule_of(), one, "", KEY)


def test_one_alert_for_each_rule_and_user_with_the_severity_and_labels_of_the_rule() -> None:
    grave = rule_of("Grave", labels={"severity": "critical", "team": "red", "user": "mine"})
    users = [User(username="bob"), User(username="eve"), User(username="bob")]

    alerts = bodies_missing(
        [undecided(number, rule=grave, user=user) for number, user in enumerate(users)],
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
    assert alerts[0].annotations["missing"] == "requestObject"
    assert alerts[0].annotations["acts"] == "bob create pods default/web"
    assert "runbook_url" in with_runbook(alerts[0]).annotations


def test_a_rule_of_lower_priority_alerts_with_its_own() -> None:
    (alert,) = bodies_missing([undecided(rule=rule_of(priority="INFO"))], cluster="prod", bundle="d")

    assert (alert.labels["severity"], alert.priority) == ("info", "INFO")


def test_an_event_that_several_rules_cannot_decide_is_one_event_of_each() -> None:
    alerts = bodies_missing(
        [undecided(rule=rule_of(name)) for name in ("b", "a")], cluster="prod", bundle="d"
    )  # fmt: skip

    assert [(alert.labels["rule"], alert.count) for alert in alerts] == [("a", 1), ("b", 1)]


def test_too_many_alerts_keep_those_of_the_highest_priority_and_one_about_the_rest() -> None:
    many = [undecided(number, user=User(username=f"user-{number:03}")) for number in range(MAX_ALERTS + 10)]
    quiet = [undecided(900 + number, rule=rule_of(f"r{number}", priority="INFO")) for number in range(3)]

    alerts = bodies_missing([*quiet, *many], cluster="prod", bundle="d")

    assert len(alerts) == MAX_ALERTS
    assert {alert.priority for alert in alerts} == {"WARNING"}
    rest = alerts[-1]
    assert rest.labels == {
        "alertname": "auditwire.BodyMissing", "severity": "warning", "priority": "WARNING", "cluster": "prod"
    }  # fmt: skip
    assert rest.count == 14
    assert rest.annotations["users"].startswith("user-049, user-050")
    assert rest.annotations["rules"] == "alerting-rule.CreatePod, alerting-rule.r0, alerting-rule.r1, alerting-rule.r2"
    assert sum(alert.count for alert in alerts) == len(many) + len(quiet)


def test_nothing_undecided_is_no_alert() -> None:
    assert bodies_missing([], cluster="prod", bundle="d") == []
