"""The policy that ``policy init`` writes, and what a policy does to patches whose body is YAML."""

import pytest

from auditwire.documents.source import Source
from auditwire.events import Level
from auditwire.policy import Attributes, Patches, Policy, check_policy, recommended_policy
from auditwire.policy.recommended import LEVELS

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
SECRETS = '- {level: Metadata, resources: [{group: "", resources: [secrets]}]}\n'


def policy_of(level: Level, patches: Patches) -> Policy:
    loaded = check_policy(Source("p.yaml", recommended_policy(level, patches)))
    assert loaded.policy is not None
    return loaded.policy


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("patches", Patches)
def test_it_has_no_findings(level: Level, patches: Patches) -> None:
    text = recommended_policy(level, patches)
    loaded = check_policy(Source("p.yaml", text))

    assert (loaded.load, loaded.diagnostics) == ("ok", [])
    assert f"--level {level} --patches {patches}" in text
    assert "--audit-webhook-truncate-enabled=true" in text


def request(verb: str, resource: str = "deployments", group: str = "apps", **more: object) -> Attributes:
    plain = {
        "user": "jane", "groups": ["system:authenticated"], "verb": verb, "resource_request": True, "group": group,
        "resource": resource, "namespace": "shop", "name": "web", **more,
    }  # fmt: skip
    return Attributes.from_json(plain)


KUBELET = {"user": "system:node:a", "groups": ["system:nodes"]}


@pytest.mark.parametrize(
    ("asked", "level", "received"),
    [
        (request("patch"), "Request", True),
        (request("patch", "clusterrolebindings", "rbac.authorization.k8s.io"), "Request", True),
        (request("patch", "pods", "", subresource="status"), "Request", True),
        (request("patch", "nodes", "", subresource="status", **KUBELET), "Metadata", False),
        (request("patch", "pods", "", subresource="status", **KUBELET), "Metadata", False),
        (request("patch", "pods", "", **KUBELET), "Request", True),
        (request("patch", "leases", "coordination.k8s.io"), "Metadata", False),
        (request("patch", "events", ""), "Metadata", False),
        (request("patch", "events", "events.k8s.io"), "Metadata", False),
        (request("patch", "secrets", ""), "Metadata", False),
        (request("create"), "Request", False),
        (request("update"), "Request", False),
        (request("delete"), "Request", False),
        (request("get"), "Metadata", False),
        (request("create", "pods", "", subresource="exec"), "Request", False),
        (request("create", "serviceaccounts", "", subresource="token"), "Metadata", False),
        (request("update", "leases", "coordination.k8s.io", **KUBELET), "None", False),
        (request("update", "leases", "coordination.k8s.io"), "Metadata", False),
    ],
)
def test_patches_are_recorded_when_they_come_in_and_nothing_else_is(
    asked: Attributes, level: str, received: bool
) -> None:
    decision = policy_of(Level.REQUEST, Patches.RECEIVED).evaluate(asked)

    assert (decision.level, decision.emits("RequestReceived")) == (level, received)
    assert decision.emits("ResponseComplete") is (level != "None")


def test_without_bodies_patches_need_no_first_stage() -> None:
    for policy in (policy_of(Level.REQUEST_RESPONSE, Patches.METADATA), policy_of(Level.METADATA, Patches.RECEIVED)):
        decision = policy.evaluate(request("patch"))

        assert (decision.level, decision.emits("RequestReceived")) == ("Metadata", False)


def found(rules: str, head: str = "") -> list[tuple[int, str]]:
    """Line and message of what is said about patches."""
    loaded = check_policy(Source("p.yaml", f"{HEAD}{head}rules:\n{rules}"))
    assert loaded.policy is not None
    return [(one.line, one.message) for one in loaded.diagnostics if one.code == "AW332"]


OMIT = "omitStages: [RequestReceived]"
GLOBALLY = f"{OMIT}\n"


@pytest.mark.parametrize(
    ("rules", "head", "line"),
    [
        (f"{SECRETS}- {{level: Request, {OMIT}}}\n", "", 5),
        (f"{SECRETS}- {{level: RequestResponse, {OMIT}, verbs: [create, patch]}}\n", "", 5),
        (f"{SECRETS}- {{level: Request, {OMIT}, resources: [{{group: apps}}]}}\n", "", 5),
        (f"{SECRETS}- {{level: Request, users: [a], verbs: [patch]}}\n- {{level: Request, {OMIT}}}\n", "", 6),
        (f"{SECRETS}- {{level: Request}}\n", GLOBALLY, 3),
        (f"{SECRETS}- {{level: Request, verbs: [patch]}}\n- {{level: Metadata, {OMIT}}}\n", GLOBALLY, 3),
        (f"{SECRETS}- {{level: Request}}\n", "omitStages: [ResponseStarted, RequestReceived]\n", 3),
    ],
)
def test_a_policy_that_records_bodies_of_patches_and_not_that_they_came_in_is_open(
    rules: str, head: str, line: int
) -> None:
    ((place, message),) = found(rules, head)

    assert place == line
    assert message.startswith("a patch whose body is YAML leaves no event")
    assert ("for all rules, among them rules[1] (line" in message) is bool(head)


@pytest.mark.parametrize(
    ("rules", "head"),
    [
        ("- {level: Metadata}\n", GLOBALLY),
        (f"{SECRETS}- {{level: Request}}\n", ""),
        (f"{SECRETS}- {{level: Request, {OMIT}, verbs: [create, update]}}\n- {{level: Metadata}}\n", GLOBALLY),
        (f"{SECRETS}- {{level: Metadata, verbs: [patch]}}\n- {{level: Request, {OMIT}}}\n", ""),
        (f"{SECRETS}- {{level: Request, verbs: [patch]}}\n- {{level: Request, {OMIT}}}\n", ""),
        (f'{SECRETS}- {{level: Request, {OMIT}, nonResourceURLs: ["/x"]}}\n- {{level: Metadata}}\n', ""),
        (f"{SECRETS}- {{level: None, verbs: [patch]}}\n- {{level: Request, {OMIT}}}\n", ""),
    ],
)
def test_a_policy_under_which_each_patch_leaves_an_event_or_is_left_out_on_purpose_is_not(
    rules: str, head: str
) -> None:
    assert found(rules, head) == []
