"""What becomes of events whose bodies did not arrive, on the whole road in memory."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit_events import event_list, item, text_of
from auditwire.ingest.account import Account
from auditwire.ingest.ingest import Answer
from auditwire.rules import RuleSet
from envelopes import cloudwatch
from memory_road import RECEIVED, Road
from rule_texts import document, rule, rule_set_of


@dataclass
class GivenRules:
    """A source that always has these rules."""

    rules: RuleSet

    def current(self) -> RuleSet:
        return self.rules


def body_of(*items: Any) -> bytes:
    return event_list([text_of(one) for one in items])


def account(answer: Answer) -> Account:
    assert answer.status == 200
    assert answer.account is not None
    return answer.account


PRIVILEGED = document(rule('Verb = "create" and RequestObject.spec.hostNetwork = true', name="HostNetwork"))
EVERYTHING = document(rule("Verb exists"), name="everything", kind="archiving")
ARCHIVE_ONLY = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
spec: {k8sAuditingEnabled: true, missingBodies: archive}
"""


def truncated(**changes: Any) -> dict[str, Any]:
    """An event whose bodies kube-apiserver left out."""
    return item(verb="create", annotations={"audit.k8s.io/truncated": "true"}, **changes)


def test_a_body_that_is_missing_alerts_where_a_rule_would_need_it() -> None:
    road = Road(rules=GivenRules(rule_set_of(PRIVILEGED, EVERYTHING)))
    events = [truncated(auditID="a"), truncated(auditID="b"), truncated(auditID="c", user={"username": "bob"})]

    counted = account(road.post(body_of(*events, item(auditID="d"))))

    assert [alert.labels for alert in road.publisher.alerts] == [
        {
            "alertname": "auditwire.BodyMissing", "severity": "warning", "priority": "WARNING", "cluster": "prod",
            "rule": "HostNetwork", "document": "mine", "user": user,
        }
        for user in ("alice", "bob")
    ]  # fmt: skip
    first = road.publisher.alerts[0]
    assert (first.count, first.audit_ids) == (2, ("a", "b"))
    assert first.annotations["missing"] == "requestObject"
    assert first.annotations["archive_key"] == counted.objects[0]
    assert first.first == "2026-11-21T22:05:00.140001Z"
    assert [line["_auditwire"].get("undecided") for line in road.lines()] == [["mine.HostNetwork"]] * 3 + [None]
    assert (counted.archived, counted.alerted, counted.evaluation_errors) == (4, 0, {})
    assert counted.flags == {"bodies_skipped": 3}
    assert counted.metrics()["BodiesSkipped"] == 3


def test_a_repeated_batch_gives_the_same_alerts_about_missing_bodies() -> None:
    road = Road(rules=GivenRules(rule_set_of(PRIVILEGED)))
    body = body_of(truncated(auditID="a"), truncated(auditID="c", user={"username": "bob"}))

    road.post(body)
    first = list(road.publisher.alerts)
    road.post(body, received=RECEIVED + timedelta(minutes=3))

    assert road.publisher.alerts == [*first, *first]


def test_missing_bodies_are_only_archived_where_the_settings_say_so() -> None:
    road = Road(rules=GivenRules(rule_set_of(PRIVILEGED, ARCHIVE_ONLY)))

    counted = account(road.post(body_of(truncated())))

    assert road.publisher.alerts == []
    assert (counted.archived, counted.alerted) == (1, 0)
    assert [line["_auditwire"]["undecided"] for line in road.lines()] == [["mine.HostNetwork"]]


def test_an_object_that_was_padded_until_it_was_cut_alerts() -> None:
    road = Road(rules=GivenRules(rule_set_of(PRIVILEGED)))

    sent = item(verb="create")
    stage_time = sent.pop("stageTimestamp")
    sent |= {"requestObject": {"spec": {"hostNetwork": True}, "x": "y" * 500}, "stageTimestamp": stage_time}
    text = text_of(sent).decode()[:-200] + "[Truncated...]"

    counted = account(road.post(json.dumps(cloudwatch([text])).encode()))

    (alert,) = road.publisher.alerts
    assert (alert.labels["alertname"], alert.labels["rule"]) == ("auditwire.BodyMissing", "HostNetwork")
    assert "requestObject" in alert.annotations["missing"]
    assert counted.flags["cut_off"] == 1
