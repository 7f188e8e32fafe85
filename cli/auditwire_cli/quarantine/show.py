"""``auditwire quarantine show``: what is wrong with a quarantined body or item, and where."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.quarantine.entries import SHOWN_DIGITS, open_quarantine, the_one
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json, tell
from auditwire_cli.times import iso

if TYPE_CHECKING:
    from auditwire.archive.quarantine import QuarantineEntry
    from auditwire.ingest.retry import Again


@on_stack
def quarantine_show(
    name: Annotated[str, typer.Argument(metavar="KEY|DIGEST", help="The key, or 8 or more digits of the digest.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Write the bytes as they came, with any secrets in them.")] = False,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Show a quarantined body or item, and why it is there.

    That is: where the fault is, and whether it can be read today. The bytes around the fault are shown on one line,
    escaped. Where they may have a secret, values are masked. --raw writes all bytes to standard output, without
    redaction.

    JSON has the members key, cluster, kind, reason, received, bytes, stored_bytes, today (readable, events, bad_items,
    reason, detail), place and excerpt (text, masked); the last two are null where there is none.

    \b
    Exit codes: 0 shown, 1 it does not exist or cannot be read, 2 wrong usage.

    \b
    Examples:
      auditwire quarantine show 1f3a90c2 --profile prod
      auditwire quarantine show 1f3a90c2 --raw --state .auditwire/dev.json > body
    """
    from auditwire.ingest.retry import read_again

    quarantine = open_quarantine(where.find())
    entry = the_one(quarantine, name)
    note, content = quarantine.read(entry)
    if raw:
        tell("these bytes are not redacted: they may have secrets")
        _write(content)
        return
    shown = _Shown(entry, read_again(note, content), content)
    if output is Output.JSON:
        show_json(shown.as_json())
    else:
        show(where.completed(shown.as_text()))


class _Shown:
    """What is known of one object."""

    def __init__(self, entry: "QuarantineEntry", again: "Again", content: bytes) -> None:
        from auditwire_cli.quarantine.fault_excerpt import excerpt, place_of

        self._entry, self._again, self._size = entry, again, len(content)
        self._place, self._excerpt = None, None
        fault = again.fault
        # What could not be inflated is not text, and what can be read has no fault to show.
        if fault is not None and not again.compressed:
            body = content if again.note.kind == "item" else again.body
            self._length = len(body)
            self._place = place_of(fault.reason, fault.detail, body)
            self._excerpt = excerpt(body, self._place)

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        note, fault, decoded = self._again.note, self._again.fault, self._again.decoded
        today = {
            "readable": fault is None,
            "events": len(decoded.events),
            "bad_items": len(decoded.rejects),
            "reason": fault and fault.reason,
            "detail": fault and fault.detail,
        }
        shown = self._excerpt and {"text": self._excerpt.text, "masked": self._excerpt.masked}
        return {
            "key": self._entry.key,
            "cluster": note.cluster,
            "kind": note.kind,
            "reason": note.reason,
            "received": iso(note.received),
            "bytes": self._size,
            "stored_bytes": self._entry.size,
            "today": today,
            "place": self._place,
            "excerpt": shown,
        }

    def as_text(self) -> str:
        """For people."""
        note = self._again.note
        lines = [
            f"key       {self._entry.key}",
            f"cluster   {note.cluster}",
            f"kind      {note.kind}",
            f"reason    {printable(note.reason)}",
            f"received  {iso(note.received)}",
            f"size      {self._size:,} bytes ({self._entry.size:,} gzipped)",
            f"today     {self._today()}",
        ]
        if self._place is not None:
            lines.append(f"place     byte {self._place:,} of {self._length:,}")
        if self._excerpt is not None:
            lines.append(f"excerpt   {self._excerpt.text}")
            if self._excerpt.masked:
                lines.append("          values are masked, because they may be secret; --raw shows them")
        return "\n".join(lines)

    def _today(self) -> str:
        fault, decoded = self._again.fault, self._again.decoded
        if fault is not None:
            return f"still bad, {fault.reason}: {printable(fault.detail)}"
        bad = f" and {counted(len(decoded.rejects), 'bad item')}" if decoded.rejects else ""
        events = counted(len(decoded.events), "event")
        digest = self._entry.digest[:SHOWN_DIGITS]
        return f"can be read: {events}{bad}; next: `auditwire quarantine retry {digest}`"


def _write(content: bytes) -> None:
    """The bytes as they are; on a terminal, escaped."""
    if sys.stdout.isatty():
        show(content.decode(errors="backslashreplace"))
        return
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
