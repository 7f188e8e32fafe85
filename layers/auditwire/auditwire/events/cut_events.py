"""An event, or what can be said of one, from a text that was cut off."""

from typing import Final

import msgspec

from auditwire.events.casing import Fields, canonical_fields, event_in_any_casing
from auditwire.events.exact import event_in_exact_casing
from auditwire.events.faults import fault_of, missing_of
from auditwire.events.model import Event, Flag
from auditwire.events.reject import CutEvent, Reject
from auditwire.events.wrapping import salvage
from auditwire.events.wrapping.origin import NOWHERE, Origin
from auditwire.events.wrapping.values import text_in
from auditwire.senders.kind import SenderKind

_BODIES: Final = frozenset(("requestObject", "responseObject"))


def read_cut(text: bytes, origin: Origin) -> Event | Reject | None:
    """What a text says that begins as an object and was cut off; None if it is none, or none of an event.

    An event has the flag ``cut_off``, the whole text as ``cut_text``, the finished members as ``received``, and the
    paths that nobody knows as ``unknown_paths``. What lacks a required field and still is part of an event is a reject.
    A text that nobody wrapped counts only where CloudWatch Logs marked its end, in a body: any other is a broken line.
    """
    bare, is_marked = salvage.without_mark(text)
    if origin is NOWHERE and not is_marked:
        return None
    cut = salvage.take_apart(bare)
    if cut is None:
        return None
    try:
        fields = canonical_fields(cut.as_object())
    except (msgspec.DecodeError, RecursionError):
        # Its brackets matched, and what stands between them is no JSON.
        return None
    names = list(fields)
    unfinished = next(iter(canonical_fields(b"{%b:0}" % msgspec.json.encode(cut.unfinished[0]))))
    missing = missing_of(fields)
    if origin is NOWHERE and (missing or _BODIES.isdisjoint((unfinished, *names))):
        return None
    if not missing:
        return _event(text, fields, [*names, unfinished], cut, origin)
    return None if {"auditID", "stage"} & set(missing) else _beginning(text, fields, cut, origin)


def _event(text: bytes, fields: Fields, names: list[str], cut: salvage.CutText, origin: Origin) -> Event | Reject:
    whole = msgspec.Raw(cut.as_object())
    event = event_in_exact_casing(whole)
    if event is None:
        try:
            event = event_in_any_casing(whole)
        except msgspec.ValidationError as error:
            return Reject("item", *fault_of(whole, error), text)
    event.flag(Flag.CUT_OFF)
    event.received = whole
    event.cut_text = text
    event.unknown_paths = salvage.unknown_paths(set(fields), names, of_kubesphere=event.sender != SenderKind.KUBERNETES)
    if origin.time and event.stageTimestamp is None:
        event.stageTimestamp = origin.time
        event.edited |= {"stageTimestamp"}
    return event


def _beginning(text: bytes, fields: Fields, cut: salvage.CutText, origin: Origin) -> Reject:
    uri = text_in(fields, "requestURI")
    if uri is None and cut.unfinished[0].lower() == "requesturi":
        uri = salvage.beginning_of(cut.unfinished[1])
    about = CutEvent(
        auditID=text_in(fields, "auditID") or "",
        stage=text_in(fields, "stage") or "",
        requestURI=uri or "",
        time=origin.time,
    )
    return Reject("item", "cut_before_verb", "the event was cut off before it said what was done", text, about)
