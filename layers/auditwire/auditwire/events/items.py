"""One item of a body becomes an event: whoever spelled it, whatever it is wrapped in. If it is none, why not."""

import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from auditwire.events.bounds import MAX_KEYS, MAX_LAYERS, Budget
from auditwire.events.casing import (
    NULL,
    Fields,
    event_in_any_casing,
    fields_of,
    is_object,
)
from auditwire.events.cut_events import read_cut
from auditwire.events.exact import KUBERNETES, KUBESPHERE, event_in_exact_casing, nests_too_deep, without_nulls
from auditwire.events.faults import fault_of
from auditwire.events.model import Event, Flag
from auditwire.events.nesting import Cut, is_too_deep
from auditwire.events.oddities import note_oddities
from auditwire.events.records import as_kubesphere_record, as_table_row, is_table_row, with_true_level
from auditwire.events.reject import CutEvent, Reject, Skipped
from auditwire.events.wrapping import salvage, sources
from auditwire.events.wrapping.envelopes import envelope_of
from auditwire.events.wrapping.fragments import Fragments, Line
from auditwire.events.wrapping.origin import NOWHERE, Bytes, Converted, Fault, Origin, Piece, Skip, Text, Value
from auditwire.events.wrapping.values import text_of
from auditwire.events.wrapping.wrapped_lines import REQUIRED_IN_LOWER_CASE, behind_prefix, line_in, of_runtime
from auditwire.senders.kind import SenderKind

_BLANK = b" \t\r\n\0"
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_DOCUMENTS = msgspec.json.Decoder(msgspec.Raw)
_KLOG = re.compile(rb"[IWEF][0-9]{4} ")


class Items:
    """The items of one body, given away one by one as events; what is none is kept in ``rejects`` and ``skipped``.

    ``faulty_lines`` counts the rejects that are lines of the body about which nothing can be said but that.

    ``read_body`` reads bytes out of an envelope as a body of its own. ``cut`` is set when too deep values were cut out
    of the text beforehand.
    """

    def __init__(
        self,
        give: Callable[[Event], None],
        budget: Budget,
        read_body: Callable[[bytes, Origin], None],
        cut: Cut | None = None,
    ) -> None:
        self._give = give
        self._budget = budget
        self._read_body = read_body
        self._cut = cut
        self._fragments = Fragments()
        self._likely: msgspec.json.Decoder[Event] = KUBERNETES
        self.rejects: list[Reject] = []
        self.skipped: Counter[str] = Counter()
        self.faulty_lines = 0
        self._given = 0

    @property
    def found(self) -> int:
        """How many items were dealt with so far."""
        return self._given + len(self.rejects) + self.skipped.total()

    def take_document(self, document: msgspec.Raw, origin: Origin = NOWHERE) -> None:
        """One outer value: an event in exact casing, or else a list of items, an item, or nothing."""
        event = None if origin.is_other else self._exact(document)
        if event is not None:
            self._budget.take_items()
            self._accept(event, document, origin)
            return
        fields = fields_of(document) if is_object(document) else None
        if fields is not None and len(fields) > MAX_KEYS:
            self._budget.take_items()
            self._reject_keys(document)
            return
        items = _items_of(document, fields)
        self.take_all([document] if items is None else items, origin)

    def take_all(self, items: list[msgspec.Raw], origin: Origin = NOWHERE) -> None:
        """The items of a list."""
        self._budget.take_items(len(items))
        if origin is not NOWHERE:
            for item in items:
                self._take(item, origin)
            return
        for item in items:
            try:
                event = self._likely.decode(item)
            except msgspec.ValidationError:
                self._take(item, origin)
            else:
                self._accept(event, item, origin)

    def take_faulty_line(self, text: bytes, *, is_utf8: bool) -> None:
        """A line of a body that is no JSON: part of a container's log, an event behind a tool's prefix, or a bad
        item."""
        self._budget.take_items()
        found = (of_runtime(text, NOWHERE) or behind_prefix(text, NOWHERE)) if is_utf8 else None
        if found is not None:
            self._take_text(found)
        elif not is_utf8:
            self.faulty_lines += 1
            self.reject("invalid_utf8", "the line is not UTF-8", text)
        elif not self._salvaged(text, NOWHERE):
            self.faulty_lines += 1
            self.reject("invalid_json", "the line is not JSON", text)

    def take_line(self, line: Line) -> None:
        """A line of a log, out of whatever it was wrapped in."""
        text, origin = line.text.strip(_BLANK), line.origin
        if origin.layers > MAX_LAYERS:
            self._reject_layers(text)
        elif origin.is_other:
            self._skip_other(text)
        elif text[:1] in (b"{", b"["):
            self._take_values(text, origin, is_whole=line.is_whole)
        elif found := of_runtime(text, origin) or behind_prefix(text, origin):
            self._take_text(found)
        elif text[:1] == b'"' and (inner := text_of(text)) is not None:
            self._take_text(Text(inner.encode(), _deeper(origin)))
        elif text.endswith(b"}") and not _KLOG.match(text):
            self.reject("fragment", "the end of a line whose beginning is not in the body", text)
        else:
            self.skipped[Skipped.LOG_TEXT] += 1

    def finish(self) -> None:
        """What is left when the body has ended."""
        for line in self._fragments.rest():
            self.take_line(line)

    def reject(self, reason: str, detail: str, item: msgspec.Raw | bytes, cut_event: CutEvent | None = None) -> None:
        """A bad item."""
        raw = bytes(item)
        if self._cut is not None and self._cut.touches(raw):
            reason, detail, raw = "too_deep", "the item nests too deep", self._cut.restore(raw)
        self.rejects.append(Reject("item", reason, detail, raw, cut_event))

    def _take(self, item: msgspec.Raw, origin: Origin) -> None:
        if origin.is_other:
            self._skip_other(item)
            return
        event = self._exact(item)
        if event is not None:
            self._accept(event, item, origin)
        elif not is_object(item):
            self._take_other(item, origin)
        else:
            fields = fields_of(item)
            if len(fields) > MAX_KEYS:
                self._reject_keys(item)
            elif is_table_row(fields):
                self._take_row(fields, item, origin)
            elif not self._unwrapped(fields, item, origin):
                self._take_in_any_casing(fields, item, origin)

    def _take_other(self, item: msgspec.Raw, origin: Origin) -> None:
        """What is no object: an event as the text of a string, or a bad item."""
        text = text_of(item) if bytes(memoryview(item)[:1]) == b'"' else None
        if (text is not None and text.lstrip("\0 \t\r\n")[:1] == "{") or (text is not None and origin.layers):
            self._take_text(Text(text.encode(), _deeper(origin)))
        else:
            self.reject("not_an_object", "the item is not a JSON object", item)

    def _take_in_any_casing(self, fields: Fields, item: msgspec.Raw, origin: Origin) -> None:
        if is_too_deep(memoryview(item)):
            self.reject("too_deep", "the item nests too deep", item)
            return
        try:
            event = event_in_any_casing(item)
        except msgspec.ValidationError as error:
            record = as_kubesphere_record(item)
            if record is None:
                self.reject(*fault_of(item, error), item)
                return
            event = record
        with_true_level(event, fields)
        self._accept(event, item, origin, nests=True)

    def _take_row(self, fields: Fields, item: msgspec.Raw, origin: Origin) -> None:
        text, cluster, pod = as_table_row(fields)
        about = msgspec.structs.replace(origin, cluster=cluster or origin.cluster)
        if sources.names_other_pod("", pod, ""):
            self._skip_other(item)
        else:
            self._take_converted(text, item, about)

    def _take_converted(self, text: bytes, item: msgspec.Raw | bytes, origin: Origin) -> None:
        try:
            event = KUBERNETES.decode(text)
        except msgspec.ValidationError as error:
            self.reject(*fault_of(msgspec.Raw(text), error), item)
            return
        event.flag(Flag.CONVERTED)
        self._accept(event, msgspec.Raw(text), origin)

    # --- what is wrapped

    def _unwrapped(self, fields: Fields, item: msgspec.Raw, origin: Origin) -> bool:
        """Whether an object wraps something, which is then dealt with.

        Only an object that has none of the fields of an event can: a level alone many loggers give their lines.
        """
        if not REQUIRED_IN_LOWER_CASE.isdisjoint(name.lower() for name in fields if name.lower() != "level"):
            return False
        envelope = envelope_of(fields)
        if envelope is not None:
            if origin.layers >= MAX_LAYERS:
                self._reject_layers(item)
            else:
                self.take_pieces(envelope(fields, origin), item)
            return True
        line = line_in(fields, origin)
        if line is not None:
            self._take_piece(line, item)
        elif origin.layers and "level" not in fields:
            self.skipped[Skipped.LOG_TEXT] += 1
        else:
            return False
        return True

    def take_pieces(self, pieces: Iterable[Piece], item: msgspec.Raw | bytes) -> None:
        """What an envelope holds; ``item`` is the envelope."""
        # The envelope was counted as an item itself; what it holds counts instead.
        for number, piece in enumerate(pieces):
            if number:
                self._budget.take_items()
            self._take_piece(piece, item)

    def _take_piece(self, piece: Piece, item: msgspec.Raw | bytes) -> None:
        match piece:
            case Text():
                self._take_text(piece)
            case Value():
                if piece.origin.layers > MAX_LAYERS:
                    self._reject_layers(piece.raw)
                else:
                    self._take(piece.raw, piece.origin)
            case Bytes():
                self._take_bytes(piece)
            case Skip():
                self.skipped[piece.reason] += 1
            case Fault():
                self.reject(piece.reason, piece.detail, piece.raw)
            case Converted():
                self._take_converted(piece.event, item, piece.origin)

    def _take_text(self, text: Text) -> None:
        if text.origin.is_other:
            self._skip_other(text.text)
            return
        for line in self._fragments.add(text):
            self.take_line(line)

    def _take_values(self, text: bytes, origin: Origin, *, is_whole: bool) -> None:
        """The values in a text that begins as one, or what can be said where it is none."""
        try:
            documents = _DOCUMENTS.decode_lines(text)
        except RecursionError:
            self.reject("too_deep", "the item nests too deep", text)
            return
        except msgspec.DecodeError:
            if not self._salvaged(text, origin):
                self._take_no_value(text)
            return
        if not is_whole:
            self.reject("fragment", "a part of a line whose other parts are not in the body", text)
            return
        # They stand in the place of the text, which was counted.
        self._budget.take_items(-1)
        for document in documents:
            self.take_document(document, _deeper(origin))

    def _take_no_value(self, text: bytes) -> None:
        if salvage.take_apart(salvage.without_mark(text)[0]) is not None:
            self.reject("truncated", "the line ends too early to say what it is", text)
        elif sources.looks_like_event(text):
            self.reject("invalid_json", "the line is not JSON", text)
        else:
            self.skipped[Skipped.LOG_TEXT] += 1

    def _take_bytes(self, piece: Bytes) -> None:
        if piece.origin.layers > MAX_LAYERS:
            self._reject_layers(piece.base64.encode())
            return
        try:
            data = b64decode(piece.base64, validate=True)
        except ValueError:
            self.reject("bad_base64", "the data are not base64", piece.base64.encode())
            return
        self._budget.take_bytes(len(data))
        # What is in it counts instead of it.
        self._budget.take_items(-1)
        self._read_body(data, piece.origin)

    def _salvaged(self, text: bytes, origin: Origin) -> bool:
        """Whether a text is an event that was cut off, of which an event or a reject was made."""
        found = read_cut(text, origin)
        if found is None:
            return False
        if isinstance(found, Event):
            self._accept(found, msgspec.Raw(found.received), origin)
        else:
            self.reject(found.reason, found.detail, text, found.cut)
        return True

    def _skip_other(self, text: "msgspec.Raw | bytes") -> None:
        forged = sources.looks_like_event(memoryview(text))
        self.skipped[Skipped.FORGED_SOURCE if forged else Skipped.OTHER_COMPONENT] += 1

    def _reject_keys(self, item: "msgspec.Raw | bytes") -> None:
        self.reject("too_many_keys", f"the item has more than {MAX_KEYS:,} keys", item)

    def _reject_layers(self, item: "msgspec.Raw | bytes") -> None:
        self.reject("too_deep", f"the item is wrapped more than {MAX_LAYERS} times", item)

    # --- what is an event

    def _exact(self, item: msgspec.Raw) -> Event | None:
        """The event in an item whose keys are spelled exactly as one of the two senders spells them."""
        event = event_in_exact_casing(item)
        if event is not None:
            # The senders do not mix their casings: what fitted now will fit the next item.
            self._likely = KUBERNETES if event.sender == SenderKind.KUBERNETES else KUBESPHERE
        return event

    def _accept(self, event: Event, item: msgspec.Raw, origin: Origin, *, nests: bool = False) -> None:
        without_nulls(event)
        was_cut = self._cut is not None and self._cut.touches(bytes(item))
        if was_cut or (is_too_deep(memoryview(item)) if nests else nests_too_deep(event, item)):
            self.reject("too_deep", "the item nests too deep", item)
            return
        event.received = item
        note_oddities(event)
        if event.unknown_paths:
            # Deciding about what it lacks costs as much as deciding about several.
            self._budget.take_items()
        if origin is not NOWHERE:
            event.reportedCluster = origin.cluster
            if origin.time and not (event.stageTimestamp or event.requestReceivedTimestamp):
                event.stageTimestamp = origin.time
                event.edited |= {"stageTimestamp"}
        self._given += 1
        self._give(event)


def _items_of(document: msgspec.Raw, fields: Fields | None) -> list[msgspec.Raw] | None:
    """The items in an outer value: of an array, of an object with ``items`` in any casing; None if it is an item, as
    what has an auditID is, whatever else it has. ``fields`` are those of an object."""
    if document == NULL:
        return []
    if fields is None:
        return _LIST.decode(document) if bytes(memoryview(document)[:1]) == b"[" else None
    if not fields:
        return []
    lists = [value for key, value in fields.items() if key.lower() == "items"]
    if not lists or any(key.lower() == "auditid" for key in fields):
        return None
    if lists[-1] == NULL:
        return []
    return _LIST.decode(lists[-1]) if bytes(memoryview(lists[-1])[:1]) == b"[" else None


def _deeper(origin: Origin) -> Origin:
    return msgspec.structs.replace(origin, layers=origin.layers + 1)
