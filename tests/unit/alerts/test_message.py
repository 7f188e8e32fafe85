"""The message on the topic: an Alertmanager v2 alert and what we add, within what SNS takes."""

import json
import re

from auditwire.alerts import Alert, attributes_of, encode_message, fold
from auditwire.alerts.wire import wire_form
from occurrences import occurrence, rule_of


def alert_of(**changes: object) -> Alert:
    (alert,) = fold([occurrence(**changes)], cluster="prod", bundle="digest", archive_url="https://console/")  # type: ignore[arg-type]
    return alert


def test_a_message_is_an_alert_that_any_alertmanager_takes_and_one_key_more() -> None:
    alert = alert_of()
    message = json.loads(encode_message(alert))
    assert message == {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": "2026-11-21T22:05:00.000000Z",
        "generatorURL": alert.generator_url,
        "auditwire": {
            "first": "2026-11-21T22:05:00.000000Z",
            "last": "2026-11-21T22:05:00.000000Z",
            "rule": "alerting-rule.CreatePod",
            "document": "alerting-rule",
            "bundle": "digest",
            "count": 1,
            "auditIDs": ["id-0"],
        },
    }


def test_attributes_are_for_filter_policies_and_never_empty() -> None:
    assert attributes_of(alert_of()) == {
        "rule": "alerting-rule.CreatePod",
        "priority": "WARNING",
        "cluster": "prod",
        "namespace": "default",
    }
    cluster_wide = alert_of(objectRef=occurrence().event.objectRef.__class__(resource="nodes"))
    assert "namespace" not in attributes_of(cluster_wide)


def test_what_xml_forbids_is_escaped_and_still_the_same_json() -> None:
    alert = alert_of()
    odd = Alert(**{name: getattr(alert, name) for name in alert.__slots__} | {"bundle": "\ufffe\uffff\x01\\ufffe"})
    message = encode_message(odd)
    assert not re.search("[\x00-\x1f\ufffe\uffff]", message.decode())
    assert json.loads(message)["auditwire"]["bundle"] == "\ufffe\uffff\x01\\ufffe"


def test_a_message_never_exceeds_its_bound() -> None:
    own = {f"n{number:03}": "🎉" * 5_000 for number in range(60)}
    alert = alert_of(rule=rule_of(labels=own, annotations=own), userAgent="🎉" * 5_000, message="🎉" * 1_000)
    message = encode_message(alert)
    assert len(message) <= len(wire_form(message.decode()).message.encode()) <= 200_000
    cut = json.loads(message)
    assert cut["labels"] == alert.labels
    assert set(cut["annotations"]) == set(alert.annotations)


def test_even_the_widest_alert_there_can_be_fits() -> None:
    own = {f"n{number:03}": "\\" * 5_000 for number in range(60)}
    alert = alert_of(rule=rule_of(labels=own, annotations=own), objectRef=occurrence().event.objectRef)
    assert len(wire_form(encode_message(alert).decode()).message) <= 200_000
