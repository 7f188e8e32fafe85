"""What is in a body, as the endpoint will see it: events, and what cannot be stored as one."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from auditwire.events import Event, Reject, decode
from auditwire_cli.send.audit_log import Item
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import counted

_SHOWN_KEYS: Final = 4
_MAX_TEXT: Final = 60
# containerd and CRI-O say so by a tag; Docker cuts a line at 16 KiB, and its line end is in the last part.
_PART: Final = re.compile(rb"[^ ]{10,40} std(?:out|err) P")
_DOCKER_LENGTH: Final = 15 * 1024
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Contents:
    """The events in a body; what of it is no event, and why."""

    events: tuple[Event, ...] = ()
    rejects: tuple[Reject, ...] = ()
    skipped: Counter[str] = field(default_factory=Counter)


def contents_of(body: bytes, items: Sequence[Item]) -> Contents:
    """What is in a body that was made of these items."""
    decoded = decode(body)
    rejects = tuple(decoded.rejects)
    if len(rejects) == 1 and rejects[0].kind == "body" and all(item.fault for item in items):
        # Nobody can say anything about the lines but that they are no JSON.
        rejects = tuple(Reject("item", rejects[0].reason, item.fault, item.raw) for item in items)
    return Contents(tuple(decoded.events), rejects, decoded.skipped)


def what_it_is(reject: Reject) -> str:
    """Why something is no event, and what it is instead: ``the object has none of the fields of an audit event; it has
    name, version``."""
    keys = _keys(reject.raw) if reject.reason == "not_an_event" else ()
    it_has = f"; it has {', '.join(keys)}" if keys else ""
    return f"{printable(reject.detail)}{it_has} ({reject.reason})"


def goes_on(line: bytes) -> bool:
    """Whether a container's runtime cut a line here: its other part is on a later line."""
    if _PART.match(line):
        return True
    log = _members_of(line).get("log") if len(line) > _DOCKER_LENGTH else None
    return log is not None and not bytes(log).endswith(b'\\n"')


def summary(rejects: Counter[str], skipped: Counter[str]) -> list[str]:
    """Lines that say how much was no event, and why; none if there is nothing to say."""
    lines = []
    if total := rejects.total():
        lines.append(f"no audit events: {counted(total, 'item')} ({_listed(rejects)}); the endpoint quarantines them")
    if total := skipped.total():
        lines.append(f"skipped: {counted(total, 'item')} ({_listed(skipped)})")
    return lines


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.most_common())


def _keys(raw: bytes) -> tuple[str, ...]:
    names = list(_members_of(raw))
    shown = [printable(name[:_MAX_TEXT]) for name in names[:_SHOWN_KEYS]]
    return tuple(shown) + (("…",) if len(names) > _SHOWN_KEYS else ())


def _members_of(raw: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _members.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return {}
