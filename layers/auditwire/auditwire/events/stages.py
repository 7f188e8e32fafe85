"""The events of one request: one for each stage that is recorded of it."""

from typing import TYPE_CHECKING, Final

from auditwire.events.decoding import decode
from auditwire.events.timestamps import normalise

if TYPE_CHECKING:
    import msgspec

    from auditwire.events.model import Event

RECEIVED: Final = "RequestReceived"
"""The first stage: a request came in, and nobody knows yet how it ends."""

LATER: Final = ("ResponseStarted", "ResponseComplete", "Panic")


def is_later_stage(text: "msgspec.Raw | memoryview | bytes", received: "Event") -> bool:
    """Whether a text, the item of another event as received, is a later stage of the request that ``received`` says
    came in.

    An equal auditID does not show that, because clients may choose it. The time when the request came in, the verb, the
    URI and the user must be equal too.
    """
    return any(
        event.stage in LATER
        and event.auditID == received.auditID
        and event.verb == received.verb
        and event.requestURI == received.requestURI
        and event.user == received.user
        and _time(event) == _time(received)
        for event in decode(bytes(text)).events
    )


def _time(event: "Event") -> str | None:
    return normalise(event.requestReceivedTimestamp or "")
