"""A message of the alerts queue, and the alert that it becomes in Alertmanager.

Anybody who may publish to the topic may have written it, so nothing in it is trusted. Names are made legal once more,
and a message that is not an alert is told apart from one that is merely odd.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from auditwire.alerts.doctor_test import DOCTOR_TEST, TEST_TTL
from auditwire.alerts.errors import MessageError
from auditwire.alerts.text import annotation_value, label_value
from auditwire.events.label_names import legal_names

# Three times what our largest alert has. More than that would only burden Alertmanager.
MAX_NAMES: Final = 192

# What Go's url.ParseRequestURI accepts. Alertmanager answers 422 to anything else, and stores nothing of the post.
_URI = re.compile(r"[a-z][a-z0-9+.-]*://([\x21\x23-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class QueuedAlert:
    """An alert in the queue. ``first`` is None if the message has no such time, or an unreadable one."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    first: datetime | None
    generator_url: str = ""

    def as_posted(self, now: datetime, ttl: timedelta) -> bytes:
        """The alert as JSON for Alertmanager's v2 API: it starts at its first occurrence and is active for ``ttl`` from
        now; the test alert of `auditwire doctor` for a minute at most."""
        if self.labels.get("alertname") == DOCTOR_TEST:
            ttl = min(ttl, TEST_TTL)
        alert: dict[str, Any] = {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": _as_text(min(self.first or now, now)),
            "endsAt": _as_text(now + ttl),
        }
        if self.generator_url:
            alert["generatorURL"] = self.generator_url
        return orjson.dumps(alert)


def read_message(body: str) -> QueuedAlert:
    """Reads the alert in the body of an SQS message, delivered raw or in the envelope of SNS.

    Names and values of labels and annotations are cut to the bounds of our own alerts. Raises MessageError if there is
    no alert: no JSON object, no label, a label that is not text, or more names than our alerts ever have.
    """
    message = _json_object(body)
    if message.get("Type") == "Notification" and isinstance(inner := message.get("Message"), str):
        message = _json_object(inner)
    labels = _texts(message.get("labels"), "labels", label_value)
    if not labels:
        raise MessageError("the message has no labels, so it is not an alert")
    about = message.get("auditwire")
    first = about.get("first") if isinstance(about, dict) else None
    return QueuedAlert(
        labels=labels,
        annotations=_texts(message.get("annotations"), "annotations", annotation_value),
        first=_time(first) or _time(message.get("startsAt")),
        generator_url=_uri(message.get("generatorURL")),
    )


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MessageError(f"the message is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise MessageError("the message is not a JSON object")
    return found


def _texts(found: object, what: str, bounded: Callable[[str], str]) -> dict[str, str]:
    """The texts under legal names. Empty ones are left out, as Alertmanager does. Numbers and booleans become text."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise MessageError(f"the message's {what} are not a JSON object")
    if len(found) > MAX_NAMES:
        raise MessageError(f"the message has {len(found)} {what}, more than {MAX_NAMES}")
    texts: dict[str, str] = {}
    for name, value in found.items():
        if isinstance(value, str):
            texts[name] = value
        elif isinstance(value, bool | int | float):
            texts[name] = orjson.dumps(value).decode()
        elif value is not None:
            raise MessageError(f"one of the message's {what} is not text")
    return legal_names({name: bounded(value) for name, value in texts.items() if value})


def _time(found: object) -> datetime | None:
    if not isinstance(found, str):
        return None
    try:
        moment = datetime.fromisoformat(found)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _as_text(moment: datetime) -> str:
    # Not strftime, which writes the year 1 as "1".
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _uri(found: object) -> str:
    if not isinstance(found, str) or not _URI.fullmatch(found):
        return ""
    try:
        parts = urlsplit(found)
        usable = bool(parts.hostname) and (parts.port is None or parts.port >= 0)
    except ValueError:
        return ""
    return found if usable else ""
