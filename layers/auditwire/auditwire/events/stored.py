"""The form in which an event is stored and sent on: trimmed to a level, without secrets."""

from typing import Any

import msgspec

from auditwire.events.level import Level
from auditwire.events.managed_fields import strip_managed_fields
from auditwire.events.model import Event, Flag
from auditwire.events.redact import EVERYWHERE, Redactor
from auditwire.events.redact_uri import MARK, redact_uri
from auditwire.events.secret_places import NAMED_BY_TOKEN, is_token_name

_BODIES = ("requestObject", "responseObject")


def as_stored(
    event: Event, level: Level | None, *, omit_managed_fields: bool = False, redactor: Redactor = EVERYWHERE
) -> Event:
    """The event as the archive, alerts and outputs may see it. The same object if nothing changes.

    ``level`` is the most that may be kept, None for no limit: up to Metadata no bodies, at Request no responseObject.
    An event whose own level is higher then has the lower one, as kube-apiserver would have written it. Secret values,
    tokens, and tokens in the URI and the object's name are replaced by ``[REDACTED]``, and the event is flagged;
    ``redactor`` knows which.
    ``omit_managed_fields`` removes ``metadata.managedFields`` from bodies except patches, as kube-apiserver does.
    """
    redactions = _without_tokens(event)
    if level is None and event.requestObject is None and event.responseObject is None and not redactions:
        return event
    changes: dict[str, Any] = {}
    if level is not None:
        dropped = _BODIES if level < Level.REQUEST else _BODIES[1:] if level < Level.REQUEST_RESPONSE else ()
        changes = {name: None for name in dropped if getattr(event, name) is not None}
        if Level.of(event.level) > level:
            changes["level"] = str(level)
    for name in _BODIES:
        body = getattr(event, name)
        if body is None or name in changes:
            continue
        # A patch is stored as it was sent.
        if omit_managed_fields and not (name == "requestObject" and event.verb == "patch"):
            stripped = strip_managed_fields(body)
            if stripped is not body:
                changes[name] = body = stripped
        redacted = redactor.body(body, event.objectRef)
        if redacted is not body:
            redactions[name] = redacted
    if not changes and not redactions:
        return event
    stored = event.with_changes(**{**changes, **redactions})
    if redactions:
        stored.flag(Flag.REDACTED)
    return stored


def _without_tokens(event: Event) -> dict[str, Any]:
    """The changes of an event with a token in its URI, or with an object whose name is a token: the name, and where the
    answer repeats it."""
    uri = redact_uri(event.requestURI)
    changes: dict[str, Any] = {} if uri == event.requestURI else {"requestURI": uri}
    name, status = event.objectRef.name, event.responseStatus
    if event.objectRef.resource not in NAMED_BY_TOKEN or not is_token_name(name):
        return changes
    changes["objectRef"] = msgspec.structs.replace(event.objectRef, name=MARK)
    if status is not None and name in f"{status.message}{status.details}":
        message = status.message.replace(name, MARK) if status.message else status.message
        details = status.details and {key: MARK if value == name else value for key, value in status.details.items()}
        changes["responseStatus"] = msgspec.structs.replace(status, message=message, details=details)
    return changes
