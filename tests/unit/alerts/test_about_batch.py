"""Alerts about a batch that went wrong in part."""

import json

from auditwire.alerts import encode_message, fold
from auditwire.alerts.about_batch import bodies_quarantined, evaluation_errors
from auditwire.alerts.self_alerts import with_runbook
from auditwire.events import Reject
from occurrences import occurrence, rule_of


def reject(reason: str, kind: str = "item", raw: bytes = b"secret bytes") -> Reject:
    return Reject(kind, reason, "at byte 5", raw)  # type: ignore[arg-type]


def test_each_reason_is_one_alert_that_says_how_much_where_and_how_to_look() -> None:
    held = [(reject("wrong_type"), f"quarantine/cluster=prod/{number}.gz") for number in range(7)]
    alerts = bodies_quarantined(
        [*held, (reject("invalid_json", "body"), "quarantine/cluster=prod/b.gz")], cluster="prod", bundle="d"
    )

    assert [alert.labels for alert in alerts] == [
        {
            "alertname": "auditwire.BodiesQuarantined",
            "severity": "warning",
            "priority": "WARNING",
            "cluster": "prod",
            "reason": reason,
        }
        for reason in ("invalid_json", "wrong_type")
    ]
    body, items = alerts
    assert body.annotations["message"] == "1 body of cluster prod is in quarantine: invalid_json."
    assert items.annotations["message"] == "7 items of a body of cluster prod are in quarantine: wrong_type."
    assert (items.annotations["count"], items.count) == ("7", 7)
    assert items.annotations["quarantine_keys"] == (
        ", ".join(f"quarantine/cluster=prod/{number}.gz" for number in range(5)) + ", …"
    )
    assert items.annotations["description"].endswith("auditwire quarantine list --cluster prod --reason wrong_type")
    assert "secret bytes" not in str(alerts)


def test_nothing_in_quarantine_and_no_error_is_no_alert() -> None:
    assert bodies_quarantined([], cluster="prod", bundle="d") == []
    assert evaluation_errors({}, {}, cluster="prod", bundle="d") == []


def test_the_time_is_left_to_who_delivers_it() -> None:
    (alert,) = bodies_quarantined([(reject("truncated", "body"), "k")], cluster="prod", bundle="d")
    message = json.loads(encode_message(alert))
    assert "startsAt" not in message
    assert (message["auditwire"]["rule"], message["auditwire"]["document"]) == (
        "auditwire.BodiesQuarantined",
        "auditwire",
    )


def test_each_rule_that_cannot_judge_is_one_alert() -> None:
    alerts = evaluation_errors({"my.rules.Big": 1, "b.Small": 12}, {"my.rules.Big": "my.rules"}, cluster="c", bundle="")

    assert [(alert.labels["rule"], alert.labels.get("document"), alert.count) for alert in alerts] == [
        ("b.Small", None, 12),
        ("Big", "my.rules", 1),
    ]
    assert {alert.labels["cluster"] for alert in alerts} == {"c"}
    assert (
        alerts[1].annotations["message"]
        == "Rule my.rules.Big could not judge 1 event of cluster c, so did not match them."
    )


def test_ever_so_many_rules_give_ten_alerts() -> None:
    ten = {f"d.R{number:03}": 1 for number in range(10)}
    assert len(evaluation_errors(ten, dict.fromkeys(ten, "d"), cluster="c", bundle="")) == 10
    errors = {f"d.R{number:03}": 300 - number for number in range(300)}
    alerts = evaluation_errors(errors, dict.fromkeys(errors, "d"), cluster="c", bundle="")

    *alone, rest = alerts
    assert [alert.labels["rule"] for alert in alone] == [f"R{number:03}" for number in range(9)]
    assert "rule" not in rest.labels
    assert rest.annotations["summary"] == "291 more rules cannot judge events of cluster c"
    assert rest.annotations["rules"].startswith("d.R009, d.R010, ")
    assert sum(alert.count for alert in alerts) == sum(errors.values())


def test_our_own_alerts_name_their_runbook_and_no_others_do() -> None:
    (own,) = evaluation_errors({"d.R": 1}, {}, cluster="c", bundle="")
    assert with_runbook(own).annotations["runbook_url"] == "docs/runbooks.md#auditwireevaluationerrors"
    assert with_runbook(own, "https://wiki/r.md").annotations["runbook_url"].startswith("https://wiki/r.md#auditwire")
    (ordinary,) = fold([occurrence()], cluster="prod", bundle="d")
    assert with_runbook(ordinary) is ordinary
    theirs = occurrence(rule=rule_of(document="auditwire", annotations={"runbook_url": "https://wiki/x"}))
    (alert,) = fold([theirs], cluster="prod", bundle="d")
    assert with_runbook(alert).annotations["runbook_url"] == "https://wiki/x"
