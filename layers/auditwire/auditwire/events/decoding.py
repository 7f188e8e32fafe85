"""A request body becomes events: every shape the senders use, item by item.

The shapes: ``EventList``, ``{"Items": [...]}`` of ks-apiserver 3.x, objects back to back as ks-apiserver 4.x sends
them, a single event, an array, JSON lines; and the envelopes of clouds and shippers around any of them, see wrapping. A
bad item never costs its neighbours.
"""

import codecs
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

import msgspec

from auditwire.events.bounds import OVER_BOUND, Budget, OverBoundError
from auditwire.events.casing import NULL
from auditwire.events.inflating import GZIP_MAGIC, BodyError, inflate, is_gzip_as_text
from auditwire.events.items import Items
from auditwire.events.lines import Faulty, split_lines
from auditwire.events.model import Event
from auditwire.events.nesting import MAX_DEPTH, Cut, cut_deep_values
from auditwire.events.reject import Reject
from auditwire.events.wrapping import otlp_protobuf
from auditwire.events.wrapping.fragments import Line
from auditwire.events.wrapping.origin import NOWHERE, Origin

Taker = TypeVar("Taker")
Fault = tuple[str, str]
"""A reason and a sentence, as of a Reject."""

_BOM = codecs.BOM_UTF8
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was in a body: every item is an event or a reject, in the order of the body. Both empty: nothing sent.

    ``skipped`` counts what else was in it and is no audit event, by a word of Skipped.
    """

    events: list[Event]
    rejects: list[Reject]
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Taken(Generic[Taker]):
    """What became of a body: the taker with its events, what was bad, and what was skipped, by reason."""

    taker: Taker
    rejects: list[Reject]
    skipped: Counter[str] = field(default_factory=Counter)


def decode(body: bytes) -> Decoded:
    """The events of an inflated request body, all at once; see read. Never raises."""
    taken = read(body, list[Event], list.append)
    return Decoded(taken.taker, taken.rejects, taken.skipped)


def read(body: bytes, begin: Callable[[], Taker], take: Callable[[Taker, Event], None]) -> Taken[Taker]:
    """Give the events of an inflated request body to a taker, one by one in the order of the body. Raises nothing of
    its own.

    ``begin`` makes a taker, ``take(taker, event)`` gives it an event. That a body nests too deep or is over a bound may
    come to light when some events are taken already; then that taker is dropped and a new one made, so taking must have
    no effect outside of it. Whatever a taker does not keep is not in memory: a body costs little more than its own
    size.

    A fault of syntax that keeps the body from being split into items gives one reject of kind ``body``, and so does a
    body over a bound (see bounds). What is no JSON as a whole is split at its line ends, so there a faulty line is an
    item; where no line holds anything, the body is one reject. An item is bad when it is no object, has a model field
    of the wrong JSON type, lacks ``level``, ``stage``, ``auditID`` (absent, null or empty) or ``verb`` (absent or
    null), or nests deeper than nesting.MAX_DEPTH. A level nobody knows is no fault: a later Kubernetes may send it.

    An envelope or a wrapped line is looked for where an item has none of the fields of an event. ``received`` of the
    event in it is the event's own text, so a copy that came by another road is the same event.
    """
    text = body[len(_BOM) :] if body.startswith(_BOM) else body
    try:
        try:
            taker = begin()
            return _taken(taker, _Body(partial(take, taker), Budget(text)), text, body)
        except RecursionError:
            # An item may lie two levels down in the body: the list, and the object around it.
            cut = cut_deep_values(text, MAX_DEPTH + 2)
            taker = begin()
            return _taken(taker, _Body(partial(take, taker), Budget(text), cut), cut.body, body)
    except RecursionError:
        reject = Reject("body", "too_deep", "the body nests too deep to be split", body)
    except OverBoundError as error:
        reject = Reject("body", error.reason, error.detail, body)
    return Taken(begin(), [reject])


def is_over_bound(body: bytes) -> bool:
    """Whether a body is over one of the bounds that hold for a whole body (see bounds)."""
    rejects = read(body, lambda: None, lambda _taker, _event: None).rejects
    return len(rejects) == 1 and rejects[0].kind == "body" and rejects[0].reason in OVER_BOUND


def _taken(taker: Taker, reading: "_Body", text: bytes, body: bytes) -> Taken[Taker]:
    fault = reading.read(text, NOWHERE)
    reading.items.finish()
    if fault is not None and reading.is_fruitless:
        return Taken(taker, [Reject("body", *fault, body)])
    return Taken(taker, reading.items.rejects, reading.items.skipped)


def is_utf8(text: bytes) -> bool:
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
# Reads values until the text ends, whatever white space stands between them or none: concatenated objects and lines.
_DOCUMENTS = msgspec.json.Decoder(msgspec.Raw)


class _Body:
    """One pass over one body, and over the bodies inside of it."""

    def __init__(self, give: Callable[[Event], None], budget: Budget, cut: Cut | None = None) -> None:
        self._budget = budget
        self.items = Items(give, budget, self._read_inner, cut)

    @property
    def is_fruitless(self) -> bool:
        """Whether nothing was found but lines that are no JSON."""
        return self.items.found == self.items.faulty_lines

    def read(self, text: bytes, origin: Origin) -> Fault | None:
        """Take everything in a text. Where it is no JSON as a whole, the reason and a sentence about that.

        Raises RecursionError for deep nesting, and OverBoundError.
        """
        if text[:2] == GZIP_MAGIC:
            return self._read_gzip(text, origin)
        fault = ("invalid_utf8", "the body is not UTF-8")
        if is_utf8(text):
            items = _items_of_exact_list(text)
            if items is not None:
                self.items.take_all(items, origin)
                return None
            try:
                documents = _DOCUMENTS.decode_lines(text)
            except msgspec.DecodeError as error:
                fault = ("truncated" if "truncated" in str(error) else "invalid_json", str(error))
            else:
                for document in documents:
                    self.items.take_document(document, origin)
                return None
        if is_gzip_as_text(text):
            return "gzip_as_text", "gzip that was handed over as text: its bytes are lost; send it as another type"
        if otlp_protobuf.is_request(text):
            try:
                pieces = list(otlp_protobuf.of_request(text, origin))
            except ValueError as error:
                return "bad_protobuf", f"the logs of OpenTelemetry are damaged: {error}"
            self._budget.take_items()
            self.items.take_pieces(pieces, text)
            return None
        self._read_lines(text, origin)
        return fault

    def _read_gzip(self, packed: bytes, origin: Origin) -> Fault | None:
        try:
            text = inflate(packed, "gzip", limit=self._budget.bytes_left)
        except BodyError as error:
            if error.reason == "too_large":
                raise OverBoundError(error.reason, error.detail) from error
            return error.reason, error.detail
        self._budget.take_bytes(len(text))
        return self.read(text.removeprefix(_BOM), origin)

    def _read_lines(self, text: bytes, origin: Origin) -> None:
        for found in split_lines(text):
            if not isinstance(found, Faulty):
                for document in found:
                    self.items.take_document(document, origin)
            elif origin is NOWHERE:
                self.items.take_faulty_line(found.text, is_utf8=found.is_utf8)
            elif found.is_utf8:
                self._budget.take_items()
                self.items.take_line(Line(found.text, origin))
            else:
                self._budget.take_items()
                self.items.reject("invalid_utf8", "the line is not UTF-8", found.text)

    def _read_inner(self, data: bytes, origin: Origin) -> None:
        before = self.items.found
        fault = self.read(data.removeprefix(_BOM), origin)
        if fault is not None and self.items.found == before:
            self.items.reject(*fault, data)


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
