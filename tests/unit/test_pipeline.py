"""What becomes of each event of a batch."""

from datetime import UTC, datetime

from auditwire.events import Event, ObjectRef, settle
from auditwire.pipeline import Decisions, Passed, decide_batch
from auditwire.rules import RuleSet, Source, default_rules, load_sources
from auditwire.senders.kind import SenderKind
from made_events import event

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
