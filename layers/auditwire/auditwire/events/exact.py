"""What an item is whose keys are spelled exactly as a sender spells them, which nearly every item is."""

import msgspec

from auditwire.events.casing import NULL, KubeSphereEvent
from auditwire.events.model import Event
from auditwire.events.nesting import MAX_DEPTH, is_too_deep
from auditwire.events.oddities import note_oddities

KUBERNETES = msgspec.json.Decoder(Event)
"""Reads an event whose keys are spelled exactly as kube-apiserver spells them."""

KUBESPHERE = msgspec.json.Decoder(KubeSphereEvent)
"""Reads an event whose keys are spelled exactly as ks-apiserver spells them."""


def event_in_exact_casing(item: msgspec.Raw) -> Event | None:
    """The event in an item whose keys are spelled exactly as one of the two senders spells them; None for any other.
    Its depth is not checked, and null bodies stand."""
    for decoder in (KUBERNETES, KUBESPHERE):
        try:
            return decoder.decode(item)
        except msgspec.ValidationError:
            continue
    return None


def exact_event(item: bytes) -> Event | None:
    """The event in an item that is spelled as kube-apiserver spells it; None for any other item, good or not."""
    try:
        if not item.isascii():
            # msgspec checks strings that it decodes, not the bodies that it passes over.
            item.decode()
        event = KUBERNETES.decode(item)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    without_nulls(event)
    if nests_too_deep(event, item):
        return None
    event.received = item
    note_oddities(event)
    return event


def without_nulls(event: Event) -> None:
    """Take out bodies that are null, which means absent."""
    if event.requestObject is not None and event.requestObject == NULL:
        event.requestObject = None
    if event.responseObject is not None and event.responseObject == NULL:
        event.responseObject = None


def nests_too_deep(event: Event, item: msgspec.Raw | memoryview | bytes) -> bool:
    """Whether an item with nothing but keys of the model nests deeper than MAX_DEPTH: only few parts of it can."""
    request, response, status = event.requestObject, event.responseObject, event.responseStatus
    if request is not None and is_too_deep(memoryview(request), MAX_DEPTH - 1):
        return True
    if response is not None and is_too_deep(memoryview(response), MAX_DEPTH - 1):
        return True
    return status is not None and bool(status.details or status.metadata) and is_too_deep(memoryview(item))
