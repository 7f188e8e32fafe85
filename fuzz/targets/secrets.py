"""Redaction: a marked secret, in every form the promise covers, must not survive into the archived line.

Inputs are seeds of a generator, for a change to the text of an event could make the secret something nobody promised to
hide.
"""

import base64
import json
from collections.abc import Callable, Hashable
from random import Random
from typing import Any

from auditwire.events import Flag, as_stored, decode, encode_line, settle
from auditwire.events.redact import Redactor
from auditwire.events.secret_places import Redaction
from fuzz.target import Target
from fuzz.targets.bodies import RECEIVED

MARK = "S3cr3tM4rk-0123"
_FORMS = (MARK, base64.b64encode(MARK.encode()).decode(), "73194650281739465")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TOKEN_URIS = (
    "/a?token=%s", "/a?b=c&access_token=%s", "/a?b&ACCESS-TOKEN=%s&c=d", "/a?to%%6ben=%s", "/a#token=%s",
    "/apis/build.openshift.io/v1/namespaces/a/buildconfigs/b/webhooks/%s/github",
    "/apis/oauth.openshift.io/v1/oauthaccesstokens/%s",
    "/exec?x=1;authorization=Bearer%%20%s", "/x?protocol=base64url.bearer.authorization.k8s.io.%s", "/p?u=%%3Ftoken%%3D%s",
)  # fmt: skip


_SITE = Redactor((Redaction(("spec", "users", "pin"), ("widgets.example.com", "widgets")),))


class _Object(list[tuple[str, Any]]):
    """The members of a JSON object in order; unlike a dict it can hold one key twice."""


def _redaction(data: bytes) -> Hashable:
    body, kind = sample(data)
    decoded = decode(body)
    assert len(decoded.events) == 1, f"no event came out of {body!r}"
    event = decoded.events[0]
    settle(event, cluster="prod", received=RECEIVED)
    stored = as_stored(event, None, redactor=_SITE)
    line = encode_line(stored, {})
    seen = line.decode() + json.dumps(json.loads(line), ensure_ascii=False)
    for form in _FORMS:
        assert form not in seen, f"{kind}: a secret survived in {line!r}, received {body!r}"
    assert str(Flag.REDACTED) in stored.flags, f"{kind}: not flagged"
    return kind


def sample(seed: bytes) -> tuple[bytes, str]:
    """A request body with one event that carries the secret, and which form that is."""
    rng = Random(seed)
    kind = rng.choice(list(_KINDS))
    resource, subresource, body = _KINDS[kind](rng)
    fields = _Object(
        [
            ("kind", "Event"),
            ("level", "RequestResponse"),
            ("auditID", "a"),
            ("stage", "ResponseComplete"),
            ("verb", rng.choice(["create", "patch", "update", "get", "list", "watch", "deletecollection"])),
            ("objectRef", _Object([("resource", resource), ("subresource", subresource), ("name", "db")])),
        ]
    )
    if kind == "uri":
        fields.append(("requestURI", body))
    else:
        name = rng.choice(["requestObject", "responseObject"])
        other = "responseObject" if name == "requestObject" else "requestObject"
        fields.append((name, body))
        if rng.random() < 0.2:
            fields.append((other, _Object([("kind", "Status"), ("status", "Failure")])))
    if rng.random() < 0.5:
        rng.shuffle(fields)
    casing = rng.random()
    if casing < 0.3:
        fields = _Object([(_go(key), value) for key, value in fields])
    elif casing < 0.4:
        fields = _Object([(rng.choice([key.lower(), key.upper(), key]), value) for key, value in fields])
    text = _text(rng, fields, 0)
    wrapped = rng.choice(["%s", '{"items":[%s]}', "[%s]", '{"Items":[%s]}', "%s\n"]) % text
    return wrapped.encode(), kind


def _go(key: str) -> str:
    return {"auditID": "AuditID", "requestURI": "RequestURI"}.get(key, key[0].upper() + key[1:])


def _value(rng: Random) -> Any:
    """The secret as a value: text, base64, a number, or deeper inside."""
    choice = rng.random()
    if choice < 0.7:
        return rng.choice(_FORMS[:2])
    if choice < 0.8:
        return int(_FORMS[2])
    return [_value(rng)] if choice < 0.9 else _Object([("x", _value(rng))])


def _secret(rng: Random, *, kind: bool) -> _Object:
    """A Secret with the mark in one to three of its places."""
    fields = _Object([("metadata", _Object([("name", "db"), ("labels", _Object([("a", "b")]))])), ("type", "Opaque")])
    if kind:
        fields.append(("kind", "Secret"))
    places = rng.sample(["data", "stringData", "annotation", "twice"], 1 + int(rng.random() * 3))
    for place in places:
        if place == "annotation":
            metadata = rng.choice(["metadata", "Metadata"] if rng.random() < 0.1 else ["metadata"])
            value = rng.choice([MARK, json.dumps({"kind": "Secret", "data": {"a": MARK}})])
            fields.append((metadata, _Object([("annotations", _Object([(_LAST_APPLIED, value), ("b", "c")]))])))
        elif place == "twice":
            fields.append(("data", _Object([("a", MARK), ("a", "x")])))
            fields.append(("data", _Object([("k", MARK)])))
        else:
            name = rng.choice([place, place.lower(), place.upper()]) if rng.random() < 0.2 else place
            held = _Object([(rng.choice(["password", "", "a.b", "🦊"]), _value(rng)), ("n", None)])
            fields.append((name, held if rng.random() < 0.9 else _value(rng)))
    rng.shuffle(fields)
    return fields


def _on_secrets(rng: Random) -> tuple[str, str, Any]:
    resource = rng.choice(["secrets", "secrets", "Secrets"])
    one = _secret(rng, kind=rng.random() < 0.5)
    shapes: list[Callable[[], Any]] = [
        lambda: one,
        lambda: _Object([("kind", "SecretList"), ("items", [one, _secret(rng, kind=False)])]),
        lambda: _Object([("items", [one])]),
        lambda: _Object([("kind", "Table"), ("rows", [_Object([("cells", ["db", "1"]), ("object", one)])])]),
        lambda: _Object([("type", "ADDED"), ("object", one)]),
        lambda: [one],
        lambda: [[one]],
        lambda: MARK,
        lambda: int(_FORMS[2]),
        lambda: [MARK],
    ]
    return resource, rng.choice(["", "", "status"]), rng.choice(shapes)()


def _patch(rng: Random) -> tuple[str, str, Any]:
    escaped = _LAST_APPLIED.replace("/", "~1")
    annotations = _Object([(_LAST_APPLIED, MARK), ("a", "b")])
    whole = _secret(rng, kind=False)
    path, value = rng.choice(
        [
            ("/data/password", _value(rng)),
            ("/data/a~1b", MARK),
            ("/data", _Object([("a", _value(rng))])),
            ("/stringData/x", MARK),
            ("/stringData", _Object([("x", MARK)])),
            ("/STRINGDATA/x", MARK),
            ("/data/x/y/z/deeper/still", MARK),
            ("", whole),
            ("", MARK),
            (f"/metadata/annotations/{escaped}", MARK),
            ("/metadata/annotations", annotations),
            ("/metadata", _Object([("annotations", annotations)])),
            ("data/password", MARK),
        ]
    )
    operation = _Object([("op", rng.choice(["add", "replace", "test"])), ("path", path), ("value", value)])
    rng.shuffle(operation)
    harmless = _Object([("op", "remove"), ("path", "/metadata/labels/a")])
    return "secrets", "", rng.choice([[operation], [harmless, operation], [operation, operation]])


_WRAPPINGS: list[Callable[[Any], Any]] = [
    lambda inner: [inner],
    lambda inner: _Object([("items", [inner])]),
    lambda inner: _Object([("spec", inner), ("kind", "Template")]),
    lambda inner: _Object([("a", 1), ("object", inner)]),
]


def _elsewhere(rng: Random) -> tuple[str, str, Any]:
    """Inside of bodies on other resources, Secrets give themselves away by their kind."""
    body: Any = _secret(rng, kind=True)
    for _ in range(int(rng.random() ** 2 * 60)):
        body = rng.choice(_WRAPPINGS)(body)
    return rng.choice(["pods", "templates", "", "configmaps"]), "", body


def _token(rng: Random) -> tuple[str, str, Any]:
    kind = rng.random() < 0.5
    if rng.random() < 0.5:
        fields = _Object(
            [("status", _Object([("token", MARK), ("expirationTimestamp", "x")])), ("metadata", _Object())]
        )
        about, name = ("serviceaccounts", "token"), "TokenRequest"
    else:
        fields = _Object([("spec", _Object([("token", MARK), ("audiences", ["a"])])), ("status", _Object())])
        about, name = ("tokenreviews", ""), "TokenReview"
    if kind:
        fields.insert(int(rng.random() * 3), ("kind", name))
        if rng.random() < 0.5:
            about = ("pods", "")
    return *about, fields


def _of_kubesphere(rng: Random) -> tuple[str, str, Any]:
    """Passwords of users, and Secrets for several clusters."""
    if rng.random() < 0.5:
        key = rng.choice(["password", "Password", "PASSWORD"])
        if rng.random() < 0.3:
            return "users", "password", _Object([("currentPassword", MARK), (key, MARK)])
        user: Any = _Object([("spec", _Object([("email", "a@example.com"), (key, _value(rng))]))])
        if rng.random() < 0.5:
            user.insert(0, ("kind", "User"))
        path = [_Object([("op", "replace"), ("path", "/spec/password"), ("value", MARK)])]
        return "users", "", rng.choice([user, path, _Object([("items", [user])])])
    override = _Object([("path", rng.choice(["/data/a", "/stringData/a", "/data", ""])), ("value", MARK)])
    clusters = [_Object([("clusterName", "c"), ("clusterOverrides", [override])])]
    spec = _Object([("template", _secret(rng, kind=False)), ("overrides", clusters)])
    return rng.choice(["federatedsecrets", "pods"]), "", _Object([("kind", "FederatedSecret"), ("spec", spec)])


def _of_site(rng: Random) -> tuple[str, str, Any]:
    """What only a site knows to be a secret."""
    one = _Object([("name", "a"), (rng.choice(["pin", "Pin", "PIN"]), _value(rng))])
    widget: Any = _Object([("kind", "Widget"), ("spec", _Object([("users", rng.choice([[one], one, [[one]]]))]))])
    patch = [
        _Object([("op", "add"), ("path", rng.choice(["/spec/users/0/pin", "/spec/users/-/pin"])), ("value", MARK)]),
        _Object([("op", "add"), ("path", "/spec/users"), ("value", [one])]),
    ]
    return rng.choice(["widgets", "Widgets"]), "", rng.choice([widget, patch, _Object([("items", [widget])]), MARK])


def _uri(rng: Random) -> tuple[str, str, Any]:
    return "pods", "exec", rng.choice(_TOKEN_URIS) % MARK


_KINDS: dict[str, Callable[[Random], tuple[str, str, Any]]] = {
    "on secrets": _on_secrets,
    "patch": _patch,
    "elsewhere": _elsewhere,
    "token": _token,
    "of KubeSphere": _of_kubesphere,
    "of a site": _of_site,
    "uri": _uri,
}


def _text(rng: Random, value: Any, depth: int) -> str:
    """JSON text, with white space and escapes where they are legal."""
    space = rng.choice([" ", "\n ", "\t", "\r\n"]) if rng.random() < 0.05 else ""
    if isinstance(value, _Object):
        members = (f"{_string(rng, key)}{space}:{_text(rng, one, depth + 1)}" for key, one in value)
        return f"{{{space}{f'{space},'.join(members)}{space}}}"
    if isinstance(value, list):
        return f"[{f',{space}'.join(_text(rng, one, depth + 1) for one in value)}{space}]"
    return _string(rng, value) if isinstance(value, str) else json.dumps(value)


def _string(rng: Random, text: str) -> str:
    if rng.random() < 0.9:
        return json.dumps(text, ensure_ascii=rng.random() < 0.5)
    share = rng.random()
    return (
        '"'
        + "".join(_escaped(character) if rng.random() < share else json.dumps(character)[1:-1] for character in text)
        + '"'
    )


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else json.dumps(character)[1:-1]


def _seed(rng: Random, corpus: list[bytes]) -> bytes:
    return rng.getrandbits(64).to_bytes(8, "big")


REDACTION = Target("redaction", _redaction, lambda: [b"first"], _seed, share=3)
