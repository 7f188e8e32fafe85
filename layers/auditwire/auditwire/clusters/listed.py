"""A row of the clusters table as it is shown: what its credential is called, whether it is valid, and the whole for
scripts."""

from datetime import datetime
from typing import Any, Final

from auditwire.clusters.registration import Registration, time_text

_ID_LENGTH: Final = 8


def short_id(registration: Registration) -> str:
    """How a credential is called: by the first digits of its SHA-256, from which nobody can make the credential. What a
    cloud names is called by that name."""
    if registration.kind.is_name:
        return registration.credential
    prefix = registration.kind.prefix
    return prefix + registration.credential.removeprefix(prefix)[:_ID_LENGTH]


def state_of(registration: Registration, now: datetime) -> str:
    """``ok``, or why the credential is not valid."""
    if not registration.enabled:
        return "disabled"
    if registration.expires is not None and registration.expires <= now:
        return "expired"
    if registration.not_before is not None and now < registration.not_before:
        return "not yet valid"
    return "ok"


def as_json(registration: Registration, now: datetime) -> dict[str, Any]:
    """A row for scripts; times are in ISO 8601, null where there is none."""
    use = registration.use
    return {
        "cluster": registration.cluster.name,
        "sender": registration.cluster.sender,
        "credential": short_id(registration),
        "kind": registration.kind,
        "state": state_of(registration, now),
        "enabled": registration.enabled,
        "labels": dict(registration.cluster.labels),
        "created": _text(registration.created),
        "not_before": _text(registration.not_before),
        "expires": _text(registration.expires),
        "silence_seconds": registration.silence_seconds,
        "last_seen": _text(use.seen if use else None),
        "events": use.events if use else 0,
        "batches": use.batches if use else 0,
        "user_agent": use.user_agent if use else "",
        "version": use.version if use else "",
    }


def _text(moment: datetime | None) -> str | None:
    return time_text(moment) if moment else None
