"""Which rules can match what a sender records."""

from itertools import product
from typing import Any

import pytest

from auditwire.analysis.cases import read_cases
from auditwire.analysis.delivery import DELIVERIES
from auditwire.analysis.proof import as_recorded, proofs
from auditwire.analysis.reach import Reach, Terms, reach
from auditwire.documents.source import Source
from auditwire.events import Event, Level, ObjectRef
from auditwire.pipeline import judge_event
from auditwire.policy import Policy, load_policy
from made_events import event
from rule_texts import document, rule, rule_set_of

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
SECRETS = '{group: "", resources: [secrets]}'
NET = 'ObjectRef.Resource = "pods" and Verb = "create" and RequestObject.spec.hostNetwork = true'


def policy(text: str) -> Policy:
    loaded = load_policy(Source("policy.yaml", HEAD + text))
    assert loaded.policy is not None, loaded.diagnostics
    return loaded.policy


def terms(rules: str = "", *, sender: str = "kubernetes", level: str | None = None, own: str = "") -> Terms:
    delivery = DELIVERIES[sender]
    return Terms(
        policy(rules) if rules else None,
        policy(own) if own else None,
        delivery,
        Level(level) if level else delivery.level,
    )


def found(condition: str, under: Terms) -> Reach:
    return reach(rule_set_of(document(rule(condition))).alerting[0], under)


ALL = "rules:\n- level: RequestResponse\n"


@pytest.mark.parametrize(
    ("condition", "under", "blame"),
    [
        (NET, terms("rules:\n- level: Metadata\n"),
         "policy: rules[0] records create pods at ResponseComplete at Metadata, the rule needs Request"),
        (NET, terms(ALL, level="Metadata"),
         "level: Metadata keeps too little of create pods at ResponseComplete, the rule needs Request"),
        (NET, terms(sender="kubesphere"),
         "level: Metadata keeps too little of create pods at ResponseComplete, the rule needs Request"),
        ('ObjectRef.Resource = "secrets" and Verb = "get"',
         terms(f"rules:\n- level: None\n  resources: [{SECRETS}]\n- level: Metadata\n"),
         "policy: rules[0] does not record get secrets at ResponseComplete"),
        ('ObjectRef.Resource = "secrets"', terms("rules:\n- level: Metadata\n  resources: [{group: apps}]\n"),
         "policy: no rule matches, so the policy does not record get secrets at ResponseComplete"),
        ('ObjectRef.Resource = "secrets" and Verb = "get"',
         terms("rules:\n- level: None\n  users: [ann]\n- level: None\n  userGroups: [b]\n- level: None\n"),
         "policy: rules[2] does not record get secrets at ResponseComplete"),
        (NET, terms("rules:\n- level: Metadata\n  users: [ann]\n- level: Metadata\n"),
         "policy: rules[1] records create pods at ResponseComplete at Metadata, the rule needs Request"),
        ('Stage = "ResponseStarted" and ObjectRef.Resource = "pods" and Verb = "get"',
         terms("omitStages: [ResponseStarted]\n" + ALL),
         "policy: rules[0] omits the stage ResponseStarted of get pods at ResponseStarted"),
        ('Stage = "Panic"', terms(sender="gke"), "sender: gke sends no events of stage Panic"),
        ('User.Groups contains "system:masters"', terms(sender="gke"), "sender: events of gke have no "),
        ('Verb = "get" and Verb = "list"', terms(ALL), "condition: it contradicts itself"),
        ('PodSpec.hostNetwork = true and Verb = "get"', terms(ALL), "condition: it contradicts itself"),
        ("any Containers[*] (securityContext.privileged = true)", terms("rules:\n- level: Metadata\n"),
         "policy: rules[0] records create anything at ResponseComplete at Metadata, the rule needs Request"),
        ('Verb = "get"', terms(ALL, own="rules:\n- level: None\n  verbs: [get]\n- level: Metadata\n"),
         "policy of the rules: rules[0] does not record get anything at ResponseComplete"),
        ('Level = "RequestResponse" and Verb = "get"', terms("rules:\n- level: Request\n"),
         "policy: rules[0] records get anything at ResponseComplete at Request, the rule needs RequestResponse"),
    ],
)  # fmt: skip
def test_what_keeps_a_rule_from_matching_is_named(condition: str, under: Terms, blame: str) -> None:
    reached = found(condition, under)

    assert not reached.possible
    assert reached.blame.startswith(blame)


@pytest.mark.parametrize(
    ("condition", "under"),
    [
        (NET, terms(ALL)),
        (NET, terms("rules:\n- level: Metadata\n  users: [ann]\n- level: Request\n")),
        (NET, terms("rules:\n- level: Metadata\n  namespaces: [shop]\n- level: Request\n")),
        (NET, terms('rules:\n- level: Metadata\n  resources: [{group: "", resources: [pods], resourceNames: [x]}]\n'
                    "- level: Request\n")),
        (NET, terms('rules:\n- level: None\n  resources: [{group: "", resources: ["pods/exec"]}]\n- level: Request\n')),
        ('User.Groups contains "system:masters"', terms(sender="eks")),
        ('ObjectRef.Resource = "widgets" and RequestObject.x = 1', terms(ALL)),
        ("RequestObject.x not exists", terms("rules:\n- level: Metadata\n")),
        ('ObjectRef.Resource like "pod*" and RequestObject.x = 1', terms("rules:\n- level: Request\n")),
        ('not (Stage = "ResponseComplete")', terms(ALL)),
    ],
)  # fmt: skip
def test_what_may_be_recorded_is_possible(condition: str, under: Terms) -> None:
    assert found(condition, under).possible


def test_a_rule_that_every_recorded_request_of_a_kind_matches_is_certain() -> None:
    exec_in_pods = 'ObjectRef.Resource = "pods" and ObjectRef.Subresource = "exec" and Verb = "create"'

    reached = found(exec_in_pods, terms("omitStages: [RequestReceived]\n" + ALL))

    assert reached.certain == "create pods/exec at ResponseComplete"


def test_what_a_match_still_depends_on_is_named() -> None:
    assert found(f'{NET} and User.Username != "x"', terms(ALL)).undecided == ("RequestObject", "User.Username")


CONDITIONS = (
    'Verb = "get"', 'Verb != "get"', NET, 'ObjectRef.Resource = "secrets" and Verb in ("get", "list")',
    'ObjectRef.Resource in ("pods", "widgets") and ObjectRef.Subresource = "exec"',
    'ObjectRef.APIGroup = "example.com"',
    'Stage = "ResponseStarted"', 'Level = "Metadata" and ObjectRef.Resource = "pods"', "ResponseObject.x = 1",
    "RequestObject.x not exists and ResponseObject.x = 1", 'not (ObjectRef.Resource = "" or Verb like "c*")',
    'ObjectRef.Resource like "sec*"', 'ResponseStatus.code = 200 and Stage = "RequestReceived"',
)  # fmt: skip
POLICIES = (
    "rules:\n- level: Metadata\n", ALL, "omitStages: [RequestReceived, ResponseStarted]\n" + ALL,
    f"rules:\n- level: Metadata\n  resources: [{SECRETS}]\n- level: Request\n",
    f"rules:\n- level: None\n  resources: [{SECRETS}]\n- level: Metadata\n  users: [ann]\n- level: Request\n",
    'rules:\n- level: Request\n  resources: [{group: "", resources: ["pods/exec", "*/status"]}]\n',
    "rules:\n- level: Metadata\n  nonResourceURLs: ['/metrics']\n- level: Request\n  namespaces: [shop]\n",
    'rules:\n- level: None\n  resources: [{group: "*", resources: ["*"]}]\n- level: Metadata\n',
)  # fmt: skip


def grid() -> list[Event]:
    """Requests of every kind that the conditions and policies tell apart, as they are before they are recorded."""
    refs = [("", "", ""), ("pods", "", ""), ("pods", "", "exec"), ("pods", "", "status"), ("secrets", "", ""),
            ("widgets", "example.com", ""), ("widgets", "example.com", "exec")]  # fmt: skip
    stages = ("RequestReceived", "ResponseStarted", "ResponseComplete")
    made = []
    for (resource, group, below), verb, stage, user, place in product(
        refs, ("get", "list", "create", "patch"), stages, ("ann", "bob"), ("shop", "")
    ):
        more: dict[str, Any] = {"objectRef": ObjectRef(resource=resource, apiGroup=group, subresource=below,
                                                       namespace=place)}  # fmt: skip
        one = event(verb=verb, user=user, body={"x": 1, "spec": {"hostNetwork": True}}, stage=stage,
                    requestURI="/metrics" if not resource else "/api")  # fmt: skip
        if stage != "RequestReceived":
            more["responseObject"] = one.requestObject
        made.append(one.with_changes(**more))
    return made


GRID = grid()


@pytest.mark.parametrize("text", POLICIES)
@pytest.mark.parametrize("sender", ["kubernetes", "kubesphere"])
def test_nothing_recorded_matches_a_rule_that_is_called_unreachable(text: str, sender: str) -> None:
    under = terms(text, sender=sender)
    recorded = [one for one in (as_recorded(each, under) for each in GRID) if one is not None]

    for condition in CONDITIONS:
        rules = rule_set_of(document(rule(condition)))
        reached = reach(rules.alerting[0], under)
        matching = [one for one in recorded if judge_event(one, sender=None, rules=rules).verdict.alerts]
        assert reached.possible or not matching, (condition, reached.blame)
        if reached.certain:
            assert matching, (condition, reached.certain)


TESTS = """\
tests:
- name: a pod on the network of its node
  rule: r
  events:
  - {verb: create, objectRef: {resource: pods, namespace: shop, name: web}, requestObject: {spec: {hostNetwork: true}}}
  expect: alert
- name: an image of another registry
  rule: r
  events:
  - {verb: create, objectRef: {resource: pods, namespace: shop, name: web}, requestObject: {spec: {hostNetwork: false}}}
  expect: silent
"""


@pytest.mark.parametrize(
    ("under", "proved"),
    [
        (terms(ALL), True),
        (terms("rules:\n- level: Metadata\n"), False),
        (terms("rules:\n- level: Metadata\n  users: [somebody]\n- level: Request\n"), True),
        (terms("rules:\n- level: Request\n  users: [somebody]\n"), False),
        (terms(ALL, sender="kubesphere"), False),
        (terms(ALL, sender="kubesphere", level="Request"), True),
        (terms(ALL, sender="gke"), True),
        (terms(ALL, level="Metadata"), False),
    ],
)
def test_a_test_proves_a_rule_if_its_event_still_matches(under: Terms, *, proved: bool) -> None:
    rules = rule_set_of(document(rule(NET)))
    cases = read_cases(Source("r.test.yaml", TESTS)).cases

    found = proofs(rules, cases, under, any_sender=False)

    assert {name: case.name for name, case in found.items()} == (
        {"mine.r": "a pod on the network of its node"} if proved else {}
    )
