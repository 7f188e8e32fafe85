"""Reading a line of the archive back: the event as it was stored, and what was noted about it then."""

from datetime import datetime
from typing import Final

import msgspec

from auditwire.events.casing import fields_of
from auditwire.events.decoding import decode
from auditwire.events.exact import without_nulls
from auditwire.events.line import PROVENANCE
from auditwire.events.model import Event
from auditwire.events.oddities import note_oddities

_MAX_REMEMBERED: Final = 1_024


class ExceptedMatch(msgspec.Struct, frozen=True, gc=False):
    """A match that raised no alert because of an exception. Both by name."""

    rule: str = ""
    exception: str = ""


class Provenance(msgspec.Struct, frozen=True, gc=False):
    """What the archive notes about an event: when it was received, in which batch, and what which bundle decided.

    ``archiving`` and ``alerting`` name the rules that matched then, as ``document.rule``, ``undecided`` those of which
    nobody could say.
    """

    received: str = ""
    batch: str = ""
    bundle: str = ""
    archiving: tuple[str, ...] = ()
    alerting: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    reportedCluster: str = ""
    flags: tuple[str, ...] = ()
    excepted: tuple[ExceptedMatch, ...] = ()
    pending: tuple[str, ...] = ()

    def alerted(self) -> tuple[str, ...]:
        """The alerting rules that matched then, without those that an exception silenced, and those with a threshold:
        of them nobody noted whether it was reached."""
        if not self.excepted and not self.pending:
            return self.alerting
        silenced = {*(one.rule for one in self.excepted), *self.pending}
        return tuple(rule for rule in self.alerting if rule not in silenced)


class _Line(Event, kw_only=True):
    """An event with keys of the model only, and what was noted about it."""

    noted: msgspec.Raw = msgspec.field(name=PROVENANCE)


_LINE: Final = msgspec.json.Decoder(_Line)
_PROVENANCE: Final = msgspec.json.Decoder(Provenance)
# Events of a batch that the same rules matched have the same note.
_known: dict[bytes, tuple[Provenance, datetime | None]] = {}


def archived_event(line: bytes) -> tuple[Event, Provenance] | None:
    """The event of a line that ``encode_line`` wrote, with its provenance; None for any other line."""
    try:
        event = _LINE.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return _with_unknown_keys(line)
    text = bytes(event.noted)
    noted = _known.get(text) or _noted(text)
    if noted is None or not (line.isascii() or _is_utf8(line)):
        return None
    without_nulls(event)
    event.received = line
    note_oddities(event)
    _give_back(event, *noted)
    return event, noted[0]


def _with_unknown_keys(line: bytes) -> tuple[Event, Provenance] | None:
    """The same for a line whose event has keys that the model does not have, which the archive keeps."""
    try:
        fields = fields_of(line)
    except (msgspec.DecodeError, RecursionError):
        return None
    about = fields.pop(PROVENANCE, None)
    noted = None if about is None else _noted(bytes(about))
    if noted is None:
        return None
    decoded = decode(msgspec.json.encode(fields))
    if len(decoded.events) != 1 or decoded.rejects:
        return None
    _give_back(decoded.events[0], *noted)
    return decoded.events[0], noted[0]


def _noted(text: bytes) -> tuple[Provenance, datetime | None] | None:
    """What a note says, and the time of receipt in it."""
    try:
        read = _PROVENANCE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    noted = read, _time_of(read.received)
    if len(_known) >= _MAX_REMEMBERED:
        _known.clear()
    _known[text] = noted
    return noted


def _time_of(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _give_back(event: Event, noted: Provenance, receipt: datetime | None) -> None:
    """What stands beside the fields of an event, as it was when it was stored."""
    event.receipt = receipt
    if noted.flags:
        event.flags = tuple(dict.fromkeys((*noted.flags, *event.flags)))
    if noted.reportedCluster:
        event.reportedCluster = noted.reportedCluster


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
