"""An alert as a message: the object of Alertmanager's v2 API, plus one key ``auditwire``.

A subscriber of the topic can pass the object to any Alertmanager unchanged. There is no endsAt: how long an alert stays
active counts from its delivery, and only the program that delivers it knows that time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from auditwire.alerts.text import annotation_value

if TYPE_CHECKING:
    from auditwire.alerts.alert import Alert

MAX_MESSAGE_BYTES: Final = 200_000
"""In bytes. SNS takes 262,144 with attributes; the rest leaves room for subscribers that wrap the message."""

# XML, which SNS and SQS use, cannot represent these two; JSON can. In JSON they only occur inside strings.
_NOT_XML = (("\ufffe".encode(), rb"\ufffe"), ("\uffff".encode(), rb"\uffff"))
_SHORTER: Final = (256, 64)


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: the text of the message, and the attributes for filter policies."""

    body: str
    attributes: Mapping[str, str]


def message_of(alert: "Alert") -> Message:
    """The message of an alert with its attributes."""
    return Message(encode_message(alert).decode(), attributes_of(alert))


def encode_message(alert: "Alert") -> bytes:
    """The message of an alert: UTF-8 JSON of at most 200,000 bytes that is legal in XML 1.0. Annotations are cut to
    fit."""
    message = _encode(alert, dict(alert.annotations))
    for limit in _SHORTER:
        if len(message) <= MAX_MESSAGE_BYTES:
            break
        message = _encode(alert, {name: annotation_value(value, limit) for name, value in alert.annotations.items()})
    return message


def attributes_of(alert: "Alert") -> dict[str, str]:
    """The message attributes for filter policies. SNS refuses empty ones, so these are left out."""
    attributes = {
        "rule": alert.rule,
        "priority": alert.priority,
        "cluster": alert.labels.get("cluster", ""),
        "namespace": alert.labels.get("namespace", ""),
    }
    return {name: annotation_value(value, 256) for name, value in attributes.items() if value}


def _encode(alert: "Alert", annotations: dict[str, str]) -> bytes:
    message = orjson.dumps(
        {
            "labels": dict(alert.labels),
            "annotations": annotations,
            **({"startsAt": alert.first} if alert.first else {}),
            **({"generatorURL": alert.generator_url} if alert.generator_url else {}),
            "auditwire": {
                "first": alert.first,
                "last": alert.last,
                "rule": alert.rule,
                "document": alert.document,
                "bundle": alert.bundle,
                "count": alert.count,
                "auditIDs": list(alert.audit_ids),
            },
        }
    )
    for character, escape in _NOT_XML:
        message = message.replace(character, escape)
    return message
