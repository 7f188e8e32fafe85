"""What an envelope says about what is in it."""

from enum import Enum

import msgspec


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where something in a body comes from, as far as the envelopes around it say.

    ``time`` is when it was logged, in normal form (see timestamps), ``cluster`` the cluster's name in the words of the
    envelope, ``stream`` what its lines come in one after the other, all empty where nobody says. ``is_other`` is
    whether its source is named and is none that writes audit events. ``layers`` counts the envelopes.
    """

    time: str = ""
    cluster: str = ""
    stream: str = ""
    is_other: bool = False
    layers: int = 0


NOWHERE = Origin()
"""Of what stands in a body as it is."""


class Ending(Enum):
    """Whether a text of a log is a whole line."""

    LINE = "line"
    """It is one, or nobody says otherwise."""
    PART = "part"
    """Whoever wrote it down says that the line goes on in the next text of the stream."""
    LAST_PART = "last part"
    """Whoever wrote it down says that the line ends here; it may have begun before."""
    LINE_END = "line end"
    """It ends with a line end where whole lines do."""
    NO_LINE_END = "no line end"
    """It has no line end where whole lines have one: probably a part."""
    UNSAID = "unsaid"
    """It has no line end, and a shipper may have taken it off."""


class Text(msgspec.Struct, frozen=True, gc=False):
    """A text of a log, or a part of one. ``is_strict`` is whether a text without its line end is never a whole line."""

    text: bytes
    origin: Origin
    ending: Ending = Ending.LINE
    is_strict: bool = False


class Value(msgspec.Struct, frozen=True, gc=False):
    """A JSON value that stood in an envelope as it is."""

    raw: msgspec.Raw
    origin: Origin


class Bytes(msgspec.Struct, frozen=True, gc=False):
    """Bytes out of an envelope, still base64: compressed or not, they are a body of their own."""

    base64: str
    origin: Origin


class Skip(msgspec.Struct, frozen=True, gc=False):
    """Something that is no audit event: a word of Skipped."""

    reason: str


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Something that should have been an audit event: reason and detail as of a Reject."""

    reason: str
    detail: str
    raw: bytes


class Converted(msgspec.Struct, frozen=True, gc=False):
    """An event in another form, put into the one of audit.k8s.io/v1."""

    event: bytes
    origin: Origin


Piece = Text | Value | Bytes | Skip | Fault | Converted
