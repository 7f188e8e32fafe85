"""The settings of a Webhook document, and the user's own examples."""

import base64

import pytest

from auditwire.events import Level
from auditwire.rules import Priority, Settings, Source, load_sources
from auditwire.rules.settings import Requirement, Selector

HEADER = "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Webhook\nmetadata: {name: w}\nspec:\n"

GUIDE_EXAMPLE = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata:
  name: kube-auditing-webhook
spec:
  auditLevel: RequestResponse
  auditSinkPolicy:
    alertingRuleSelector:
      matchLabels:
        type: alerting
    archivingRuleSelector:
      matchLabels:
        type: persistence
  image: kubesphere/kube-auditing-webhook:v0.1.0
  archivingPriority: DEBUG
  alertingPriority: WARNING
  replicas: 2
  receivers:
    - name: alert
      type: alertmanager
      config:
        service:
          namespace: kubesphere-monitoring-system
          name: alertmanager-main
          port: 9093
"""

ARCHIVING_RULE = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata:
  labels: {type: archiving}
  name: archiving-rule
spec:
  rules:
  - {name: archiving, type: rule, priority: DEBUG, condition: 'Verb exists'}
"""


def settings(spec: str) -> tuple[Settings | None, list[str]]:
    """The settings of a spec, and the codes and messages of what was found."""
    loaded = load_sources([Source("w.yaml", HEADER + spec)])
    found = [f"{one.line}:{one.column} {one.severity} {one.code}: {one.message}" for one in loaded.diagnostics]
    return (loaded.rule_set.settings if loaded.rule_set else None), found


def test_without_a_document_the_defaults_of_the_guide_hold_and_kubernetes_is_taken() -> None:
    loaded = load_sources([])

    assert loaded.rule_set is not None
    assert loaded.rule_set.settings == Settings(
        audit_level=Level.METADATA,
        archiving_priority=Priority.DEBUG,
        alerting_priority=Priority.WARNING,
        k8s_auditing_enabled=True,
        archiving_selector=Selector({"type": "archiving"}),
        alerting_selector=Selector({"type": "alerting"}),
        receivers=(),
    )


def test_a_document_that_says_nothing_of_kubernetes_drops_it_with_a_warning() -> None:
    found, complaints = settings("  auditLevel: Request\n")

    assert found is not None
    assert found.audit_level == Level.REQUEST
    assert not found.k8s_auditing_enabled
    assert complaints == [
        "1:1 warning AW210: k8sAuditingEnabled is not set, which means false: events of Kubernetes senders are dropped"
    ]


@pytest.mark.parametrize("spec", ["  k8sAuditingEnabled: true\n", "  auditing: {k8sAuditingEnabled: true}\n"])
def test_both_places_of_the_guide_switch_kubernetes_on(spec: str) -> None:
    found, complaints = settings(spec)

    assert found is not None
    assert found.k8s_auditing_enabled
    assert complaints == []


def test_the_example_of_the_guide_loads_and_says_what_in_it_does_nothing() -> None:
    loaded = load_sources([Source("guide.yaml", GUIDE_EXAMPLE), Source("rules.yaml", ARCHIVING_RULE)])

    assert loaded.rule_set is not None
    assert loaded.rule_set.settings.receivers[0].url == (
        "http://alertmanager-main.kubesphere-monitoring-system.svc:9093"
    )
    assert loaded.rule_set.archiving == ()
    service = "kubesphere-monitoring-system/alertmanager-main"
    messages = [f"{found.line} {found.code}: {found.message}" for found in loaded.diagnostics]
    assert messages == [
        "1 AW210: k8sAuditingEnabled is not set, which means false: events of Kubernetes senders are dropped",
        "9 AW208: the alerting selector (type: alerting) selects no document, so no rule is used for alerting",
        "12 AW208: the archiving selector (type: persistence) selects no document, so no rule is used for archiving",
        "14 AW209: spec.image has no effect here",
        "17 AW209: spec.replicas has no effect here",
        f"23 AW211: the service {service} can be reached only from inside its cluster's network",
        "1 AW208: no selector selects the document archiving-rule, so its rules have no effect",
    ]


def test_selectors_take_labels_and_expressions() -> None:
    found, complaints = settings(
        "  k8sAuditingEnabled: true\n"
        "  auditSinkPolicy:\n"
        "    alertingRuleSelector:\n"
        "      matchLabels: {team: a}\n"
        "      matchExpressions:\n"
        "      - {key: type, operator: In, values: [alerting, paging]}\n"
        "      - {key: draft, operator: DoesNotExist}\n"
    )

    assert complaints == []
    assert found is not None
    selector = found.alerting_selector
    assert selector.requirements == (
        Requirement("type", "In", frozenset(("alerting", "paging"))),
        Requirement("draft", "DoesNotExist"),
    )
    assert selector.selects({"team": "a", "type": "paging"})
    assert not selector.selects({"team": "a", "type": "paging", "draft": ""})
    assert not selector.selects({"team": "b", "type": "paging"})
    assert Selector({}, (Requirement("x", "NotIn", frozenset("ab")),)).selects({})
    assert not Selector({}, (Requirement("x", "Exists"),)).selects({})


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("  auditLevel: Everything\n", "5:15 error AW206: spec.auditLevel cannot be 'Everything'"),
        ("  archivingPriority: debug\n", "5:22 error AW206: spec.archivingPriority cannot be 'debug'"),
        ("  k8sAuditingEnabled: maybe\n", "5:23 error AW204: k8sAuditingEnabled must be true or false, not a text"),
        ("  auditlevel: Request\n", "5:3 error AW203: spec has no field 'auditlevel'"),
        ("  receivers: [{config: {}}]\n", "5:15 error AW205: a receiver needs either config.url or config.service"),
        (
            "  receivers: [{config: {url: 'https://u:p@am'}}]\n",
            "5:30 error AW206: a document must not contain a credential",
        ),
        ("  receivers: [{config: {url: 'ftp://am'}}]\n", "5:30 error AW206: 'ftp://am' is not an http or https URL"),
        (
            "  receivers: [{config: {url: 'https://am', caBundle: eA==}}]\n",
            "5:54 error AW206: caBundle is not a base64 encoded PEM certificate",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_refused(spec: str, complaint: str) -> None:
    found, complaints = settings(spec)

    assert found is None
    assert complaint in complaints


def test_a_receiver_has_a_url_and_may_bring_its_certificate() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    bundle = base64.b64encode(pem.encode()).decode()
    found, complaints = settings(
        "  k8sAuditingEnabled: true\n"
        f"  receivers: [{{name: am, type: alertmanager, config: {{url: 'https://am:9093/', caBundle: {bundle}}}}}]\n"
    )

    assert complaints == []
    assert found is not None
    assert [(one.name, one.url, one.ca_bundle) for one in found.receivers] == [("am", "https://am:9093", pem)]


@pytest.mark.parametrize(("given", "found"), [("alert", "alert"), ("archive", "archive"), (None, "alert")])
def test_missing_bodies_alert_unless_the_document_says_that_they_are_archived(given: str | None, found: str) -> None:
    more = "" if given is None else f"  missingBodies: {given}\n"
    read, _ = settings(f"  k8sAuditingEnabled: true\n{more}")

    assert read is not None
    assert read.missing_bodies == found


def test_another_word_for_missing_bodies_is_an_error() -> None:
    read, found = settings("  k8sAuditingEnabled: true\n  missingBodies: ignore\n")

    assert read is None
    assert found[0].startswith("6:18 error AW206: spec.missingBodies cannot be 'ignore'")


def test_what_a_site_knows_to_be_a_secret() -> None:
    read, found = settings(
        "  k8sAuditingEnabled: true\n  redact:\n"
        "  - {path: 'spec.users[*].password', resources: [widgets.example.com, gadgets/status]}\n"
        "  - {path: 'data[\"a.b\"]', resources: ['*']}\n  - {path: data.*, resources: [configmaps]}\n"
    )

    assert found == []
    assert read is not None
    assert [(one.path, one.resources) for one in read.redactions] == [
        (("spec", "users", "password"), ("widgets.example.com", "gadgets/status")),
        (("data", "a.b"), ("*",)),
        (("data", "*"), ("configmaps",)),
    ]


@pytest.mark.parametrize(
    ("item", "finding"),
    [
        ("{path: spec.a}", "AW205: an item of redact needs path and resources"),
        ("{path: spec.a, resources: []}", "AW205: resources names none"),
        ("{path: 'spec. a b', resources: [pods]}", "AW206: 'spec. a b' is not a path"),
        ("{path: RequestObject.spec.a, resources: [pods]}", "AW206: the path cannot be 'RequestObject.spec.a'"),
        ("{path: 'data[\"a*\"]', resources: [pods]}", "AW206: the path cannot be 'data[\"a*\"]'"),
        ("{path: a.b.c.d.e.f.g.h.i.j.k.l.m, resources: [pods]}", "AW206: the path cannot be 'a.b.c.d"),
        ("{path: spec.a, resources: [Pod]}", "AW206: 'Pod' is not a resource"),
        ("{path: spec.a, resources: [pods], kind: Pod}", "AW203: an item of redact has no field 'kind'"),
        ("spec.a", "AW204: an item of redact must be a mapping"),
    ],
)
def test_a_redaction_that_could_not_be_applied_is_an_error(item: str, finding: str) -> None:
    read, found = settings(f"  k8sAuditingEnabled: true\n  redact:\n  - {item}\n")

    assert read is None
    assert any(f"error {finding}" in one and one.startswith("7:") for one in found), found
