"""The form in which an event is stored and sent on: trimmed to a level, without secrets."""

from typing import Any

from auditwire.events.level import Level
from auditwire.events.managed_fields import strip_managed_fields
from auditwire.events.model import Event, Flag
from auditwire.events.redact import redact_body
from auditwire.events.redact_uri import redact_uri

_BODIES = ("requestObject", "responseObject")


def as_stored(event: Event, level: Level | None, *, omit_managed_fields: bool = False) -> Event:
    """The event as the archive, alerts and outputs may see it. The same object if nothing changes.

    ``level`` is the most that may be kept, None for no limit: up to Metadata no bodies, at Request no responseObject.
    An event whose own level is higher then has the lower one, as kube-apiserver would have written it. Secret values,
    tokens and bearer tokens in the URI are replaced by ``[REDACTED]``, and the event is flagged.
    ``omit_managed_fields`` removes ``metadata.managedFields`` from bodies except patches, as kube-apiserver does.
    """
    uri = redact_uri(event.requestURI)
    if level is None and event.requestObject is None and event.responseObject is None and uri == event.requestURI:
        return event
    changes: dict[str, Any] = {}
    if level is not None:
        dropped = _BODIES if level < Level.REQUEST else _BODIES[1:] if level < Level.REQUEST_RESPONSE else ()
        changes = {name: None for name in dropped if getattr(event, name) is not None}
        if Level.of(event.level) > level:
            changes["level"] = str(level)
    redactions: dict[str, Any] = {}
    if uri != event.requestURI:
        redactions["requestURI"] = uri
    for name in _BODIES:
        body = getattr(event, name)
        if body is None or name in changes:
            continue
        # A patch is stored as it was sent.
        if omit_managed_fields and not (name == "requestObject" and event.verb == "patch"):
            stripped = strip_managed_fields(body)
            if stripped is not body:
                changes[name] = body = stripped
        redacted = redact_body(body, event.objectRef)
        if redacted is not body:
            redactions[name] = redacted
    if not changes and not redactions:
        return event
    stored = event.with_changes(**{**changes, **redactions})
    if redactions:
        stored.flag(Flag.REDACTED)
    return stored
