"""What a search can ask: which events each filter lets through, and that its texts are in all their lines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.archive.filters import (
    CodeFilter,
    Filter,
    FilterError,
    FlagFilter,
    NamespaceFilter,
    ObjectFilter,
    RuleFilter,
    SourceFilter,
    VerbFilter,
)
from auditwire.archive.found import Found, found_in
from auditwire.archive.needle import Needle
from auditwire.archive.search import Search
from auditwire.events import ObjectRef, ResponseStatus, encode_line
from auditwire.search import Query
from auditwire.search.matching import Matcher
from made_events import event


def found(verb: str = "get", ref: str = "", **more: Any) -> Found:
    """What a search makes of an event; ``ref`` is RESOURCE,GROUP,NAMESPACE,NAME,SUBRESOURCE."""
    names = ("resource", "apiGroup", "namespace", "name", "subresource")
    about: dict[str, Any] = {name: more.pop(name) for name in ("archiving", "alerting", "flags") if name in more}
    made = event(verb=verb, objectRef=ObjectRef(**dict(zip(names, ref.split(","), strict=False))), **more)
    return found_in(encode_line(made, about), "here", lambda time, flags: time)


def matches(asked: Filter, one: Found) -> bool:
    """Whether the filter lets it through. If it does, its line is picked out by the filter's texts too."""
    does = asked.matches(one)
    if does and asked.texts:
        assert list(Needle(*asked.texts).lines(one.line)) == [one.line]
    return does


DEPLOYMENT = "deployments,apps,shop,web"


@pytest.mark.parametrize(
    ("text", "verb", "ref", "expected"),
    [
        # As events are shown.
        ("deployments.apps/shop/web", "get", DEPLOYMENT, True),
        ("pods/shop/web/exec", "create", "pods,,shop,web,exec", True),
        ("nodes/worker-1/proxy", "get", "nodes,,,worker-1,proxy", True),
        ("pods/shop", "list", "pods,,shop", True),
        ("secrets", "list", "secrets", True),
        ("namespaces/shop", "delete", "namespaces,,shop,shop", True),
        ("namespaces/shop/finalize", "update", "namespaces,,shop,shop,finalize", True),
        # An object with all its subresources, a subresource alone.
        ("pods/shop/web", "create", "pods,,shop,web,exec", True),
        ("pods/shop/web/exec", "create", "pods,,shop,web,log", False),
        ("pods/shop/web/exec", "delete", "pods,,shop,web", False),
        # Singulars, short names, capitals, no group, a former group, a version.
        ("deployment/shop/web", "get", DEPLOYMENT, True),
        ("deploy/shop/web", "get", DEPLOYMENT, True),
        ("Deployment/shop/web", "get", DEPLOYMENT, True),
        ("deployments/shop/web", "get", "deployments,extensions,shop,web", True),
        ("deployments.v1.apps/shop/web", "get", DEPLOYMENT, True),
        ("deployments.extensions/shop/web", "get", DEPLOYMENT, False),
        ("networkpolicy/shop/deny", "get", "networkpolicies,networking.k8s.io,shop,deny", True),
        ("ingress/shop/web", "get", "ingresses,networking.k8s.io,shop,web", True),
        ("lease/shop/web", "get", "leases,coordination.k8s.io,shop,web", True),
        ("svc/shop/web", "get", "services,,shop,web", True),
        ("widgets/shop/web", "get", "widgets,example.com,shop,web", True),
        ("pods/shop/web", "get", "pods,metrics.k8s.io,shop,web", False),
        # Without the namespace.
        ("deployment/web", "get", DEPLOYMENT, True),
        ("pod/web", "delete", "pods,,other,web", True),
        ("pods/web/exec", "create", "pods,,shop,web,exec", True),
        ("pods/web", "get", "pods,,shop,web-1", False),
        ("pods/shop/web", "get", "pods,,other,web", False),
        ("pods/shop", "get", "pods,,shop,web", False),
        # What removes it without naming it.
        ("pods/shop/web", "deletecollection", "pods,,shop", True),
        ("pods/shop/web", "deletecollection", "pods,,other", False),
        ("pods/shop/web", "deletecollection", "secrets,,shop", False),
        ("pods/shop/web", "list", "pods,,shop", False),
        ("pods/shop/web", "delete", "namespaces,,shop,shop", True),
        ("pods/shop/web", "delete", "namespaces,,,shop", True),
        ("pods/shop/web", "delete", "namespaces,,other,other", False),
        ("pods/shop/web", "update", "namespaces,,shop,shop,finalize", False),
        ("pods/shop/web", "get", "namespaces,,shop,shop", False),
        ("nodes/worker-1", "deletecollection", "nodes", True),
        ("namespaces/shop", "delete", "namespaces,,other,other", False),
        # Whatever a sender puts into a part.
        ("pods.a/b/c/d.e", "get", "pods,a,b,c/d.e", True),
        ("a/b/c", "get", "a/b,,c", True),
        ("pods/shop/web", "get", "", False),
    ],
)
def test_an_object_is_found_as_people_name_it(text: str, verb: str, ref: str, expected: bool) -> None:
    assert matches(ObjectFilter(text), found(verb, ref)) is expected


@pytest.mark.parametrize(
    ("text", "namespace", "meant"),
    [
        ("deployment/web", "shop", "deployments.apps/shop/web"),
        ("secrets", "shop", "secrets/shop"),
        ("pods/shop", "shop", "pods/shop"),
        ("pods/shop/web", "other", "pods/shop/web"),
        ("no/worker-1", "shop", "nodes/worker-1"),
        ("ns/shop", "shop", "namespaces/shop"),
        ("widget/web", "", "widget/web"),
    ],
)
def test_a_namespace_completes_an_object(text: str, namespace: str, meant: str) -> None:
    assert ObjectFilter(text, namespace).meant == meant


PARTS = st.sampled_from(["", "shop", "web", "pods", "namespaces", "apps", "a/b", "exec", "deployments", "c.d"])
RESOURCES = st.sampled_from(["pods", "deploy.apps", "deployment", "namespaces", "a/b", "widgets"])
WRITTEN = st.tuples(RESOURCES, st.lists(PARTS, max_size=3)).map(lambda parts: "/".join([parts[0], *parts[1]]))


@given(WRITTEN, PARTS, st.lists(PARTS, min_size=5, max_size=5), st.sampled_from(["get", "delete", "deletecollection"]))
def test_whatever_matches_is_in_the_index_and_has_a_text_of_the_filter(
    text: str, namespace: str, parts: list[str], verb: str
) -> None:
    asked, one = ObjectFilter(text, namespace), found(verb, ",".join(parts))
    if not matches(asked, one):
        return
    # Without a namespace, or a group that Kubernetes knows, only those can be looked up that have none.
    assert one.object in asked.names or one.ref.apiGroup or one.ref.namespace


@pytest.mark.parametrize(
    ("asked", "one", "expected"),
    [
        (NamespaceFilter("shop"), found(ref="pods,,shop,web"), True),
        (NamespaceFilter("shop"), found(ref="namespaces,,,shop"), True),
        (NamespaceFilter("shop"), found(ref="pods,,shop-2,shop"), False),
        (VerbFilter(("delete", "patch")), found("patch"), True),
        (VerbFilter(("delete",)), found("deletecollection"), False),
        (RuleFilter(("d.R",)), found(alerting=["d.R"]), True),
        (RuleFilter(("R",)), found(archiving=["a.b", "d.R"]), True),
        (RuleFilter(("R",)), found(archiving=["d.OtherR"], user="R"), False),
        (RuleFilter(("R", "S")), found(alerting=["d.S"]), True),
        (RuleFilter(("d",)), found(alerting=["d.R"]), False),
        (FlagFilter("unfinished"), found(flags=["redacted", "unfinished"]), True),
        (FlagFilter("unfinished"), found(flags=["redacted"], user="unfinished"), False),
        (CodeFilter(("403",)), found(responseStatus=ResponseStatus(code=403)), True),
        (CodeFilter(("4XX", "500")), found(responseStatus=ResponseStatus(code=404)), True),
        (CodeFilter(("4xx",)), found(responseStatus=ResponseStatus(code=500)), False),
        (CodeFilter(("4xx",)), found(responseStatus=ResponseStatus(code=4000)), False),
        (CodeFilter(("4xx",)), found(), False),
        (SourceFilter(("192.0.2.7",)), found(sourceIPs=["198.51.100.1", "192.0.2.7"]), True),
        (SourceFilter(("192.0.2.7",)), found(sourceIPs=["192.0.2.77"]), False),
        (SourceFilter(("192.0.2.0/24", "203.0.113.9")), found(sourceIPs=["192.0.2.77"]), True),
        (SourceFilter(("192.0.2.7/24",)), found(sourceIPs=["192.0.2.77"]), True),
        (SourceFilter(("192.0.2.7",)), found(sourceIPs=["::ffff:192.0.2.7"]), True),
        (SourceFilter(("192.0.2.7",)), found(sourceIPs=["::ffff:c000:207"]), True),
        (SourceFilter(("2001:db8::1",)), found(sourceIPs=["2001:0DB8:0::1"]), True),
        (SourceFilter(("2001:db8::/32",)), found(sourceIPs=["192.0.2.7", "no address"]), False),
        (SourceFilter(("192.0.2.7",)), found(), False),
    ],
)
def test_a_filter_lets_through_what_it_asks_for(asked: Filter, one: Found, expected: bool) -> None:
    assert matches(asked, one) is expected


@pytest.mark.parametrize(
    "wrong",
    [{"codes": ("40",)}, {"codes": ("200", "4x")}, {"codes": ("999",)}, {"sources": ("example.com",)},
     {"sources": ("192.0.2.0/33",)}, {"sources": ("192.0.2.1", "")}, {"object": "/shop/web"}, {"object": ".apps/web"}],
)  # fmt: skip
def test_what_no_event_can_have_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(FilterError) as refused:
        Search(**wrong)
    assert refused.value.hint.startswith("write it like")


@pytest.mark.parametrize(
    ("search", "texts"),
    [
        (Search(), []),
        (Search(cluster="prod", codes=("200",)), []),
        (Search(audit_id="0b1d"), ["0b1d"]),
        (Search(user="jane@example.com", object="pods/shop/web-1"), ["jane@example.com"]),
        (Search(user="jo", object="pods/shop/web-1"), ["web-1", "deletecollection", "namespaces"]),
        (Search(object="deploy.apps"), ["deployments", "deploy"]),
        (Search(object="nodes/ip-192-0-2-1.eu-west-1.example"), ["ip-192-0-2-1", "deletecollection", "namespaces"]),
        (Search(verbs=("get", "list")), ["get", "list"]),
    ],
)
def test_a_search_knows_texts_of_which_every_hit_has_one(search: Search, texts: list[str]) -> None:
    assert [each.text for each in Matcher(Query.of(search)).texts] == texts
