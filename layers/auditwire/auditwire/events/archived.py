"""Reading a line of the archive back: the event as it was stored, and what was noted about it then."""

from datetime import datetime
from typing import Final

import msgspec

from auditwire.events.decoding import decode
from auditwire.events.exact import exact_event
from auditwire.events.line import PROVENANCE
from auditwire.events.model import Event

_MARK: Final = f',"{PROVENANCE}":'.encode()


class ExceptedMatch(msgspec.Struct, frozen=True, gc=False):
    """A match that raised no alert because of an exception. Both by name."""

    rule: str = ""
    exception: str = ""


class Provenance(msgspec.Struct, frozen=True, gc=False):
    """What the archive notes about an event: when it was received, in which batch, and what which bundle decided.

    ``archiving`` and ``alerting`` name the rules that matched then, as ``document.rule``.
    """

    received: str = ""
    batch: str = ""
    bundle: str = ""
    archiving: tuple[str, ...] = ()
    alerting: tuple[str, ...] = ()
    reportedCluster: str = ""
    flags: tuple[str, ...] = ()
    excepted: tuple[ExceptedMatch, ...] = ()

    def alerted(self) -> tuple[str, ...]:
        """The alerting rules that matched then, without those that an exception silenced."""
        if not self.excepted:
            return self.alerting
        silenced = {one.rule for one in self.excepted}
        return tuple(rule for rule in self.alerting if rule not in silenced)


_PROVENANCE: Final = msgspec.json.Decoder(Provenance)


def _time_of(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def archived_event(line: bytes) -> tuple[Event, Provenance] | None:
    """The event of a line that ``encode_line`` wrote, with its provenance; None for any other line."""
    # Provenance is the last member of a line. No string holds the mark: quotes in strings are escaped.
    at = line.rfind(_MARK)
    if at < 0:
        return None
    try:
        noted = _PROVENANCE.decode(line[at + len(_MARK) : line.rindex(b"}")])
    except (msgspec.DecodeError, ValueError):
        return None
    text = line[:at] + b"}"
    event = exact_event(text)
    if event is None:
        # Unknown keys are kept in the archive too.
        decoded = decode(text)
        if len(decoded.events) != 1 or decoded.rejects:
            return None
        event = decoded.events[0]
    event.flags = tuple(dict.fromkeys((*noted.flags, *event.flags)))
    event.reportedCluster = noted.reportedCluster
    event.receipt = _time_of(noted.received)
    return event, noted
