"""The smallest policy under which tests still pass."""

import pytest

from auditwire.analysis.cases import Case, read_cases
from auditwire.analysis.delivery import DELIVERIES
from auditwire.analysis.minimal_policy import losses, minimal_policy, needs_of
from auditwire.analysis.proof import proofs
from auditwire.analysis.reach import Terms
from auditwire.documents.source import Source
from auditwire.events import Level
from auditwire.rules import RuleSet
from rule_texts import document, rule, rule_set_of

RULES = document(
    rule('ObjectRef.Resource = "secrets" and Verb in ("get", "list")', name="secrets")
    + rule('RequestObject.spec.hostNetwork = true and Verb in ("create", "patch")', name="net")
    + rule('ObjectRef.Subresource = "exec"', name="exec")
    + rule('ResponseObject.rules[*].verbs contains "*"', name="wide")
    + rule('RequestURI startswith "/debug"', name="debug")
)
TESTS = """\
tests:
- name: secrets are read
  rule: secrets
  expect: alert
  events:
  - {verb: get, objectRef: {resource: secrets, namespace: shop, name: db}}
  - {verb: list, objectRef: {resource: secrets}}
- name: a pod of the node's network
  rule: net
  expect: alert
  events:
  - {verb: create, objectRef: {resource: pods, namespace: shop}, requestObject: {spec: {hostNetwork: true}}}
  - {verb: patch, objectRef: {resource: pods, namespace: shop}, requestObject: {spec: {hostNetwork: true}}}
- name: a command in a pod
  rule: exec
  expect: alert
  events: [{verb: create, objectRef: {resource: pods, subresource: exec, namespace: shop, name: web}}]
- name: a role of everything
  rule: wide
  expect: alert
  events:
  - {verb: patch, objectRef: {resource: clusterroles, name: r}, responseObject: {rules: [{verbs: ["*"]}]}}
- name: profiles
  rule: debug
  expect: alert
  events: [{verb: get, requestURI: /debug/pprof}]
- name: nothing
  rule: exec
  expect: silent
  events: [{verb: get, objectRef: {resource: pods}}]
"""


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return rule_set_of(RULES)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return list(read_cases(Source("mine.test.yaml", TESTS)).cases)


EVERYTHING = Terms(None, None, DELIVERIES["kubernetes"], Level.REQUEST_RESPONSE)


def test_the_policy_records_what_tests_need_and_no_more(rules: RuleSet, cases: list[Case]) -> None:
    needs = needs_of(rules, cases, EVERYTHING, any_sender=True)

    policy = minimal_policy(rules, needs, EVERYTHING).as_json()

    assert policy == {"rules": [
        {"level": "RequestResponse", "verbs": ["patch"],
         "resources": [{"group": "rbac.authorization.k8s.io", "resources": ["clusterroles"]}]},
        {"level": "Request", "verbs": ["create", "patch"], "resources": [{"resources": ["pods"]}]},
        {"level": "Metadata", "verbs": ["create"], "resources": [{"resources": ["pods/exec"]}]},
        {"level": "Metadata", "verbs": ["get"], "nonResourceURLs": ["/debug/pprof"]},
        {"level": "Metadata", "verbs": ["get", "list"], "resources": [{"resources": ["secrets"]}]},
    ]}  # fmt: skip


def test_without_any_part_of_it_a_test_fails(rules: RuleSet, cases: list[Case]) -> None:
    needs = needs_of(rules, cases, EVERYTHING, any_sender=True)
    policy = minimal_policy(rules, needs, EVERYTHING)

    found = {loss.without: loss.case.name if loss.case else None for loss in losses(rules, needs, EVERYTHING, policy)}

    assert None not in found.values()
    assert found["rules[1].level Request"] == "a pod of the node's network"
    assert found["rules[1].verbs patch"] == "a pod of the node's network"
    assert found["rules[3]"] == "profiles"
    under = Terms(policy, None, EVERYTHING.delivery, EVERYTHING.level)
    assert proofs(rules, cases, under, any_sender=True).keys() == {
        f"mine.{name}" for name in ("secrets", "net", "exec", "wide", "debug")
    }


def test_what_the_sender_never_records_is_not_asked_for(rules: RuleSet, cases: list[Case]) -> None:
    low = Terms(None, None, DELIVERIES["kubesphere"], Level.METADATA)

    needs = needs_of(rules, cases, low, any_sender=False)

    assert {need.rule for need in needs} == {"mine.secrets", "mine.exec", "mine.debug"}


def test_there_is_no_policy_for_no_needs(rules: RuleSet) -> None:
    with pytest.raises(ValueError, match="no test"):
        minimal_policy(rules, [], EVERYTHING)
