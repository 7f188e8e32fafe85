"""What becomes of each event of a batch."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from auditwire.events import Event, ObjectRef, decode, settle
from auditwire.pipeline import Decisions, Passed, decide_batch
from auditwire.rules import RuleSet, Source, default_rules, load_sources
from auditwire.senders.kind import SenderKind
from made_events import event
from rule_texts import document, rule, rule_set_of

WEBHOOK = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {{name: w}}
spec: {{auditLevel: {level}, k8sAuditingEnabled: {enabled}}}
"""


def rules(level: str = "RequestResponse", *, enabled: bool = True) -> RuleSet:
    """The default rules with these settings."""
    webhook = Source("webhook.yaml", WEBHOOK.format(level=level, enabled=str(enabled).lower()))
    sources = [source for source in default_rules() if source.path not in ("webhook.yaml", "policy.yaml")]
    rule_set = load_sources([*sources, webhook]).rule_set
    assert rule_set is not None
    return rule_set


HOST_NETWORK = {"spec": {"hostNetwork": True}}


def test_every_event_is_kept_or_ignored_for_a_reason() -> None:
    events = [event(verb="get"), event(verb="create", body=HOST_NETWORK), event(verb="delete"), event(level="None")]

    decisions = decide_batch(events, sender=SenderKind.KUBERNETES, rules=rules())

    assert [kept.position for kept in decisions.kept] == [1, 2]
    assert decisions.ignored == {"no_rule": 1, "level_none": 1}
    assert decisions.kept[0].verdict.archiving == ("archiving-rule.archiving",)
    assert decisions.kept[0].verdict.alerting == ("alerting-rule.ResourceChange", "alerting-rule.CreateHostnetworkPod")
    assert [rule.name for rule in decisions.kept[0].verdict.alerts] == ["CreateHostnetworkPod"]


def test_the_audit_level_trims_what_kubesphere_sent_after_the_rules_saw_it() -> None:
    sent = event(verb="create", body=HOST_NETWORK)

    (kept,) = decide_batch([sent], sender=SenderKind.KUBESPHERE, rules=rules("Metadata")).kept

    assert kept.verdict.outcome == "alert"
    assert kept.event.requestBody is None
    assert kept.event.level == "Metadata"
    assert sent.requestBody == HOST_NETWORK


def test_the_audit_level_leaves_kubernetes_alone() -> None:
    (kept,) = decide_batch(
        [event(verb="create", body=HOST_NETWORK)], sender=SenderKind.KUBERNETES, rules=rules("None")
    ).kept

    assert kept.event.requestBody == HOST_NETWORK


def test_level_none_drops_every_event_of_kubesphere() -> None:
    decisions = decide_batch([event(verb="create")], sender=SenderKind.KUBESPHERE, rules=rules("None"))

    assert decisions.kept == []
    assert decisions.ignored == {"level_none": 1}


def test_kubernetes_is_dropped_and_counted_where_the_setting_says_so() -> None:
    settings = rules(enabled=False)

    assert decide_batch([event()], sender=SenderKind.KUBERNETES, rules=settings).ignored == {"k8s_auditing_disabled": 1}
    assert decide_batch([event(verb="delete")], sender=SenderKind.KUBESPHERE, rules=settings).kept
    # A credential for any sender leaves it to the casing of the keys, which is Kubernetes' here.
    assert decide_batch([event()], sender=SenderKind.ANY, rules=settings).ignored == {"k8s_auditing_disabled": 1}


def test_one_audit_id_on_two_different_events_is_counted_a_repeat_is_not() -> None:
    first, again, forged = event(verb="delete"), event(verb="delete"), event(verb="create")

    decisions = decide_batch([first, again, forged], sender=SenderKind.KUBERNETES, rules=rules())

    assert decisions.conflicts == 1
    assert len(decisions.kept) == 3


POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  users: [system:kube-proxy]
- level: Metadata
  resources: [{group: "", resources: [secrets]}]
- level: Request
"""


def with_policy() -> RuleSet:
    """The default rules behind a policy."""
    sources = [source for source in default_rules() if source.path != "policy.yaml"]
    rule_set = load_sources([*sources, Source("policy.yaml", POLICY)]).rule_set
    assert rule_set is not None
    return rule_set


def test_what_the_policy_leaves_out_is_ignored_before_any_rule_sees_it() -> None:
    events = [
        event(verb="delete", user="system:kube-proxy"),
        event(verb="delete", stage="RequestReceived"),
        event(verb="delete"),
    ]

    decisions = decide_batch(events, sender=SenderKind.KUBERNETES, rules=with_policy())

    assert decisions.ignored == {"policy_none": 1, "policy_stage": 1}
    assert [kept.position for kept in decisions.kept] == [2]


def test_the_policy_lowers_the_level_of_what_is_stored_whoever_sent_it() -> None:
    body = {"spec": {"hostNetwork": True}, "metadata": {"managedFields": [1]}}
    pod, secret = event(verb="create", body=body), event(verb="create", resource="secrets", body=body)

    for sender in (SenderKind.KUBERNETES, SenderKind.KUBESPHERE):
        kept = decide_batch([pod, secret], sender=sender, rules=with_policy()).kept

        assert [one.event.level for one in kept] == ["Request", "Metadata"]
        assert kept[0].event.requestBody == {"spec": {"hostNetwork": True}, "metadata": {}}
        assert kept[1].event.requestBody is None
        assert kept[0].verdict.outcome == "alert"


def test_the_lower_of_policy_and_audit_level_holds_for_kubesphere() -> None:
    documents = [Source("policy.yaml", POLICY), Source("w.yaml", WEBHOOK.format(level="Metadata", enabled="true"))]
    rule_set = load_sources([*(one for one in default_rules() if one.path.endswith("-rule.yaml")), *documents]).rule_set
    assert rule_set is not None

    (kept,) = decide_batch([event(verb="create", body={"a": 1})], sender=SenderKind.KUBESPHERE, rules=rule_set).kept

    assert (kept.event.level, kept.event.requestBody) == ("Metadata", None)


def test_nothing_but_its_time_and_flags_remains_of_an_ignored_event() -> None:
    ignored = event()
    settle(ignored, cluster="prod", received=datetime(2026, 11, 21, 22, 10, tzinfo=UTC))

    decisions = decide_batch(
        [event(verb="create", body=HOST_NETWORK), ignored], sender=SenderKind.KUBERNETES, rules=rules()
    )

    assert decisions.seen == [decisions.kept[0].event, Passed(ignored.stageTimestamp, ignored.flags)]
    assert decisions.ignored == {"no_rule": 1}


def test_bodies_decoded_for_a_rule_are_let_go() -> None:
    (kept,) = decide_batch([event(verb="create", body=HOST_NETWORK)], sender=SenderKind.KUBERNETES, rules=rules()).kept

    assert "requestBody" not in vars(kept.event)
    assert kept.event.requestBody == HOST_NETWORK


def test_a_policy_drops_no_event_of_which_it_cannot_know_whose_and_what_it_is() -> None:
    policy = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [Panic]
rules:
- {level: None, nonResourceURLs: ["/api*"]}
- {level: Request}
"""
    sources = [source for source in default_rules() if source.path != "policy.yaml"]
    loaded = load_sources([*sources, Source("policy.yaml", policy)]).rule_set
    assert loaded is not None

    def cut(*unknown: str, stage: str = "ResponseComplete") -> Event:
        one = event(verb="delete", body={"kind": "DeleteOptions"}, stage=stage)
        one.objectRef = ObjectRef()
        one.unknown_paths = frozenset(unknown)
        return one

    def decided(one: Event) -> Decisions:
        return decide_batch([one], sender=SenderKind.KUBERNETES, rules=loaded)

    assert decided(cut()).ignored == {"policy_none": 1}
    for unknown in ("user", "objectRef", "requestURI"):
        (kept,) = decided(cut(unknown)).kept
        assert (kept.event.requestObject, kept.event.level) == (None, "Metadata")
        assert decided(cut(unknown, stage="Panic")).ignored == {"policy_stage": 1}
    # Missing bodies are nothing that a policy looks at.
    assert decided(cut("requestObject")).ignored == {"policy_none": 1}


ASKED = {"requestReceivedTimestamp": "2026-11-21T22:05:00.000000Z"}


def received(**changes: Any) -> Event:
    """A patch that came in."""
    return event(**{"verb": "patch", "user": "mallory", "stage": "RequestReceived", **ASKED, **changes})


def completed(**changes: Any) -> Event:
    return event(**{"verb": "patch", "user": "mallory", **ASKED, **changes})


def alerting_on_patches() -> RuleSet:
    """Rules under which every patch alerts; without a policy."""
    return rule_set_of(document(rule('Verb = "patch"')))


@pytest.mark.parametrize("later", ["ResponseComplete", "ResponseStarted", "Panic"])
def test_a_request_that_came_in_never_alerts_where_a_later_stage_is_in_its_batch(later: str) -> None:
    for events in ([received(), completed(stage=later)], [completed(stage=later), received()]):
        decisions = decide_batch(events, sender=SenderKind.KUBERNETES, rules=alerting_on_patches())

        found = {kept.event.stage: (kept.verdict.outcome, len(kept.verdict.alerts)) for kept in decisions.kept}
        assert found == {"RequestReceived": ("archive", 0), later: ("alert", 1)}
        assert all(not kept.event.flags for kept in decisions.kept)
        assert decisions.kept[0].verdict.alerting == ("mine.r",)


@pytest.mark.parametrize(
    "other",
    [
        completed(auditID="another"),
        completed(verb="update"),
        completed(user="bob"),
        completed(requestURI="/api/v1/namespaces/shop/pods/another"),
        completed(requestReceivedTimestamp="2026-11-21T22:05:00.000001Z"),
        completed(requestReceivedTimestamp=None),
        received(),
        completed(stage="Later"),
    ],
)
def test_one_whose_end_is_not_there_is_judged_and_flagged_whatever_bears_its_audit_id(other: Event) -> None:
    decisions = decide_batch([other, received()], sender=SenderKind.KUBERNETES, rules=alerting_on_patches())

    kept = decisions.kept[-1]
    assert (kept.verdict.outcome, kept.event.flags) == ("alert", ("unfinished",))
    assert decisions.seen[-1].flags == ("unfinished",)


def test_a_time_is_the_same_however_it_is_written() -> None:
    sent = {"level": "Request", "auditID": "a", "verb": "patch", "user": {"username": "ann"}}
    bodies = [
        {**sent, "stage": "RequestReceived", "requestReceivedTimestamp": "2026-11-21T22:05:00.1Z"},
        {**sent, "stage": "ResponseComplete", "requestReceivedTimestamp": "2026-11-21T23:05:00.100000+01:00"},
    ]
    events = list(decode("\n".join(map(json.dumps, bodies)).encode()).events)
    for one in events:
        settle(one, cluster="prod", received=datetime(2026, 11, 21, 22, 6, tzinfo=UTC))

    decisions = decide_batch(events, sender=SenderKind.KUBERNETES, rules=alerting_on_patches())

    assert [kept.verdict.outcome for kept in decisions.kept] == ["archive", "alert"]


def test_what_no_rule_keeps_is_ignored_and_not_flagged() -> None:
    decisions = decide_batch([received(verb="get")], sender=SenderKind.KUBERNETES, rules=alerting_on_patches())

    assert decisions.ignored == {"no_rule": 1}
    assert decisions.seen[0].flags == ()


def test_an_undecided_rule_does_not_alert_either_where_the_end_is_there() -> None:
    first, last = received(), completed()
    first.unknown_paths = last.unknown_paths = frozenset(("requestObject",))
    rules = rule_set_of(document(rule("RequestObject.spec exists")))

    decisions = decide_batch([first, last], sender=SenderKind.KUBERNETES, rules=rules)

    assert [len(kept.verdict.might_alert) for kept in decisions.kept] == [0, 1]


def test_the_default_policy_keeps_the_first_stage_of_patches_only() -> None:
    default = load_sources(default_rules()).rule_set
    assert default is not None

    kept = [
        verb
        for verb in ("patch", "create", "update", "delete", "get")
        if decide_batch([received(verb=verb)], sender=SenderKind.KUBERNETES, rules=default).kept
    ]

    assert kept == ["patch"]
    for resource in ("secrets", "pods"):
        (one,) = decide_batch([received(resource=resource)], sender=SenderKind.KUBERNETES, rules=default).kept
        assert one.event.flags == ("unfinished",)
        assert (one.event.level == "Metadata") is (resource == "secrets")
