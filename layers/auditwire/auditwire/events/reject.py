"""What of a body is no event: bad items, and things that are something else."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import msgspec


class Skipped(StrEnum):
    """Why something in a body is no audit event and was never meant to be one. Stable words: they are counted."""

    CONTROL_MESSAGE = "control_message"
    """A message of the road itself, as CloudWatch Logs sends one to see whether somebody is there."""
    LOG_TEXT = "log_text"
    """A line of an ordinary log, such as klog's."""
    OTHER_COMPONENT = "other_component"
    """What another program wrote than one that writes audit events."""
    OTHER_SERVICE = "other_service"
    """An audit entry of a cloud's service that is not Kubernetes."""
    FORGED_SOURCE = "forged_source"
    """What looks like an audit event and was written by a program that writes none."""


class CutEvent(msgspec.Struct, frozen=True):
    """What is left of an event that was cut off before it said what was done: so much that somebody should look.

    ``requestURI`` may be cut itself; ``time`` is when it was logged, in normal form, empty where nobody says.
    """

    auditID: str
    stage: str
    requestURI: str
    time: str


@dataclass(frozen=True, slots=True)
class Reject:
    """Bytes that are no event, and why. ``kind`` says whether ``raw`` is a whole body or one item of it.

    ``reason`` is a stable word for counters. Of bodies: ``invalid_utf8``, ``invalid_json``, ``truncated``,
    ``too_deep``, ``gzip_as_text``, ``bad_gzip``, and those of bounds.OverBoundError. Of items: ``not_an_object``,
    ``not_an_event`` (none of the required fields), ``missing_field``, ``wrong_type``, ``too_deep``, ``too_many_keys``,
    ``too_many_values``, ``invalid_json`` (one of the lines of JSON lines), ``invalid_utf8``, ``fragment`` (a piece of
    an event whose other pieces are not in the body), ``cut_before_verb`` (an event cut so early that nobody can judge
    it), ``split_entry``, and ``bad_base64``, ``bad_gzip``, ``truncated`` of what lies inside an envelope. ``detail``
    names the place and never the value. ``cut`` is what can be said of an event with the reason ``cut_before_verb``.
    """

    kind: Literal["body", "item"]
    reason: str
    detail: str
    raw: bytes
    cut: CutEvent | None = None
