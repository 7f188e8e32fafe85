"""A request body becomes events: every shape the senders use, item by item.

The shapes: ``EventList``, ``{"Items": [...]}`` of ks-apiserver 3.x, objects back to back as ks-apiserver 4.x sends
them, a single event, an array, JSON lines. A bad item never costs its neighbours.
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import msgspec

from auditwire.events.casing import NULL, KubeSphereEvent, canonical_fields, event_in_any_casing, fields_of, is_object
from auditwire.events.model import Event
from auditwire.events.nesting import MAX_DEPTH, Cut, cut_deep_values, is_too_deep
from auditwire.events.plain_list import KUBERNETES, nests_too_deep, take_plain_list, without_nulls

Taker = TypeVar("Taker")

_BOM = codecs.BOM_UTF8
_CHUNK = 64 * 1024
_REQUIRED = ("level", "stage", "verb", "auditID")
_SPACE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Reject:
    """Bytes that are no event, and why. ``kind`` says whether ``raw`` is a whole body or one item of it.

    ``reason`` is a stable word for counters. Of bodies: ``invalid_utf8``, ``invalid_json``, ``truncated``,
    ``too_deep``. Of items: ``not_an_object``, ``not_an_event`` (none of the required fields), ``missing_field``,
    ``wrong_type``, ``too_deep``, ``invalid_json`` (one of the lines of JSON lines). ``detail`` names the place and
    never the value.
    """

    kind: Literal["body", "item"]
    reason: str
    detail: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was in a body: every item is an event or a reject, in the order of the body. Both empty: nothing sent."""

    events: list[Event]
    rejects: list[Reject]


def decode(body: bytes) -> Decoded:
    """The events of an inflated request body, all at once; see read. Never raises."""
    events, rejects = read(body, list[Event], list.append)
    return Decoded(events, rejects)


def read(body: bytes, begin: Callable[[], Taker], take: Callable[[Taker, Event], None]) -> tuple[Taker, list[Reject]]:
    """Give the events of an inflated request body to a taker, one by one in the order of the body; the taker, and what
    was bad. Raises nothing of its own.

    ``begin`` makes a taker, ``take(taker, event)`` gives it an event. A fault may come to light when some events are
    taken already; then that taker is dropped and a new one made, so taking must have no effect outside of it. Whatever
    a taker does not keep is not in memory: a body costs little more than its own size.

    A fault of syntax that keeps the body from being split into items (or bad UTF-8 anywhere) gives one reject of kind
    ``body``; JSON lines are split at their line ends, so there a faulty line is an item. An item is bad when it is no
    object, has a model field of the wrong JSON type, lacks ``level``, ``stage``, ``verb`` or ``auditID`` (absent, null
    or empty), or nests deeper than nesting.MAX_DEPTH. A level nobody knows is no fault: a later Kubernetes may send it.
    """
    text = body[len(_BOM) :] if body.startswith(_BOM) else body
    if not _is_utf8(text):
        return begin(), [Reject("body", "invalid_utf8", "the body is not UTF-8", body)]
    taker = begin()
    if take_plain_list(text, partial(take, taker)):
        return taker, []
    try:
        try:
            taker = begin()
            return taker, _Items(partial(take, taker)).read(text)
        except RecursionError:
            # An item may lie two levels down in the body: the list, and the object around it.
            cut = cut_deep_values(text, MAX_DEPTH + 2)
            taker = begin()
            return taker, _Items(partial(take, taker), cut).read(cut.body)
    except RecursionError:
        return begin(), [Reject("body", "too_deep", "the body nests too deep to be split", body)]
    except msgspec.DecodeError as error:
        reason = "truncated" if "truncated" in str(error) else "invalid_json"
        return begin(), [Reject("body", reason, str(error), body)]


def _is_utf8(text: bytes) -> bool:
    """Whether the whole text is UTF-8. msgspec checks strings it decodes, not the values it passes over."""
    if text.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(text), _CHUNK):
            decoder.decode(text[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """The outer object exactly as kube-apiserver and ks-apiserver 3.x write it."""

    kind: msgspec.Raw = NULL
    apiVersion: msgspec.Raw = NULL
    metadata: msgspec.Raw = NULL
    items: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    go_items: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.field(default=msgspec.UNSET, name="Items")


_BODY = msgspec.json.Decoder(_Envelope | list[msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
# Reads values until the text ends, whatever white space stands between them or none: concatenated objects and lines.
_DOCUMENTS = msgspec.json.Decoder(msgspec.Raw)
_KUBESPHERE = msgspec.json.Decoder(KubeSphereEvent)


class _Items:
    """One pass over one body. ``cut`` is set when too deep values were cut out of the text beforehand."""

    def __init__(self, take: Callable[[Event], None], cut: Cut | None = None) -> None:
        self._give = take
        self._cut = cut
        self._rejects: list[Reject] = []
        self._likely: msgspec.json.Decoder[Event] = KUBERNETES

    def read(self, text: bytes) -> list[Reject]:
        """Give away all events of the text; the bad items.

        Raises msgspec.DecodeError for faults of syntax, RecursionError for deep nesting.
        """
        items = _items_of_exact_list(text)
        if items is not None:
            self._take_all(items)
        else:
            for document in self._documents(text):
                self._take_document(document)
        return self._rejects

    def _documents(self, text: bytes) -> list[msgspec.Raw]:
        try:
            return _DOCUMENTS.decode_lines(text)
        except msgspec.DecodeError:
            lines = _json_lines(text)
            if not lines:
                raise
        documents = []
        for line in lines:
            if isinstance(line, bytes):
                self._reject("invalid_json", "the line is not JSON", line)
            else:
                documents += line
        return documents

    def _take_document(self, document: msgspec.Raw) -> None:
        """One outer value: an event in exact casing, or else a list of items, an event in any casing, or nothing."""
        event = self._exact(document)
        if event is not None:
            self._accept(event, document)
            return
        items = _items_of(document)
        self._take_all([document] if items is None else items)

    def _take_all(self, items: list[msgspec.Raw]) -> None:
        for item in items:
            try:
                event = self._likely.decode(item)
            except msgspec.ValidationError:
                self._take(item)
            else:
                self._accept(event, item)

    def _take(self, item: msgspec.Raw) -> None:
        event = self._exact(item)
        if event is not None:
            self._accept(event, item)
        elif not is_object(item):
            self._reject("not_an_object", "the item is not a JSON object", item)
        elif is_too_deep(memoryview(item)):
            self._reject("too_deep", "the item nests too deep", item)
        else:
            try:
                event = event_in_any_casing(item)
            except msgspec.ValidationError as error:
                self._reject(*_fault(item, error), item)
            else:
                self._accept(event, item, nests=True)

    def _exact(self, item: msgspec.Raw) -> Event | None:
        """The event in an item whose keys are spelled exactly as one of the two senders spells them."""
        for decoder in (KUBERNETES, _KUBESPHERE):
            try:
                event = decoder.decode(item)
            except msgspec.ValidationError:
                continue
            # The senders do not mix their casings: what fitted now will fit the next item.
            self._likely = decoder
            return event
        return None

    def _accept(self, event: Event, item: msgspec.Raw, *, nests: bool = False) -> None:
        without_nulls(event)
        was_cut = self._cut is not None and self._cut.touches(bytes(item))
        if was_cut or (is_too_deep(memoryview(item)) if nests else nests_too_deep(event, item)):
            self._reject("too_deep", "the item nests too deep", item)
        else:
            event.received = item
            self._give(event)

    def _reject(self, reason: str, detail: str, item: msgspec.Raw | bytes) -> None:
        raw = bytes(item)
        if self._cut is not None and self._cut.touches(raw):
            reason, detail, raw = "too_deep", "the item nests too deep", self._cut.restore(raw)
        self._rejects.append(Reject("item", reason, detail, raw))


def _items_of_exact_list(text: bytes) -> list[msgspec.Raw] | None:
    """The items of a body that is one list in a known spelling; None for every other shape and for faults."""
    try:
        body = _BODY.decode(text)
    except msgspec.DecodeError:
        return None
    if isinstance(body, list):
        return body
    if body.items is msgspec.UNSET:
        return None if body.go_items is msgspec.UNSET else body.go_items or []
    return body.items or [] if body.go_items is msgspec.UNSET else None


def _items_of(document: msgspec.Raw) -> list[msgspec.Raw] | None:
    """The items in an outer value: of an array, of an object with ``items`` in any casing; None if it is an item."""
    if document == NULL:
        return []
    if not is_object(document):
        return _LIST.decode(document) if bytes(memoryview(document)[:1]) == b"[" else None
    fields = fields_of(document)
    if not fields:
        return []
    lists = [value for key, value in fields.items() if key.lower() == "items"]
    if not lists:
        return None
    if lists[-1] == NULL:
        return []
    return _LIST.decode(lists[-1]) if bytes(memoryview(lists[-1])[:1]) == b"[" else None


def _json_lines(text: bytes) -> list[bytes | list[msgspec.Raw]] | None:
    """The documents of each line, or the line itself where it is faulty; None when this is not JSON lines at all.

    A list or object spread over several lines is not: its lines start inside of it, and a cut-off one must not pass
    for a few good lines.
    """
    lines = [stripped for line in text.split(b"\n") if (stripped := line.rstrip(_SPACE))]
    if len(lines) < 2 or any(line[:1] in b' \t"]},' or line[-1:] in b",[" for line in lines):
        return None
    found: list[bytes | list[msgspec.Raw]] = []
    for line in lines:
        try:
            found.append(_DOCUMENTS.decode_lines(line))
        except msgspec.DecodeError:
            found.append(line)
    faults = sum(isinstance(line, bytes) for line in found)
    return found if not isinstance(found[0], bytes) or faults == 1 else None


def _fault(item: msgspec.Raw, error: msgspec.ValidationError) -> tuple[str, str]:
    """Why an object is no event: a reason and a sentence."""
    fields = canonical_fields(item)
    missing = [name for name in _REQUIRED if bytes(fields.get(name, NULL)) in (b"null", b'""')]
    if len(missing) == len(_REQUIRED):
        return "not_an_event", "the object has none of the fields of an audit event"
    if missing:
        return "missing_field", f"the event lacks {', '.join(missing)}"
    return "wrong_type", re.sub(r"\s+", " ", str(error))
