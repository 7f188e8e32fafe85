"""What becomes of each event of a batch."""

from auditwire.pipeline import decide_batch
from auditwire.rules import RuleSet, Source, default_rules, load_sources
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
    sources = [source for source in default_rules() if source.path != "webhook.yaml"]
    rule_set = load_sources([*sources, webhook]).rule_set
    assert rule_set is not None
    return rule_set


HOST_NETWORK = {"spec": {"hostNetwork": True}}


def test_every_event_is_kept_or_ignored_for_a_reason() -> None:
    events = [event(verb="get"), event(verb="create", body=HOST_NETWORK), event(verb="delete"), event(level="None")]

    decisions = decide_batch(events, sender="kubernetes", rules=rules())

    assert [kept.position for kept in decisions.kept] == [1, 2]
    assert decisions.ignored == {"no_rule": 1, "level_none": 1}
    assert decisions.kept[0].verdict.archiving == ("archiving-rule.archiving",)
    assert decisions.kept[0].verdict.alerting == ("alerting-rule.ResourceChange", "alerting-rule.CreateHostnetworkPod")
    assert [rule.name for rule in decisions.kept[0].verdict.alerts] == ["CreateHostnetworkPod"]


def test_the_audit_level_trims_what_kubesphere_sent_after_the_rules_saw_it() -> None:
    sent = event(verb="create", body=HOST_NETWORK)

    (kept,) = decide_batch([sent], sender="kubesphere", rules=rules("Metadata")).kept

    assert kept.verdict.outcome == "alert"
    assert kept.event.requestBody is None
    assert kept.event.level == "Metadata"
    assert sent.requestBody == HOST_NETWORK


def test_the_audit_level_leaves_kubernetes_alone() -> None:
    (kept,) = decide_batch([event(verb="create", body=HOST_NETWORK)], sender="kubernetes", rules=rules("None")).kept

    assert kept.event.requestBody == HOST_NETWORK


def test_level_none_drops_every_event_of_kubesphere() -> None:
    decisions = decide_batch([event(verb="create")], sender="kubesphere", rules=rules("None"))

    assert decisions.kept == []
    assert decisions.ignored == {"level_none": 1}


def test_kubernetes_is_dropped_and_counted_where_the_setting_says_so() -> None:
    settings = rules(enabled=False)

    assert decide_batch([event()], sender="kubernetes", rules=settings).ignored == {"k8s_auditing_disabled": 1}
    assert decide_batch([event(verb="delete")], sender="kubesphere", rules=settings).kept
    # A credential for any sender leaves it to the casing of the keys, which is Kubernetes' here.
    assert decide_batch([event()], sender="any", rules=settings).ignored == {"k8s_auditing_disabled": 1}


def test_one_audit_id_on_two_different_events_is_counted_a_repeat_is_not() -> None:
    first, again, forged = event(verb="delete"), event(verb="delete"), event(verb="create")

    decisions = decide_batch([first, again, forged], sender="kubernetes", rules=rules())

    assert decisions.conflicts == 1
    assert len(decisions.kept) == 3
