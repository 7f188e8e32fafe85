"""What an item is whose keys are spelled exactly as a sender spells them, which nearly every item is."""

import msgspec

from auditwire.events.casing import NULL, KubeSphereEvent
from auditwire.events.model import Event
from auditwire.events.nesting import MAX_DEPTH, is_too_deep

KUBERNETES = msgspec.json.Decoder(Event)
"""Reads an event whose keys are spelled exactly as kube-apiserver spells them."""

KUBESPHERE = msgspec.json.Decoder(KubeSphereEvent)
"""Reads an event whose keys are spelled exactly as ks-apiserver spells them."""


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
