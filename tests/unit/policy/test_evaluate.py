"""Evaluation on its own, and events as kube-apiserver's policy would have seen them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_events import as_kubesphere, item, text_of
from auditwire.events import Event, Level, ObjectRef, User, decode
from auditwire.policy import (
    Attributes,
    AttributesError,
    GroupResources,
    Policy,
    PolicyError,
    PolicyRule,
    attributes_of,
)
from policies import POLICIES, REQUESTS


def event(**changes: object) -> Event:
    (only,) = decode(text_of(item(**changes))).events
    return only


@given(POLICIES, REQUESTS)
def test_evaluating_never_raises_and_survives_json(policy: Policy, request: Attributes) -> None:
    copy = Policy.from_json(msgspec.json.decode(msgspec.json.encode(policy.as_json())))

    assert copy == policy
    assert copy.evaluate(request) == policy.evaluate(request)


@given(POLICIES, REQUESTS)
def test_the_first_rule_that_matches_alone_is_the_one(policy: Policy, request: Attributes) -> None:
    alone = [Policy(rules=(rule,)).evaluate(request).matched_rule is not None for rule in policy.rules]

    assert policy.evaluate(request).matched_rule == (alone.index(True) if True in alone else None)


@given(POLICIES, st.lists(REQUESTS, min_size=2, max_size=8))
def test_what_is_remembered_of_like_events_is_what_each_would_get(policy: Policy, requests: list[Attributes]) -> None:
    events = [_told(request) for request in (*requests, *requests)]

    for told in events:
        assert policy.evaluate_event(told) == policy.evaluate(attributes_of(told))


def test_of_requests_that_never_repeat_only_so_many_are_remembered() -> None:
    policy = Policy(rules=(PolicyRule(level=Level.REQUEST, namespaces=("shop",)),))
    about = [ObjectRef(resource="pods", namespace=f"team-{number}") for number in range(5_000)]
    about.append(ObjectRef(resource="pods", namespace="x" * 5_000))

    for ref in about:
        told = Event(level="Request", auditID="a", stage="s", verb="get", objectRef=ref)
        assert policy.evaluate_event(told).level is Level.NONE

    assert 0 < len(policy._known) <= 4_096
    assert not any("x" * 5_000 in str(key) for key in policy._known)


def _told(request: Attributes) -> Event:
    """An event that tells of a request."""
    ref = ObjectRef(
        resource=request.resource if request.resource_request else "",
        apiGroup=request.group,
        subresource=request.subresource,
        name=request.name,
        namespace=request.namespace,
    )
    user = User(username=request.user, groups=list(request.groups))
    return Event(
        level="Request", auditID="a", stage=request.stage or "s", verb=request.verb or "get", user=user, objectRef=ref,
        requestURI=request.path,
    )  # fmt: skip


def test_json_is_that_of_a_policy_file() -> None:
    policy = Policy(
        rules=(
            PolicyRule(
                level=Level.METADATA,
                user_groups=("a",),
                resources=(GroupResources("", ("secrets",), ("x",)),),
                omit_managed_fields=True,
            ),
            PolicyRule(level=Level.NONE, non_resource_urls=("/x",)),
        ),
        omit_stages=("Panic",),
    )

    assert msgspec.json.decode(msgspec.json.encode(policy.as_json())) == {
        "rules": [
            {
                "level": "Metadata",
                "userGroups": ["a"],
                "resources": [{"resources": ["secrets"], "resourceNames": ["x"]}],
                "omitManagedFields": True,
            },
            {"level": "None", "nonResourceURLs": ["/x"]},
        ],
        "omitStages": ["Panic"],
    }


@pytest.mark.parametrize("plain", [{}, {"rules": 1}, {"rules": [{"level": "All"}]}, {"rules": [{"users": ["a"]}]}])
def test_what_is_no_policy_is_refused(plain: dict[str, object]) -> None:
    with pytest.raises(PolicyError, match="not a policy: "):
        Policy.from_json(plain)


def test_attributes_that_are_null_or_absent_are_empty_and_strange_ones_refused() -> None:
    assert Attributes.from_json({"user": None, "groups": None, "verb": "get"}) == Attributes(verb="get")
    with pytest.raises(AttributesError, match="unknown field `vreb`"):
        Attributes.from_json({"vreb": "get"})
    with pytest.raises(AttributesError, match="Expected `bool`"):
        Attributes.from_json({"resource_request": "yes"})


def test_an_event_on_a_resource() -> None:
    ref = {"resource": "deployments", "namespace": "shop", "name": "web", "apiGroup": "apps", "subresource": "scale"}

    attributes = attributes_of(event(verb="patch", objectRef=ref, requestURI="/apis/apps/v1/x%20y?timeout=1s"))

    assert attributes == Attributes(
        user="alice",
        groups=("developers", "system:authenticated"),
        verb="patch",
        resource_request=True,
        group="apps",
        resource="deployments",
        subresource="scale",
        name="web",
        namespace="shop",
        path="/apis/apps/v1/x y",
        stage="ResponseComplete",
    )


def test_an_event_on_a_path() -> None:
    attributes = attributes_of(event(objectRef=None, requestURI="/healthz/etcd?verbose"))

    assert (attributes.resource_request, attributes.path) == (False, "/healthz/etcd")


def test_an_event_of_kubesphere_is_read_the_same() -> None:
    plain = item(objectRef=None, requestURI="/kapis/100%25")
    (sent,) = decode(text_of(as_kubesphere(plain))).events

    attributes = attributes_of(sent)

    assert (attributes.user, attributes.resource_request, attributes.path) == ("alice", False, "/kapis/100%25")


def test_the_user_is_who_authenticated_not_who_was_impersonated() -> None:
    attributes = attributes_of(event(impersonatedUser={"username": "bob", "groups": ["admins"]}))

    assert (attributes.user, attributes.groups) == ("alice", ("developers", "system:authenticated"))


def test_nobody_is_not_the_empty_name() -> None:
    by_empty_name = Policy(rules=(PolicyRule(level=Level.REQUEST, users=("",)),))

    assert attributes_of(event(user={})).user is None
    assert by_empty_name.evaluate(attributes_of(event(user={}))).matched_rule is None
    assert by_empty_name.evaluate(Attributes(user="")).matched_rule == 0


@pytest.mark.parametrize(("subresource", "name"), [("", ""), ("exec", "web")])
def test_a_created_object_has_no_name_yet_but_what_is_created_below_one_has(subresource: str, name: str) -> None:
    ref = {"resource": "pods", "namespace": "shop", "name": "web", "subresource": subresource}

    assert attributes_of(event(verb="create", objectRef=ref)).name == name
