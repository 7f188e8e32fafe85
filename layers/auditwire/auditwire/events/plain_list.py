"""The body that nearly every request has: one EventList as kube-apiserver writes it, read in a single pass.

Where one item ends and the next begins is guessed from how kube-apiserver begins an item. The guess needs no trust: if
what stands before the items and behind them is the envelope of a list, and every piece between two commas is a whole
object, then the body is that list and the pieces are its items. Where a piece is none, the general way begins anew.
"""

from collections.abc import Callable

import msgspec

from auditwire.events.bounds import Budget
from auditwire.events.casing import NULL
from auditwire.events.model import Event
from auditwire.events.nesting import MAX_DEPTH, is_too_deep
from auditwire.events.oddities import SKIPPED, TRUNCATED, note_bodies_left_out, split_group

KUBERNETES = msgspec.json.Decoder(Event)
"""Reads an event whose keys are spelled exactly as kube-apiserver spells them."""

_ITEMS = b'"items":['
_MAX_HEAD_LENGTH = 1024
_END = b"]}"
# From the end of one item into the next: so white space never becomes part of an item.
_NEXT = b'},{"level":"'
# Searching is what finding the next item costs, and hardly an item is shorter. One that is, is searched for again.
_SHORTEST = 600


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """What is around the items, with none in it."""

    items: list[msgspec.Raw]
    kind: msgspec.Raw = NULL
    apiVersion: msgspec.Raw = NULL
    metadata: msgspec.Raw = NULL


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def take_plain_list(text: bytes, take: Callable[[Event], None], budget: Budget) -> bool:
    """Give away every event of a body that is a plain list of good events, in order; whether it is one.

    When it turns out not to be, some events may have been given away already. Raises OverBoundError for one event more
    than the budget allows.
    """
    start = text.find(_ITEMS, 0, _MAX_HEAD_LENGTH) + len(_ITEMS)
    end = len(text.rstrip()) - len(_END)
    if start < len(_ITEMS) or text[start : start + 1] != b"{" or text[end - 1 : end + len(_END)] != b"}" + _END:
        return False
    if not _is_envelope(text[:start]):
        return False
    view = memoryview(text)
    at, find, decode = start, text.find, KUBERNETES.decode
    left = budget.items_left
    while at < end:
        if not left:
            budget.take_items(budget.items_left + 1)
        left -= 1
        close = find(_NEXT, at + _SHORTEST, end)
        item = view[at : close + 1] if close > 0 else view[at:end]
        try:
            event = decode(item)
        except (msgspec.DecodeError, RecursionError):
            close = find(_NEXT, at, end)
            item = view[at : close + 1] if close > 0 else view[at:end]
            try:
                event = decode(item)
            except (msgspec.DecodeError, RecursionError):
                return False
        # Most events have nothing that nests: not even the call is worth it.
        status = event.responseStatus
        if (
            event.requestObject is not None
            or event.responseObject is not None
            or (status is not None and (status.details or status.metadata))
        ):
            without_nulls(event)
            if nests_too_deep(event, item):
                return False
            if SKIPPED in (event.requestObject, event.responseObject):
                note_bodies_left_out(event)
        annotations = event.annotations
        if annotations is not None and TRUNCATED in annotations:
            note_bodies_left_out(event)
        if "/" in event.objectRef.apiVersion:
            split_group(event)
        event.received = item
        take(event)
        at = close + 2 if close > 0 else end
    return True


def _is_envelope(head: bytes) -> bool:
    try:
        return not _ENVELOPE.decode(head + _END).items
    except (msgspec.DecodeError, RecursionError):
        return False


def without_nulls(event: Event) -> None:
    """Take out bodies that are null, which means absent."""
    if event.requestObject is not None and event.requestObject == NULL:
        event.requestObject = None
    if event.responseObject is not None and event.responseObject == NULL:
        event.responseObject = None


def nests_too_deep(event: Event, item: msgspec.Raw | memoryview) -> bool:
    """Whether an item with nothing but keys of the model nests deeper than MAX_DEPTH: only few parts of it can."""
    request, response, status = event.requestObject, event.responseObject, event.responseStatus
    if request is not None and is_too_deep(memoryview(request), MAX_DEPTH - 1):
        return True
    if response is not None and is_too_deep(memoryview(response), MAX_DEPTH - 1):
        return True
    return status is not None and bool(status.details or status.metadata) and is_too_deep(memoryview(item))
