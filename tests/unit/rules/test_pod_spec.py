"""``PodSpec`` and ``Containers``: one test for every kind of workload, every list and every form of request."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import msgspec
import orjson
import pytest

from auditwire.condition import compile_condition
from auditwire.events import Event, ObjectRef
from auditwire.rules.fields import EventFields
from made_events import event
from rule_texts import document, rule, rule_set_of
from workloads import FORMS, KINDS, LISTS, nested, request

PRIVILEGED = {"name": "evil", "image": "x", "securityContext": {"privileged": True}}
HARMLESS = {"name": "web", "image": "y", "securityContext": {"privileged": False}}
ANY_PRIVILEGED = "Containers[*].securityContext.privileged = true"
SAME_ELEMENT = 'any Containers[*] (name = "evil" and securityContext.privileged = true)'


def holds(condition: str, one: Event) -> bool:
    return compile_condition(condition, fields=EventFields()).evaluate(one)


def patched(*operations: Any, resource: str = "pods") -> Event:
    """A JSON patch; a path that begins with C is one below the containers of a pod."""
    body = [dict(zip(("op", "path", "value"), one, strict=False)) for one in operations]
    for one in body:
        one["path"] = re.sub("^C", "/spec/containers", one["path"]) if one["path"] else one["path"]
    return request(resource, "patch", None).with_changes(requestObject=msgspec.Raw(orjson.dumps(body)))


@pytest.mark.parametrize(("resource", "key", "form"), list(product(KINDS, LISTS, FORMS)))
def test_a_container_is_found_in_every_kind_list_and_form(resource: str, key: str, form: str) -> None:
    spec = {key: [HARMLESS, PRIVILEGED], "hostNetwork": True}
    one = request(resource, form, spec)
    kind = {"containers": "container", "initContainers": "init", "ephemeralContainers": "ephemeral"}[key]

    for condition in (
        ANY_PRIVILEGED,
        SAME_ELEMENT,
        f'any Containers[*] (kind = "{kind}" and name = "evil")',
        f"PodSpec.{key}[*].securityContext.privileged = true",
        "PodSpec.hostNetwork = true",
        "PodSpec exists and Containers exists",
    ):
        assert holds(condition, one), condition
    assert not holds('any Containers[*] (name = "web" and securityContext.privileged = true)', one)
    assert not holds(ANY_PRIVILEGED, request(resource, form, {key: [HARMLESS]}))


@pytest.mark.parametrize(("resource", "key"), list(product(KINDS, LISTS)))
def test_what_asks_for_nothing_is_silent(resource: str, key: str) -> None:
    _, location = KINDS[resource]
    path = "/" + "/".join(location)
    for silent in (
        request(resource, "patch", {key: [{**PRIVILEGED, "$patch": "delete"}]}),
        request(resource, "patch", {"$patch": "delete", key: [PRIVILEGED]}),
        request(resource, "patch", {f"$setElementOrder/{key}": [PRIVILEGED]}),
        patched(("remove", f"{path}/{key}/0", PRIVILEGED), resource=resource),
        patched(("test", f"{path}/{key}", [PRIVILEGED]), resource=resource),
        patched(("move", f"{path}/{key}/0", PRIVILEGED), ("copy", f"{path}/{key}/0", PRIVILEGED), resource=resource),
        *(request(resource, form, {key: [PRIVILEGED]}, subresource="status") for form in FORMS),
        *(request(resource, form, {key: [PRIVILEGED]}, subresource="scale") for form in FORMS),
        *(request(resource, form, {key: [PRIVILEGED]}, subresource="binding") for form in FORMS),
        *(request(resource, form, {key: [PRIVILEGED]}, subresource="eviction") for form in FORMS),
        *(request(resource, "create", {key: [PRIVILEGED]}).with_changes(verb=verb) for verb in ("get", "delete", "")),
    ):
        for condition in (ANY_PRIVILEGED, SAME_ELEMENT, "PodSpec.hostNetwork = true"):
            assert not holds(condition, silent), silent.requestBody


@pytest.mark.parametrize("subresource", ["ephemeralcontainers", "resize"])
def test_two_subresources_ask_for_containers_too(subresource: str) -> None:
    for form in FORMS:
        assert holds(
            SAME_ELEMENT, request("pods", form, {"ephemeralContainers": [PRIVILEGED]}, subresource=subresource)
        )


@pytest.mark.parametrize(
    ("resource", "group", "location", "is_found"),
    [
        ("rollouts", "argoproj.io", ("spec", "template", "spec"), True),
        ("services", "serving.knative.dev", ("spec", "template", "spec"), True),
        ("deployments", "", ("spec", "template", "spec"), True),
        ("pods", "example.com", ("spec", "template", "spec"), True),
        ("pods", "example.com", ("spec",), False),
        ("cronjobs", "example.com", ("spec", "template", "spec"), True),
        ("cronjobs", "", ("spec", "jobTemplate", "spec", "template", "spec"), True),
        ("rollouts", "argoproj.io", ("spec",), False),
        ("deployments", "apps", ("spec",), False),
        ("configmaps", "", ("spec", "template", "spec"), False),
        ("leases", "coordination.k8s.io", ("spec", "template", "spec"), False),
        ("", "", ("spec", "template", "spec"), False),
    ],
)
def test_where_it_stands_comes_from_the_kind(
    resource: str, group: str, location: tuple[str, ...], is_found: bool
) -> None:
    ref = ObjectRef(resource=resource, apiGroup=group)
    one = event(verb="create", body=nested(location, {"containers": [PRIVILEGED]})).with_changes(objectRef=ref)

    assert holds(SAME_ELEMENT, one) is is_found


@pytest.mark.parametrize("body", [None, [], "x", 5, {}, {"spec": None}, {"spec": []}, {"spec": {"containers": {}}}])
def test_bodies_of_other_shapes_ask_for_nothing(body: Any) -> None:
    for verb in ("create", "patch"):
        one = event(verb=verb, body=body)
        assert holds("Containers not exists", one)
        assert not holds(ANY_PRIVILEGED, one)
    odd = event(verb="create", body={"spec": {"containers": ["x", None, 5, [PRIVILEGED], PRIVILEGED]}})
    assert odd.containers == [{**PRIVILEGED, "kind": "container"}]


def test_words_of_a_strategic_patch_are_left_out_of_patches_only() -> None:
    spec = {
        "$retainKeys": ["containers"],
        "containers": [{"$patch": "replace"}, {"name": "a", "$patch": "merge"}, {**PRIVILEGED, "$patch": "delete"}],
        "securityContext": {"$patch": "delete", "runAsUser": 0},
        "volumes": [{"name": "v", "hostPath": {"path": "/", "$patch": "replace"}}],
    }

    assert request("pods", "patch", spec).podSpec == {
        "containers": [{"name": "a"}],
        "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
    }
    assert request("pods", "create", spec).podSpec == spec
    # The API server knows no such words when an object is made, so they hide nothing.
    assert holds(ANY_PRIVILEGED, request("pods", "create", spec))


@pytest.mark.parametrize(
    ("operations", "containers"),
    [
        ([("add", "C/-", PRIVILEGED)], [PRIVILEGED]),
        ([("add", "", {"spec": {"containers": [PRIVILEGED]}})], [PRIVILEGED]),
        ([("replace", "/spec", {"containers": [PRIVILEGED]})], [PRIVILEGED]),
        ([("replace", "C", [HARMLESS, PRIVILEGED])], [HARMLESS, PRIVILEGED]),
        ([("add", "C/0/securityContext/privileged", True)], [{"securityContext": {"privileged": True}}]),
        (
            [("add", "C/1/securityContext", {}), ("add", "C/1/securityContext/privileged", True)],
            [{"securityContext": {"privileged": True}}],
        ),
        (
            [("replace", "C/0/name", "a"), ("replace", "C/0/image", "b")],
            [{"name": "a", "image": "b"}],
        ),
        (
            [("replace", "C/1/name", "b"), ("replace", "C/0/name", "a")],
            [{"name": "a"}, {"name": "b"}],
        ),
        ([("add", "C/-/name", "a"), ("add", "C/-/name", "b")], [{"name": "a"}, {"name": "b"}]),
        ([("add", "C/1000000000/name", "a")], [{"name": "a"}]),
        ([("add", "C/-1/name", "a"), ("add", "C/01/name", "b")], [{"name": "a"}, {"name": "b"}]),
        ([("add", "C/0", PRIVILEGED), ("add", "C/0", HARMLESS)], [HARMLESS, PRIVILEGED]),
        ([("add", "C/0", PRIVILEGED), ("replace", "C/0", HARMLESS)], [HARMLESS]),
        ([("add", "C", [PRIVILEGED]), ("add", "C/0/name", "z")], [{**PRIVILEGED, "name": "z"}]),
        ([("add", "C", [PRIVILEGED]), ("add", "C/-", HARMLESS)], [PRIVILEGED, HARMLESS]),
        ([("add", "C/0", PRIVILEGED), ("remove", "C/0")], [PRIVILEGED]),
        ([("add", "x/spec/containers/0/name", "a")], [{"name": "a"}]),
        ([("add", "C/0/env", [{"name": "a~1b"}])], [{"env": [{"name": "a~1b"}]}]),
        ([("add", "C/0/a~1b~0c~01d", 1)], [{"a/b~c~1d": 1}]),
        ([("add", "/metadata/labels/spec", [PRIVILEGED])], None),
        ([("add", "/status/containers", [PRIVILEGED])], None),
        ([("add", "/spec/nodeName", "a")], None),
        ([("add", "spec", {"containers": [PRIVILEGED]})], None),
        ([("Add", "C/0", PRIVILEGED)], None),
        ([("add", "C/name", PRIVILEGED), ("add", None, 1), ("add", "C/0")], None),
        ([("add", "C/0" + "/a" * 100_000, 1)], None),
        ([("add", "C/+1/name", "a"), ("add", "C/1/image", "b")], [{"name": "a", "image": "b"}]),
        ([("add", "C/\u0661/name", "a")], None),
        ([("add", "C/" + "1" * 5_000 + "/name", "a")], None),
        ([("add", "C/-", PRIVILEGED)] * 10_000, [PRIVILEGED] * 10_000),
        ([("add", "C/-", PRIVILEGED)] * 10_001, None),
    ],
)  # fmt: skip
def test_a_json_patch_is_built_up(operations: list[Any], containers: list[Any] | None) -> None:
    one = patched(*operations)

    expected = None if containers is None else [{**container, "kind": "container"} for container in containers]
    assert one.containers == expected


def test_operations_of_a_patch_do_not_change_what_it_says() -> None:
    one = patched(("add", "/spec", {"containers": [PRIVILEGED]}), ("add", "/spec/containers/0/name", "z"))
    before = orjson.dumps(one.requestBody)

    assert one.containers is not None
    assert orjson.dumps(one.requestBody) == before


@pytest.mark.parametrize(
    "make",
    [
        lambda deep: {"spec": deep},
        lambda deep: {"spec": {"containers": [deep]}},
        lambda deep: [{"op": "add", "path": "/spec/containers/0/a/b/c", "value": deep}],
        lambda deep: [{"op": "add", "path": "/spec", "value": {"containers": [deep]}}],
    ],
)
def test_depth_that_a_sender_chooses_stops_nothing(make: Callable[[Any], Any]) -> None:
    deep: Any = None
    for _ in range(450):
        deep = {"a": deep, "$x": [deep]} if deep is None else {"a": deep}
    conditions = (
        "PodSpec exists", "Containers exists", 'Containers contains "x"', 'Containers[*] contains "x"',
        "PodSpec.a exists", 'PodSpec.* contains "x"', "any Containers[*] (a exists)", "RequestObject exists",
        'RequestObject contains "x"',
    )  # fmt: skip
    more = ", output: '${PodSpec} ${Containers} ${RequestObject}'"
    entries = [rule(one, name=f"r{number}", more=more) for number, one in enumerate(conditions)]
    rules = rule_set_of(document("".join(entries)))
    for verb in ("create", "patch"):
        one = event(verb=verb, body=make(deep))
        verdict = rules.decide(one)
        assert not verdict.errors
        assert all(found.message(one) for found in rules.alerting)


def test_a_body_is_decoded_only_where_it_can_hold_a_specification() -> None:
    class Watched(Event, kw_only=True):
        @property
        def requestBody(self) -> Any:  # noqa: N802 - named after the field
            raise AssertionError("the body was decoded")

    for verb, resource, group, body in (
        ("get", "pods", "", {"spec": {}}),
        ("update", "leases", "coordination.k8s.io", {"spec": {"template": {"spec": {}}}}),
        ("patch", "widgets", "example.com", {"spec": {"size": 5}}),
    ):
        seen = Watched(
            level="Request", auditID="a", stage="s", verb=verb, objectRef=ObjectRef(resource=resource, apiGroup=group),
            requestObject=msgspec.Raw(orjson.dumps(body)),
        )  # fmt: skip
        assert not holds(SAME_ELEMENT, seen)


def test_an_escaped_letter_hides_no_template() -> None:
    body = b'{"spec":{"templ\\u0061te":{"spec":{"hostNetwork":true}}}}'

    assert holds(
        "PodSpec.hostNetwork = true",
        event(verb="create", resource="deployments").with_changes(requestObject=msgspec.Raw(body)),
    )


def test_where_the_body_is_unknown_only_requests_that_may_ask_are_undecided() -> None:
    rules = rule_set_of(document(rule(f"{ANY_PRIVILEGED} or PodSpec.hostNetwork = true")))

    def undecided(**changes: Any) -> bool:
        one = event(**changes)
        one.unknown_paths = frozenset(("requestObject", "responseObject"))
        return bool(rules.decide(one).undecided)

    assert undecided(verb="create")
    assert undecided(verb="patch", resource="deployments")
    assert not undecided(verb="get")
    assert not undecided(verb="patch", subresource="status")
    assert not undecided(verb="create", resource="configmaps")


@pytest.mark.parametrize("key", [b'"$patch"', b'"\\u0024patch"', b'"\\u0024p\\u0061tch"'])
def test_a_directive_is_found_however_its_key_is_written(key: bytes) -> None:
    body = (
        b'{"spec":{"containers":[{"name":"a",%b:"delete","securityContext":{"privileged":true}},{"name":"b"}]}}' % key
    )

    patched = event(verb="patch", requestObject=msgspec.Raw(body))

    assert patched.containers == [{"name": "b", "kind": "container"}]
