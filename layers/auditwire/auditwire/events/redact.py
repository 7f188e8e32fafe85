"""Redacting secrets in request and response bodies, before anything is stored.

Works on the JSON text level by level, and rewrites only the objects on the way to a secret. Every other value keeps the
exact bytes that were received.
"""

import re
from collections.abc import Callable

import msgspec

from auditwire.events.casing import NULL, fields_of, is_object
from auditwire.events.model import ObjectRef
from auditwire.events.redact_uri import MARK as MARK_TEXT

MARK = msgspec.Raw(msgspec.json.encode(MARK_TEXT))
EMPTY = msgspec.Raw(b'""')
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_SECRET_MAPS = ("data", "stringdata")
# What contains whole objects: the items of a list, the rows of a Table with their object, the object of a watch event.
_HOLDERS = ("items", "rows", "object")
_TOKEN_HOLDERS = ("spec", "status")
_SECRET_KINDS = ("Secret", "SecretList")
_TOKEN_KINDS = ("TokenRequest", "TokenReview")
# Objects are recognised by their kind. A client may escape letters in it, so escaped letters are looked into too.
_KIND_TEXTS = tuple(b'"%b"' % kind.encode() for kind in (*_SECRET_KINDS, *_TOKEN_KINDS))
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")
# No object inside an object is deeper. What still looks like a Secret there is replaced as a whole, which bounds both
# the stack and how often a text is read.
_MAX_DEPTH = 40
# No secret in a Secret or TokenRequest is deeper than /metadata/annotations/NAME.
_MAX_PATH_LENGTH = 4

_Rewrite = Callable[[msgspec.Raw], msgspec.Raw]


def redact_body(body: msgspec.Raw, about: ObjectRef) -> msgspec.Raw:
    """The body without secret values; keys are kept. The same object if there were none.

    ``about`` decides how the body is read. Bodies on ``secrets`` (of any API group) are read in every form they have:
    object, list, table, merge patch, JSON patch. So are those of token requests and token reviews. If such a body is
    neither an object nor an array, it cannot be read and is replaced as a whole. In any other body, objects are
    recognised by their ``kind``.
    """
    resource = about.resource.lower()
    if resource == "secrets":
        return _on_resource(body, lambda text: _in_secret(text, 0))
    if resource == "tokenreviews" or (resource == "serviceaccounts" and about.subresource.lower() == "token"):
        return _on_resource(body, lambda text: _in_token_holder(text, 0))
    return _by_kind(body, 0)


def _on_resource(body: msgspec.Raw, redact: _Rewrite) -> msgspec.Raw:
    if is_object(body):
        return redact(body)
    if _is_array(body):
        return _in_array(body, lambda item: _in_array_item(item, redact))
    return _masked(body)


def _in_secret(text: msgspec.Raw, depth: int) -> msgspec.Raw:
    """Redacts a Secret, a part of one, or a list of them."""
    if depth > _MAX_DEPTH:
        return _masked(text)
    if _is_array(text):
        return _in_array(text, lambda item: _in_secret(item, depth + 1))
    if not is_object(text):
        return text

    def rewrite(key: str, value: msgspec.Raw) -> msgspec.Raw:
        if key in _SECRET_MAPS:
            return _in_object(value, lambda _, secret: _masked(secret)) if is_object(value) else _masked(value)
        if key == "metadata":
            return _in_key(value, "annotations", lambda found: _in_key(found, LAST_APPLIED, _masked))
        return _in_secret(value, depth + 1) if key in _HOLDERS else _by_kind(value, depth + 1)

    return _in_object(text, rewrite)


def _in_token_holder(text: msgspec.Raw, depth: int) -> msgspec.Raw:
    """Redacts a TokenRequest or TokenReview: ``status.token`` and ``spec.token``."""

    def rewrite(key: str, value: msgspec.Raw) -> msgspec.Raw:
        return _in_key(value, "token", _masked_token) if key in _TOKEN_HOLDERS else _by_kind(value, depth + 1)

    return _in_object(text, rewrite) if is_object(text) else text


def _by_kind(text: msgspec.Raw, depth: int) -> msgspec.Raw:
    """Redacts any JSON value: Secrets and token objects wherever they are in it."""
    if not _may_hold_kind(bytes(text)):
        return text
    if depth > _MAX_DEPTH:
        return _masked(text)
    if _is_array(text):
        return _in_array(text, lambda item: _by_kind(item, depth + 1))
    if not is_object(text):
        return text
    kind = _text(fields_of(text).get("kind"))
    if kind in _SECRET_KINDS:
        return _in_secret(text, depth)
    if kind in _TOKEN_KINDS:
        return _in_token_holder(text, depth)
    return _in_object(text, lambda _, value: _by_kind(value, depth + 1))


def _may_hold_kind(text: bytes) -> bool:
    # Nearly every stored body passes here. Two words find four kinds, and the search for escapes is slow.
    if (b"Secret" in text or b"TokenRe" in text) and any(kind in text for kind in _KIND_TEXTS):
        return True
    return b"\\" in text and _ESCAPED_LETTER.search(text) is not None


def _in_array_item(item: msgspec.Raw, redact: _Rewrite) -> msgspec.Raw:
    """Redacts one operation of a JSON patch (RFC 6902) on a Secret or token object, or one object of a plain array."""
    if not is_object(item):
        return _masked(item)
    fields = fields_of(item)
    if "op" not in fields and "path" not in fields:
        return redact(item)
    path = _text(fields.get("path"))
    return _in_key(item, "value", lambda value: _at_path(path, value, redact))


def _at_path(path: str | None, value: msgspec.Raw, redact: _Rewrite) -> msgspec.Raw:
    """Redacts the value of an operation, by the place in the object that it is meant for.

    The value is put where the path points, redacted there as part of an object, and taken out again. So a path to a
    single key, to a whole map or to the whole object needs no special rule.
    """
    if path == "":
        return redact(value) if is_object(value) else _masked(value)
    if path is None or not path.startswith("/"):
        return _masked(value)
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")[:_MAX_PATH_LENGTH]]
    whole = value
    for part in reversed(parts):
        whole = msgspec.Raw(msgspec.json.encode({part: whole}))
    redacted = redact(whole)
    if redacted is whole:
        return value
    for part in parts:
        if not is_object(redacted):
            break
        redacted = fields_of(redacted)[part]
    return redacted


def _in_object(text: msgspec.Raw, rewrite: Callable[[str, msgspec.Raw], msgspec.Raw]) -> msgspec.Raw:
    """The object with every value rewritten. ``rewrite`` gets the key in lower case, because Go reads keys in any
    case."""
    fields = fields_of(text)
    rewritten = {key: rewrite(key.lower(), value) for key, value in fields.items()}
    encoded = msgspec.json.encode(rewritten)
    if all(rewritten[key] is value for key, value in fields.items()) and (
        encoded == bytes(text) or encoded == msgspec.json.format(bytes(text), indent=-1)
    ):
        return text
    # Also rewritten if no value changed but the text differs: then a key occurs twice, and its first value could be a
    # secret.
    return msgspec.Raw(encoded)


def _in_key(text: msgspec.Raw, name: str, rewrite: _Rewrite) -> msgspec.Raw:
    if not is_object(text):
        return text
    return _in_object(text, lambda key, value: rewrite(value) if key == name else value)


def _in_array(text: msgspec.Raw, rewrite: _Rewrite) -> msgspec.Raw:
    items = _LIST.decode(text)
    rewritten = [rewrite(item) for item in items]
    if all(new is old for new, old in zip(rewritten, items, strict=True)):
        return text
    return msgspec.Raw(msgspec.json.encode(rewritten))


def _masked(value: msgspec.Raw) -> msgspec.Raw:
    """The mark in place of a value. Null is not a secret: in a merge patch it means that a key was deleted."""
    return value if value in (NULL, MARK) else MARK


def _masked_token(value: msgspec.Raw) -> msgspec.Raw:
    """The mark in place of a token. An empty one is none: a TokenReview without a token, a TokenRequest not yet
    answered."""
    return value if value == EMPTY else _masked(value)


def _is_array(text: msgspec.Raw) -> bool:
    return bytes(memoryview(text)[:1]) == b"["


def _text(text: msgspec.Raw | None) -> str | None:
    try:
        return None if text is None else _TEXT.decode(text)
    except msgspec.ValidationError:
        return None
