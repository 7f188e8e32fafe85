"""Why a rule alerts, or the first reason why it does not."""

import pytest

from auditwire.analysis.explain import explain
from auditwire.rules import RuleSet
from auditwire.senders.kind import SenderKind
from made_events import event
from rule_texts import document, rule, rule_set_of

POLICY = (
    "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
    "omitStages: [{}]\nrules: [{{level: {}, verbs: [get]}}, {{level: Request}}]\n"
)
WEBHOOK = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {{name: settings}}
spec: {{k8sAuditingEnabled: {}, archivingPriority: INFO, auditLevel: RequestResponse}}
"""


def rules(condition: str = 'Verb = "get"', *more: str, priority: str = "WARNING", kind: str = "alerting") -> RuleSet:
    return rule_set_of(document(rule(condition, priority=priority), kind=kind), *more)


@pytest.mark.parametrize(
    ("rule_set", "matched", "verdict", "first"),
    [
        (rules(), True, "alert", "the rule matches and alerts: its priority WARNING is at least WARNING"),
        (
            rules(priority="INFO"), True, "archive",
            "the rule matches but does not alert: its priority INFO is below alertingPriority WARNING",
        ),
        (
            rules('Verb = "get"', WEBHOOK.format("true"), priority="DEBUG", kind="archiving"), True, "ignore",
            "the rule matches but archives nothing: its priority DEBUG is below archivingPriority INFO",
        ),
        (
            rules(kind="archiving"), True, "archive",
            "the rule matches and archives; its document is not an alerting one, so it never alerts",
        ),
        (rules('Verb = "list"'), False, "ignore", 'Verb = "list" is false: it is "get"'),
        (
            rules('Verb = "get"', POLICY.format("ResponseComplete", "Request")), True, "ignore",
            "the audit policy drops the event before any rule: it omits the stage ResponseComplete",
        ),
        (
            rules('Verb = "get"', POLICY.format("", "None")), True, "ignore",
            "the audit policy drops the event before any rule: its level for this request is None",
        ),
        (
            rules('Verb = "get"', WEBHOOK.format("false")), True, "ignore",
            "the event is dropped before any rule: k8sAuditingEnabled is false",
        ),
        (rules("User.Username > 1"), False, "ignore",
         "the rule cannot judge the event, so it does not match: 'ann' is not a number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_first_reason_comes_first(rule_set: RuleSet, matched: bool, verdict: str, first: str) -> None:
    (asked,) = (*rule_set.archiving, *rule_set.alerting)

    found = explain(event(), asked, rule_set, sender=SenderKind.KUBERNETES)

    assert (found.matched, found.verdict, found.because[0]) == (matched, verdict, first)


def test_a_body_that_was_not_recorded_is_a_reason() -> None:
    rule_set = rules("RequestObject.spec.hostNetwork = true")

    found = explain(event(level="Metadata"), rule_set.alerting[0], rule_set)

    assert found.because == (
        "RequestObject.spec.hostNetwork = true is false: it is missing",
        "the event has no requestObject: it was recorded at level Metadata",
    )
