"""The test alert of `auditwire doctor`: raised whatever the rules say, for the reserved cluster only."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from auditwire.alerts import encode_message, read_message
from auditwire.alerts.doctor_test import DOCTOR_TEST, doctor_test
from auditwire.clusters import DOCTOR_CLUSTER, Cluster, Credential
from auditwire.rules import RuleSet
from local_road import body_of, exec_event
from memory_road import OneCluster, Road
from rule_texts import rule_set_of

# Nothing of Kubernetes is taken, and everything would alert.
CONTRARY = rule_set_of(
    """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {name: w}
spec: {k8sAuditingEnabled: false, auditLevel: None}
""",
    """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {name: all, labels: {type: alerting}}
spec: {rules: [{name: Everything, type: rule, priority: WARNING, condition: 'Verb != "x"'}]}
""",
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata, users: [nobody]}]\n",
)


@dataclass
class Contrary:
    def current(self) -> RuleSet:
        return CONTRARY


class Doctor(OneCluster):
    """A directory whose credential is that of the doctor."""

    def identify(self, credential: Credential | None) -> Cluster | None:
        return Cluster(DOCTOR_CLUSTER) if super().identify(credential) else None


def test_the_event_of_the_doctor_is_archived_and_raises_its_alert_alone_whatever_the_rules_say() -> None:
    road = Road(directory=Doctor(), rules=Contrary())
    assert road.post(body_of(exec_event(1))).status == 200
    (line,) = road.lines()
    assert line["_auditwire"]["archiving"] == ["auditwire.DoctorTest"]
    (alert,) = road.publisher.alerts
    assert (alert.rule, alert.labels["severity"], alert.priority) == (DOCTOR_TEST, "none", "DEBUG")
    assert alert.labels["run"] == exec_event(1)["auditID"]


def test_no_other_cluster_raises_it() -> None:
    road = Road()
    assert road.post(body_of(exec_event(1))).status == 200
    assert DOCTOR_TEST not in {alert.rule for alert in road.publisher.alerts}
    assert doctor_test(["a"], cluster="auditwire-doctor2", bundle="") == []
    assert doctor_test([], cluster=DOCTOR_CLUSTER, bundle="") == []


def test_it_ends_within_a_minute_and_others_after_their_time() -> None:
    now, hour = datetime(2026, 11, 22, tzinfo=UTC), timedelta(hours=1)
    (test,) = doctor_test(["a"], cluster=DOCTOR_CLUSTER, bundle="")
    posted = json.loads(read_message(encode_message(test).decode()).as_posted(now, hour))
    assert posted["endsAt"] == "2026-11-22T00:01:00.000000Z"
    other = json.loads(read_message('{"labels": {"alertname": "DoctorTest"}}').as_posted(now, hour))
    assert other["endsAt"] == "2026-11-22T01:00:00.000000Z"
    short = json.loads(read_message(encode_message(test).decode()).as_posted(now, timedelta(seconds=30)))
    assert short["endsAt"] == "2026-11-22T00:00:30.000000Z"
