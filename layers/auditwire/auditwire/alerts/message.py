"""An alert as a message: the object of Alertmanager's v2 API, plus one key ``auditwire``.

A subscriber of the topic can pass the object to any Alertmanager unchanged. There is no endsAt: how long an alert stays
active counts from its delivery, and only the program that delivers it knows that time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditwire.alerts.text import annotation_value
from auditwire.alerts.wire import SHORTER_ANNOTATIONS, encode_json, fits

if TYPE_CHECKING:
    from auditwire.alerts.alert import Alert


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: the text of the message, and the attributes for filter policies."""

    body: str
    attributes: Mapping[str, str]


def message_of(alert: "Alert") -> Message:
    """The message of an alert with its attributes."""
    return Message(encode_message(alert).decode(), attributes_of(alert))


def encode_message(alert: "Alert") -> bytes:
    """The message of an alert: UTF-8 JSON that is legal in XML 1.0. In the form in which it is sent it takes at most
    200,000 bytes; annotations are cut to fit."""
    message = _encode(alert, dict(alert.annotations))
    for limit in SHORTER_ANNOTATIONS:
        if fits(message):
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
    return encode_json(
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
