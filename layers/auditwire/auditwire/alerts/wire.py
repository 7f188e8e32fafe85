"""A message as it is sent to SNS: the alert for programs, and the same as readable text for e-mail.

The text for ``default`` is the message itself, byte for byte: queues and functions that are subscribed get only that.
What is sent is JSON in JSON, in which every quote takes three more bytes, so sizes are those of this form.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from auditwire.alerts.mail import SHORT_MAIL_BYTES, mail_subject, mail_text
from auditwire.alerts.text import annotation_value

MAX_WIRE_BYTES: Final = 200_000
"""In bytes. SNS takes 262,144 with attributes; the rest leaves room for those, and for subscribers that wrap the
message."""
SHORTER_ANNOTATIONS: Final = (256, 64)
"""To how many characters annotations are cut, one after the other, until a message fits."""

# XML, which SNS and SQS use, cannot represent these two; JSON can. In JSON they only occur inside strings.
_NOT_XML = (("\ufffe".encode(), rb"\ufffe"), ("\uffff".encode(), rb"\uffff"))


@dataclass(frozen=True, slots=True)
class WireForm:
    """What a publish request contains: a message of the structure ``json``, and a subject."""

    message: str
    subject: str


def encode_json(value: Any) -> bytes:
    """The value as JSON that is legal in XML 1.0."""
    encoded = orjson.dumps(value)
    for character, escape in _NOT_XML:
        encoded = encoded.replace(character, escape)
    return encoded


def fits(body: bytes) -> bool:
    """Whether a message with this text fits, with the shorter of the two e-mails."""
    return len(orjson.dumps(body.decode())) + 2 * SHORT_MAIL_BYTES <= MAX_WIRE_BYTES


def wire_form(body: str) -> WireForm:
    """The form of a message. If it is too large, its e-mail is shorter; if that is not enough, its annotations are cut.

    A text that is not an alert, which somebody else has put into the outbox, is sent as it is.
    """
    try:
        alert = orjson.loads(body)
    except orjson.JSONDecodeError:
        alert = None
    if not isinstance(alert, dict):
        return WireForm(_encode(body, "A message that is not an alert.").decode(), mail_subject({}))
    subject, short = mail_subject(alert), mail_text(alert, SHORT_MAIL_BYTES)
    message = _encode(body, mail_text(alert))
    if len(message) > MAX_WIRE_BYTES:
        message = _encode(body, short)
    for limit in SHORTER_ANNOTATIONS:
        if len(message) <= MAX_WIRE_BYTES:
            break
        message = _encode(encode_json(_shortened(alert, limit)).decode(), short)
    return WireForm(message.decode(), subject)


def _encode(body: str, mail: str) -> bytes:
    return encode_json({"default": body, "email": mail})


def _shortened(alert: dict[str, Any], limit: int) -> dict[str, Any]:
    annotations = alert.get("annotations")
    if not isinstance(annotations, dict):
        return alert
    cut = {name: annotation_value(value, limit) for name, value in annotations.items() if isinstance(value, str)}
    return {**alert, "annotations": cut}
