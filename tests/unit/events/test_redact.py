"""Secret values never reach what is stored; everything else keeps its exact bytes."""

import json
import re

import msgspec
import pytest

from audit_events import as_kubesphere, item, text_of
from auditwire.events import ObjectRef, as_stored, decode, encode_line
from auditwire.events.redact import redact_body
from auditwire.events.secret_places import LAST_APPLIED
from captures import Capture, each_of, logs, own_bodies, own_logs
from payloads import payload

M = "[REDACTED]"
SECRETS = ObjectRef(resource="secrets", namespace="shop", name="registry", apiVersion="v1")
PODS = ObjectRef(resource="pods", namespace="shop", name="web", apiVersion="v1")
TOKENS = ObjectRef(resource="serviceaccounts", name="builder", subresource="token")
REVIEWS = ObjectRef(resource="tokenreviews", apiGroup="authentication.k8s.io")
SECRET = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s"}, "data": {"a": "c2VjcmV0"}, "type": "Opaque"}
MASKED = SECRET | {"data": {"a": M}}


def redacted(body: object, about: ObjectRef = SECRETS) -> object:
    text = msgspec.Raw(body if isinstance(body, bytes) else text_of(body))
    return json.loads(bytes(redact_body(text, about)))


def annotated(value: object, **more: object) -> dict[str, object]:
    return {"metadata": {"name": "s", "annotations": {LAST_APPLIED: value, "owner": "shop"}} | more}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(SECRET, MASKED, id="Secret"),
        pytest.param({"data": {"a": 1, "b": ["x"], "c": {"d": "x"}}},
                     {"data": {"a": M, "b": M, "c": M}}, id="odd values"),
        pytest.param({"stringData": {"a": "x"}}, {"stringData": {"a": M}}, id="stringData"),
        pytest.param({"Data": {"a": "x"}, "STRINGDATA": {"b": "y"}},
                     {"Data": {"a": M}, "STRINGDATA": {"b": M}}, id="casing"),
        pytest.param({"data": {"a": None}}, {"data": {"a": None}}, id="merge patch that deletes a key"),
        pytest.param({"data": None}, {"data": None}, id="merge patch that deletes all"),
        pytest.param({"data": "x"}, {"data": M}, id="data that is no object"),
        pytest.param({"data": [{"a": "x"}]}, {"data": M}, id="data that is an array"),
        pytest.param({"data": {}}, {"data": {}}, id="no data"),
        pytest.param(annotated("{...}"), annotated(M), id="last applied"),
        pytest.param({"metadata": {"labels": {"data": "x"}}},
                     {"metadata": {"labels": {"data": "x"}}}, id="a label named data"),
        pytest.param({"items": [SECRET, SECRET]}, {"items": [MASKED, MASKED]}, id="list"),
        pytest.param({"kind": "SecretList", "items": [{"data": {"a": "x"}} | annotated("x")]},
                     {"kind": "SecretList", "items": [{"data": {"a": M}} | annotated(M)]}, id="SecretList"),
        pytest.param({"kind": "Table", "rows": [{"cells": ["s", 1], "object": SECRET}]},
                     {"kind": "Table", "rows": [{"cells": ["s", 1], "object": MASKED}]}, id="Table"),
        pytest.param({"type": "ADDED", "object": SECRET}, {"type": "ADDED", "object": MASKED}, id="watch event"),
        pytest.param({"kind": "Status", "code": 404, "details": {"name": "s"}},
                     {"kind": "Status", "code": 404, "details": {"name": "s"}}, id="Status"),
        pytest.param("skipped-too-big-size-object", M, id="string"),
        pytest.param("", M, id="empty string"),
        pytest.param(5, M, id="number"),
        pytest.param(True, M, id="boolean"),
        pytest.param(["x", 5, None], [M, M, None], id="array of no objects"),
        pytest.param([SECRET], [MASKED], id="array of Secrets"),
    ],
)  # fmt: skip
def test_bodies_on_secrets_lose_their_values(body: object, expected: object) -> None:
    assert redacted(body) == expected
    assert redacted(expected) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("/data/a", "x", M),
        ("/data/a", {"b": "x"}, M),
        ("/data/a", None, None),
        ("/data/a~1b", "x", M),
        ("/data/a/b/c/d/e/f", "x", M),
        ("/stringData/a", "x", M),
        ("/DATA/a", "x", M),
        ("/data", {"a": "x", "b": None}, {"a": M, "b": None}),
        ("/data", "x", M),
        ("/stringData", {"a": "x"}, {"a": M}),
        ("", SECRET, MASKED),
        ("", "x", M),
        ("/metadata", annotated("x")["metadata"], annotated(M)["metadata"]),
        ("/metadata/annotations", {LAST_APPLIED: "x", "owner": "shop"}, {LAST_APPLIED: M, "owner": "shop"}),
        ("/metadata/annotations/" + LAST_APPLIED.replace("/", "~1"), "x", M),
        ("/metadata/annotations/owner", "shop", "shop"),
        ("/metadata/labels/data", "x", "x"),
        ("/metadata/labels/" + "a/" * 50_000, "x", "x"),
        ("/type", "Opaque", "Opaque"),
        ("/immutable", True, True),
        ("data/a", "x", M),
        ("no pointer", "x", M),
        (None, "x", M),
        (5, "x", M),
    ],
)  # fmt: skip
@pytest.mark.parametrize("op", ["add", "replace", "test"])
def test_operations_of_a_json_patch_lose_the_values_they_carry(
    op: str, path: object, value: object, expected: object
) -> None:
    harmless = {"op": "remove", "path": "/data/b"}

    assert redacted([{"op": op, "path": path, "value": value}, harmless]) == [
        {"op": op, "path": path, "value": expected},
        harmless,
    ]


def test_operations_are_read_however_they_are_spelled() -> None:
    assert redacted([{"op": "add", "path": "/data/a", "Value": "x"}]) == [{"op": "add", "path": "/data/a", "Value": M}]
    assert redacted([{"op": "add", "Path": "/data/a", "value": "x"}]) == [{"op": "add", "Path": "/data/a", "value": M}]
    assert redacted([{"op": "add", "path": "/metadata", "path ": "/data", "value": {"data": 1}}]) != []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(SECRET, MASKED, id="Secret"),
        pytest.param({"kind": "List", "items": [SECRET, {"kind": "ConfigMap", "data": {"a": "x"}}]},
                     {"kind": "List", "items": [MASKED, {"kind": "ConfigMap", "data": {"a": "x"}}]}, id="List"),
        pytest.param({"kind": "SecretList", "items": [{"data": {"a": "x"}}]},
                     {"kind": "SecretList", "items": [{"data": {"a": M}}]}, id="SecretList"),
        pytest.param({"spec": {"manifests": [{"deep": SECRET | annotated("x")}]}},
                     {"spec": {"manifests": [{"deep": MASKED | annotated(M)}]}}, id="embedded"),
        pytest.param([{"op": "add", "path": "/spec", "value": SECRET}],
                     [{"op": "add", "path": "/spec", "value": MASKED}], id="JSON patch"),
        pytest.param({"x": {"kind": "TokenReview", "spec": {"token": "x"}}},
                     {"x": {"kind": "TokenReview", "spec": {"token": M}}}, id="TokenReview"),
        pytest.param({"x": {"kind": "TokenRequest", "status": {"token": "x"}}},
                     {"x": {"kind": "TokenRequest", "status": {"token": M}}}, id="TokenRequest"),
    ],
)  # fmt: skip
def test_secrets_in_other_bodies_are_found_by_their_kind(body: object, expected: object) -> None:
    assert redacted(body, PODS) == expected
    assert redacted(body, ObjectRef()) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "ConfigMap", "data": {"a": "x"}},
        {"spec": {"volumes": [{"secret": {"secretName": "Secret"}}]}},
        {"involvedObject": {"kind": "Secret", "name": "s"}},
        {"kind": ["Secret"], "data": {"a": "x"}},
        {"metadata": {"annotations": {LAST_APPLIED: '{"kind":"Secret"}'}}},
        {"description": "A \u003cSecret\u003e", "enum": ["Secret", "ConfigMap"]},
        {"status": {"token": "no token object"}},
        {"kind": "TokenReview", "spec": {"token": ""}},
        {"kind": "TokenRequest", "spec": {"audiences": None}, "status": {"token": ""}},
        "Secret",
        None,
    ],
)
def test_bodies_that_hold_no_secret_keep_their_very_bytes(body: object) -> None:
    text = msgspec.Raw(text_of(body))

    assert redact_body(text, PODS) is text


def test_a_kind_spelled_with_escapes_is_a_kind() -> None:
    assert redacted(b'{"x":{"\\u006bind":"Secre\\u0074","data":{"a":"x"}}}', PODS) == {
        "x": {"kind": "Secret", "data": {"a": M}}
    }


@pytest.mark.parametrize(
    ("body", "about", "expected"),
    [
        ({"status": {"token": "x", "expirationTimestamp": "t"}}, TOKENS,
         {"status": {"token": M, "expirationTimestamp": "t"}}),
        ({"status": {"token": None}}, TOKENS, {"status": {"token": None}}),
        ({"spec": {"token": "x"}, "status": {"user": {"username": "a"}}}, REVIEWS,
         {"spec": {"token": M}, "status": {"user": {"username": "a"}}}),
        ({"Spec": {"Token": "x"}}, REVIEWS, {"Spec": {"Token": M}}),
        ("x", TOKENS, M),
        ([{"op": "add", "path": "/spec/token", "value": "x"}], REVIEWS,
         [{"op": "add", "path": "/spec/token", "value": M}]),
        ({"metadata": {"name": "builder"}}, ObjectRef(resource="serviceaccounts"), {"metadata": {"name": "builder"}}),
    ],
)  # fmt: skip
def test_tokens_are_taken_out_of_token_objects(body: object, about: ObjectRef, expected: object) -> None:
    assert redacted(body, about) == expected


def test_the_first_value_of_a_key_given_twice_does_not_slip_through() -> None:
    for text in (
        b'{"data":{"a":"c2VjcmV0"},"data":{}}',
        b'{"data":{"a":"c2VjcmV0","a":null}}',
        b'{"metadata":{"annotations":{"%b":"c2VjcmV0"}},"metadata":{}}' % LAST_APPLIED.encode(),
        b'{"x":{"kind":"Secret","data":{"a":"c2VjcmV0"}},"x":1}',
        b'[{"op":"add","path":"/data/a","value":"c2VjcmV0","value":null}]',
    ):
        assert b"c2VjcmV0" not in bytes(redact_body(msgspec.Raw(text), SECRETS))


def test_values_around_a_secret_keep_their_exact_text() -> None:
    text = (
        b'{ "kind":"Secret","x":1.0e+2,"y":123456789012345678901234567890,"z":"\\u003c\\/\\u00e9", "w":{ "a" :1},'
        b'"data":{"a":"x"}}'
    )

    assert bytes(redact_body(msgspec.Raw(text), SECRETS)) == (
        b'{"kind":"Secret","x":1.0e+2,"y":123456789012345678901234567890,"z":"\\u003c\\/\\u00e9","w":{ "a" :1},'
        b'"data":{"a":"[REDACTED]"}}'
    )


def test_a_secret_without_values_keeps_its_very_bytes() -> None:
    for text in (b'{"kind":"Secret","type":"Opaque"}', b'{\n "kind": "Secret",\n "data": {}\n}', b"{}", b"[]"):
        body = msgspec.Raw(text)
        assert redact_body(body, SECRETS) is body


@pytest.mark.parametrize(
    "text",
    [
        b'{"items":[' * 240 + b'{"data":{"a":"c2VjcmV0"}}' + b"]}" * 240,
        b'{"x":' * 480 + b'{"kind":"Secret","data":{"a":"c2VjcmV0"}}' + b"}" * 480,
        b"[" * 480 + b'{"kind":"Secret","data":{"a":"c2VjcmV0"}}' + b"]" * 480,
    ],
)
def test_deep_bodies_are_redacted_in_bounded_stack(text: bytes) -> None:
    padded = text.replace(b"c2VjcmV0", b"c2VjcmV0" * 100_000)

    for about in (SECRETS, PODS):
        if about is SECRETS or b'"kind"' in text:
            assert b"c2VjcmV0" not in bytes(redact_body(msgspec.Raw(padded), about))


@pytest.mark.parametrize(
    "name", ["kube-apiserver-1.34-secrets", "kube-apiserver-1.34-tokens", "ks-apiserver-3.4-batch"]
)
def test_no_sender_gets_a_secret_into_the_archive(name: str) -> None:
    decoded = decode(payload(name))
    stored = [as_stored(event, None) for event in decoded.events]
    lines = b"\n".join(encode_line(event, {}) for event in stored)

    assert any("redacted" in event.flags for event in stored)
    for secret in (b"synthetic-secret", b"c3ludGhldGlj"):
        assert secret in payload(name) or secret == b"c3ludGhldGlj" or name.startswith("ks")
        assert secret not in lines
    assert name.endswith("tokens") or b'"owner":"team-shop"' in lines


def test_bodies_of_kubesphere_are_redacted_alike() -> None:
    event = item(level="Request", objectRef={"resource": "secrets"}, requestObject=SECRET)
    (received,) = decode(text_of(as_kubesphere(event))).events

    assert as_stored(received, None).requestBody == MASKED


# What redaction must find in captured events: values that were given as secrets, and tokens that were issued.
_SECRET = re.compile(rb"LEAKME|TEVBS01F|eyJ[A-Za-z0-9_-]{15,}\.eyJ")


@each_of(own_logs() + own_bodies())
def test_no_captured_secret_is_stored(capture: Capture) -> None:
    events = [event for line in capture.lines for event in decode(line).events]
    stored = [as_stored(event, None) for event in events]

    assert not any(_SECRET.search(encode_line(event, {})) for event in stored)


def test_the_captured_events_hold_secrets_in_bodies_of_every_sender() -> None:
    holding = {capture.name for capture in own_logs() + own_bodies() if _SECRET.search(b"\n".join(capture.lines))}

    assert holding == {
        "ks-apiserver-v4.1.3-webhook-bodies",
        "kube-apiserver-v1.36.2-audit-log.all-stages",
        "kube-apiserver-v1.36.2-webhook-bodies",
    }


@each_of(logs())
def test_only_secrets_and_tokens_of_captured_events_lose_values(capture: Capture) -> None:
    for event in decode(b"\n".join(capture.lines)).events:
        if as_stored(event, None) is not event:
            about = (event.objectRef.resource, event.objectRef.subresource)
            held = about[0] in {"secrets", "tokenreviews"} or about == ("serviceaccounts", "token")
            assert held or "token=" in event.requestURI
