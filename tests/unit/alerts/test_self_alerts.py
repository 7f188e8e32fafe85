"""Alerts about auditwire itself."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from auditwire.alerts import (
    MemoryPublisher,
    NotPublishedError,
    Published,
    encode_message,
    publish_self_alert,
    rules_refused,
)
from auditwire.alerts.alert import Alert
from auditwire.documents.diagnostics import Diagnostic, Severity

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
ERROR = Diagnostic(
    code="AW102",
    severity=Severity.ERROR,
    message="there is no field 'Vreb' in an audit event",
    path="mine.yaml",
    line=14,
    column=7,
    source="secret document text",
)
WARNING = Diagnostic(code="AW208", severity=Severity.WARNING, message="a warning", path="a.yaml", line=1, column=1)


def test_a_refused_upload_names_the_places_and_what_stays() -> None:
    alert = rules_refused([WARNING, ERROR], "d" * 64, "a" * 64, "rules-bucket", NOW)

    assert alert.labels == {
        "alertname": "auditwire.RulesRefused",
        "severity": "warning",
        "priority": "WARNING",
        "bucket": "rules-bucket",
    }
    assert alert.annotations["summary"] == "The rules uploaded to s3://rules-bucket/rules/ are refused"
    assert alert.annotations["message"] == (
        "The uploaded rules have 1 error, the rules before them stay in force (bundle aaaaaaaaaaaa)."
    )
    assert alert.annotations["description"] == "mine.yaml:14:7: AW102 there is no field 'Vreb' in an audit event"
    assert alert.annotations["report"] == "s3://rules-bucket/status.json"
    assert (alert.rule, alert.bundle, alert.first) == (
        "auditwire.RulesRefused",
        "a" * 64,
        "2026-11-22T12:30:00.000000Z",
    )
    message = json.loads(encode_message(alert))
    assert message["auditwire"]["document"] == "auditwire"
    assert "secret document text" not in str(message)


def test_many_errors_are_counted_and_the_default_rules_named() -> None:
    alert = rules_refused([ERROR] * 7, "d", None, "b", NOW)

    assert alert.annotations["message"] == "The uploaded rules have 7 errors, the default rules stay in force."
    assert alert.annotations["description"].endswith("; and 2 more")
    assert alert.bundle == ""


def test_publishing_raises_where_the_topic_does_not_take_it() -> None:
    class Closed:
        def publish(self, alerts: Sequence[Alert], deadline: float) -> Published[Alert]:
            return Published(failed=list(alerts))

    alert = rules_refused([ERROR], "d", None, "b", NOW)
    publisher = MemoryPublisher()
    publish_self_alert(publisher, alert, 0)

    assert publisher.alerts == [alert]
    with pytest.raises(NotPublishedError, match=r"auditwire\.RulesRefused"):
        publish_self_alert(Closed(), alert, 0)
