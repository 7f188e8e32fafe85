"""Redacting secrets in request and response bodies, before anything is stored.

Works on the JSON text level by level, and rewrites only the objects on the way to a secret. Every other value keeps the
exact bytes that were received.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
import re2

from auditwire.events.casing import NULL, fields_of, is_object
from auditwire.events.kubeconfig_text import redact_kubeconfig
from auditwire.events.model import ObjectRef
from auditwire.events.redact_uri import MARK as MARK_TEXT
from auditwire.events.redact_uri import redact_uri
from auditwire.events.secret_places import (
    KINDS,
    OF_NO_RESOURCE,
    RESOURCES,
    Mask,
    Place,
    Redaction,
    is_token_name,
    with_applied,
)


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # byte by byte
    options.never_capture = True
    return options


MARK = msgspec.Raw(msgspec.json.encode(MARK_TEXT))

_EMPTY = msgspec.Raw(b'""')
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
# What contains whole objects: the items of a list, the rows of a Table with their object, the object of a watch event.
_HOLDERS = ("items", "rows", "object")
# Annotations with a secret: openshift.io/token-secret.value, and names that end in "token" or "password".
_TOKEN_ANNOTATIONS = ("token", "token-secret.value", "password")
# What is in a JSON text that may hold a kind of KINDS, a list of them, a token in an annotation or a kubeconfig.
# A client may escape letters in a kind or a key. It is one search, because nearly every stored body passes here.
_MAY_BE = re2.compile(
    rb'"(?:Federated)?Secret(?:List)?"|TokenRe(?:quest|view)|"User(?:List)?"|"(?:Build)?Config(?:List)?"|OAuth'
    rb'|token"\s*:|token-secret\.value"|/annotations/|client-key-data|current-context|kind(?:\\")?: *(?:\\")?Config'
    rb'|"Cluster(?:List)?"|password"\s*:|\\u00[4-7]',
    options=_options(),
)
_MAY_LOG_IN = re2.compile(
    b"(?i)%b" % b"|".join([rb"\\u00[4-7]", *(key.encode() for key in OF_NO_RESOURCE.keys)]), options=_options()
)
# No object inside an object is deeper. What still looks like a Secret there is replaced as a whole, which bounds both
# the stack and how often a text is read.
_MAX_DEPTH = 40
# No path of a secret is longer, with the indexes of arrays on it.
_MAX_PATH_LENGTH = 24
_MAX_KNOWN = 1_024

_NOWHERE: Final = Place()
_Rewrite = Callable[[msgspec.Raw], msgspec.Raw]


class Redactor:
    """Takes secrets out of bodies: those that are known everywhere, and those a site has named."""

    def __init__(self, site: Iterable[Redaction] = ()) -> None:
        self._site = tuple(site)
        self._known: dict[tuple[str, str, str], Place | None] = {}

    def body(self, body: msgspec.Raw, about: ObjectRef) -> msgspec.Raw:
        """The body without secret values; keys are kept. The same object if there were none.

        ``about`` decides how the body is read. Bodies on a resource that has secrets (of any API group) are read in
        every form they have: object, list, table, merge patch, JSON patch. If such a body is neither an object nor an
        array, it cannot be read and is replaced as a whole. In any other body, objects are recognised by their
        ``kind``.
        """
        if not about.resource:
            return _of_no_resource(body)
        place = self._place(about)
        return _by_kind(body, 0) if place is None else _on_resource(body, place)

    def _place(self, about: ObjectRef) -> Place | None:
        resource, below = about.resource.lower(), about.subresource.lower()
        if not self._site:
            return RESOURCES.get((resource, below)) or RESOURCES.get((resource, ""))
        key = (resource, about.apiGroup.lower(), below)
        if key not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                # Requests choose these names.
                self._known.clear()
            self._known[key] = self._place_of_site(*key)
        return self._known[key]

    def _place_of_site(self, resource: str, group: str, below: str) -> Place | None:
        place = RESOURCES.get((resource, below)) or RESOURCES.get((resource, ""))
        own = [one for one in self._site if one.is_about(resource, group, below)]
        if not own:
            return place
        if place is None:
            place = with_applied(Place())
        for one in own:
            place = place.with_path((key.lower() for key in one.path), Mask.WHOLE)
        return place


EVERYWHERE: Final = Redactor()
"""Knows the secrets that are known everywhere."""


def redact_body(body: msgspec.Raw, about: ObjectRef) -> msgspec.Raw:
    """The body without the secrets that are known everywhere; see Redactor."""
    return EVERYWHERE.body(body, about)


def _of_no_resource(body: msgspec.Raw) -> msgspec.Raw:
    """A body of a request about no resource: an object, or a form that is written like the parameters of a URI."""
    if is_object(body):
        return _in_whole(body, OF_NO_RESOURCE, 0) if _MAY_LOG_IN.search(bytes(body)) else _by_kind(body, 0)
    text = _text(body)
    if text is None or "=" not in text:
        return _by_kind(body, 0)
    redacted = redact_uri(f"?{text}")[1:]
    return body if redacted == text else msgspec.Raw(msgspec.json.encode(redacted))


def _on_resource(body: msgspec.Raw, place: Place) -> msgspec.Raw:
    if is_object(body):
        return _in_whole(body, place, 0)
    if _is_array(body):
        return _in_array(body, lambda item: _in_array_item(item, place))
    return _masked(body)


def _in_whole(text: msgspec.Raw, place: Place, depth: int) -> msgspec.Raw:
    """Redacts an object that has these places, a part of one, or a list of them."""
    if depth > _MAX_DEPTH:
        return _masked(text)
    if _is_array(text):
        return _in_array(text, lambda item: _in_whole(item, place, depth + 1))
    if not is_object(text):
        return _by_kind(text, depth)
    text, fields = _by_own_kind(text, place, depth)

    def rewrite(key: str, value: msgspec.Raw) -> msgspec.Raw:
        below = place.below(key)
        if below is None and key in _HOLDERS:
            return _in_whole(value, place, depth + 1)
        return _in_member(key, value, below, place, depth + 1)

    return _in_object(text, rewrite, fields)


def _in_place(text: msgspec.Raw, place: Place, whole: Place, depth: int) -> msgspec.Raw:
    """Redacts what stands at a place of an object that has the places ``whole``."""
    if depth > _MAX_DEPTH:
        return _masked(text)
    if place.is_patch:
        return _in_patch(text, place, depth)
    if place.mask is not None:
        return _hidden(text, place.mask, whole, depth)
    if _is_array(text):
        return _in_array(text, lambda item: _in_place(item, place, whole, depth + 1))
    if not is_object(text):
        return _by_kind(text, depth)
    text, fields = _by_own_kind(text, whole, depth)

    def rewrite(key: str, value: msgspec.Raw) -> msgspec.Raw:
        below = place.below(key)
        if below is None and _is_index(key):
            # On the path of a JSON patch an element of an array is a key.
            return _in_place(value, place, whole, depth + 1)
        return _in_member(key, value, below, whole, depth + 1)

    return _in_object(text, rewrite, fields)


def _by_own_kind(text: msgspec.Raw, whole: Place, depth: int) -> tuple[msgspec.Raw, Mapping[str, msgspec.Raw]]:
    """Redacts what the kind of an object says beside the places that it has where it stands. The object, and its
    members."""
    fields = fields_of(text)
    known = _place_of_kind(fields)
    if known is None or known is whole:
        return text, fields
    text = _in_whole(text, known, depth)
    return text, fields_of(text)


def _place_of_kind(fields: Mapping[str, msgspec.Raw]) -> Place | None:
    return KINDS.get((_text(fields.get("kind")) or "").removesuffix("List"))


def _in_member(key: str, value: msgspec.Raw, place: Place | None, whole: Place, depth: int) -> msgspec.Raw:
    """Redacts a member of an object, which may have a place of its own."""
    if key == "annotations" and is_object(value):
        return _in_annotations(value, place or _NOWHERE, whole, depth)
    return _by_kind(value, depth) if place is None else _in_place(value, place, whole, depth)


def _in_annotations(annotations: msgspec.Raw, place: Place, whole: Place, depth: int) -> msgspec.Raw:
    def rewrite(name: str, value: msgspec.Raw) -> msgspec.Raw:
        if name.endswith(_TOKEN_ANNOTATIONS):
            return _masked(value)
        below = place.below(name)
        return _by_kind(value, depth + 1) if below is None else _in_place(value, below, whole, depth + 1)

    return _in_object(annotations, rewrite)


def _hidden(text: msgspec.Raw, mask: Mask, whole: Place, depth: int) -> msgspec.Raw:
    if mask is Mask.EACH and is_object(text):
        return _in_object(text, lambda _, value: _masked(value))
    if mask is Mask.TOKEN:
        return text if text == _EMPTY else _masked(text)
    if mask is Mask.NAME:
        name = _text(text)
        return text if name is not None and not is_token_name(name) else _masked(text)
    if mask is Mask.URI:
        uri = _text(text)
        return text if uri is not None and redact_uri(uri) == uri else _masked(text)
    return _in_applied(text, whole, depth) if mask is Mask.APPLIED else _masked(text)


def _in_applied(text: msgspec.Raw, whole: Place, depth: int) -> msgspec.Raw:
    """Redacts the text of an object that ``kubectl apply`` keeps: its own secrets stand in it once more."""
    applied = _text(text)
    try:
        inner = msgspec.Raw((applied or "").encode())
        msgspec.json.decode(inner)
        redacted = _in_whole(inner, whole, depth + 1)
        return text if redacted is inner else msgspec.Raw(msgspec.json.encode(bytes(redacted).decode()))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _masked(text)


def _in_patch(text: msgspec.Raw, place: Place, depth: int) -> msgspec.Raw:
    """Redacts operations of a patch that stand inside of an object; each has a path and a value."""
    inner = Place(place.keys)
    if _is_array(text):
        return _in_array(text, lambda item: _in_patch(item, place, depth + 1))
    if not is_object(text):
        return _masked(text)
    fields = fields_of(text)
    if fields and all(_is_index(key) for key in fields):
        return _in_object(text, lambda _, value: _in_patch(value, place, depth + 1))
    path = _text(fields.get("path"))
    return _in_key(text, "value", lambda value: _at_path(path, value, inner))


def _by_kind(text: msgspec.Raw, depth: int) -> msgspec.Raw:
    """Redacts any JSON value: objects with secrets wherever they are in it, kubeconfigs and tokens in annotations."""
    if not _may_hold_secret(bytes(text)):
        return text
    if depth > _MAX_DEPTH:
        return _masked(text)
    if _is_array(text):
        return _in_array(text, lambda item: _by_kind(item, depth + 1))
    if not is_object(text):
        return _in_text(text)
    fields = fields_of(text)
    place = _place_of_kind(fields)
    if place is not None:
        return _in_whole(text, place, depth)
    if "value" in fields and _names_token_annotation(_text(fields.get("path")) or ""):
        return _in_key(text, "value", _masked)
    return _in_object(text, lambda key, value: _in_member(key, value, None, _NOWHERE, depth + 1), fields)


def _names_token_annotation(path: str) -> bool:
    return "/annotations/" in path and path.lower().endswith(_TOKEN_ANNOTATIONS)


def _in_text(text: msgspec.Raw) -> msgspec.Raw:
    value = _text(text)
    redacted = None if value is None else redact_kubeconfig(value)
    return text if redacted == value else msgspec.Raw(msgspec.json.encode(redacted))


def _may_hold_secret(text: bytes) -> bool:
    return _MAY_BE.search(text) is not None


def _in_array_item(item: msgspec.Raw, place: Place) -> msgspec.Raw:
    """Redacts one operation of a JSON patch (RFC 6902) on an object with secrets, or one object of a plain array."""
    if not is_object(item):
        return _masked(item)
    fields = fields_of(item)
    if "op" not in fields and "path" not in fields:
        return _in_whole(item, place, 0)
    path = _text(fields.get("path"))
    return _in_key(item, "value", lambda value: _at_path(path, value, place))


def _at_path(path: str | None, value: msgspec.Raw, place: Place) -> msgspec.Raw:
    """Redacts the value of an operation, by the place in the object that it is meant for.

    The value is put where the path points, redacted there as part of an object, and taken out again. So a path to a
    single key, to a whole map or to the whole object needs no special rule.
    """
    if path == "":
        return _in_whole(value, place, 0) if is_object(value) else _masked(value)
    if path is None or not path.startswith("/"):
        return _masked(value)
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")[:_MAX_PATH_LENGTH]]
    whole = value
    for part in reversed(parts):
        whole = msgspec.Raw(msgspec.json.encode({part: whole}))
    redacted = _in_whole(whole, place, 0)
    if redacted is whole:
        return value
    for part in parts:
        if not is_object(redacted):
            break
        redacted = fields_of(redacted)[part]
    return redacted


def _in_object(
    text: msgspec.Raw,
    rewrite: Callable[[str, msgspec.Raw], msgspec.Raw],
    fields: Mapping[str, msgspec.Raw] | None = None,
) -> msgspec.Raw:
    """The object with every value rewritten. ``rewrite`` gets the key in lower case, because Go reads keys in any
    case. ``fields`` are its members, where they are known."""
    fields = fields_of(text) if fields is None else fields
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


def _is_array(text: msgspec.Raw) -> bool:
    return bytes(memoryview(text)[:1]) == b"["


def _is_index(key: str) -> bool:
    return key == "-" or (key.isascii() and key.isdigit())


def _text(text: msgspec.Raw | None) -> str | None:
    try:
        return None if text is None else _TEXT.decode(text)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return None
