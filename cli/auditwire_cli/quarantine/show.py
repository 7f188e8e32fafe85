"""``auditwire quarantine show``: what is wrong with one quarantined body or item, and where."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CallError, CommandError
from auditwire_cli.output import Output, counted, printable
from auditwire_cli.quarantine.list import SHOWN_DIGITS, moment
from auditwire_cli.stack import (
    DEFAULT_STACK,
    EndpointUrl,
    Profile,
    Region,
    Stack,
    StackName,
    StateFile,
    in_one_sentence,
)

if TYPE_CHECKING:
    from auditwire.archive.quarantine import Quarantine, QuarantineEntry
    from auditwire.ingest.retry import Again


def quarantine_show(
    name: Annotated[str, typer.Argument(metavar="KEY|DIGEST", help="The key, or 8 or more digits of the digest.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Write the bytes as they came, secrets and all.")] = False,
    output: Annotated[Output, typer.Option("--format", help="For people, or JSON for scripts.")] = Output.TEXT,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Show one quarantined body or item: why it is there, where its fault is, whether it can be read today.

    The bytes around the fault are shown as one line with everything escaped that could steer a terminal. Where they
    may hold a secret, values are masked. --raw writes all bytes to standard output, unredacted.

    JSON has the members key, cluster, kind, reason, received, bytes, stored_bytes, today (readable, events, bad_items,
    reason, detail), place and excerpt (text, masked); the last two are null where there is none.

    \b
    Exit codes: 0 shown, 1 it is not there or cannot be read, 2 the call was wrong.

    \b
    Examples:
      auditwire quarantine show 1f3a90c2 --profile prod
      auditwire quarantine show 1f3a90c2 --raw --state .auditwire/dev.json > body
    """
    from auditwire.archive.quarantine import Quarantine
    from auditwire.ingest.retry import read_again

    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        found = where.find()
        quarantine = Quarantine(found.client("s3"), found.output("ArchiveBucket"))
        entry = the_one(quarantine, name)
        note, content = quarantine.read(entry)
    if raw:
        sys.stderr.write("these bytes are not redacted: they may hold secrets\n")
        _write(content)
        return
    shown = _Shown(entry, read_again(note, content), content)
    print(json.dumps(shown.as_json(), ensure_ascii=False) if output is Output.JSON else shown.as_text())


def the_one(quarantine: "Quarantine", name: str) -> "QuarantineEntry":
    """The entry of that name. Raises CommandError for none and for several, CallError for what names none."""
    from auditwire.archive.quarantine import MIN_DIGEST_LENGTH

    if not name.startswith("quarantine/") and len(name) < MIN_DIGEST_LENGTH:
        raise CallError(f"{printable(name)} is too short", f"give {MIN_DIGEST_LENGTH} or more digits of the digest")
    found = quarantine.find(name)
    if not found:
        raise CommandError(f"nothing in quarantine is called {printable(name)}", "see `auditwire quarantine list`")
    if len(found) > 1:
        raise CommandError(f"{len(found)} objects are called {name}", "give more digits of the digest, or the key")
    return found[0]


class _Shown:
    """What is known of one object."""

    def __init__(self, entry: "QuarantineEntry", again: "Again", content: bytes) -> None:
        from auditwire_cli.quarantine.fault_excerpt import excerpt, place_of

        self._entry, self._again, self._size = entry, again, len(content)
        self._place, self._excerpt = None, None
        fault = again.fault
        # What could not be inflated is no text, and of what can be read there is no fault to show.
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
            "received": moment(note.received),
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
            f"received  {moment(note.received)}",
            f"size      {self._size:,} bytes ({self._entry.size:,} gzipped)",
            f"today     {self._today()}",
        ]
        if self._place is not None:
            lines.append(f"place     byte {self._place:,} of {self._length:,}")
        if self._excerpt is not None:
            lines.append(f"excerpt   {self._excerpt.text}")
            if self._excerpt.masked:
                lines.append("          values are masked, for they may be secret; --raw shows them")
        return "\n".join(lines)

    def _today(self) -> str:
        fault, decoded = self._again.fault, self._again.decoded
        if fault is not None:
            return f"still bad, {fault.reason}: {printable(fault.detail)}"
        bad = f" and {counted(len(decoded.rejects), 'bad item', 'bad items')}" if decoded.rejects else ""
        events = counted(len(decoded.events), "event", "events")
        digest = self._entry.digest[:SHOWN_DIGITS]
        return f"can be read: {events}{bad}; take it up with `auditwire quarantine retry {digest}`"


def _write(content: bytes) -> None:
    """The bytes as they are; on a terminal with everything escaped that could steer it."""
    if sys.stdout.isatty():
        text = content.decode(errors="backslashreplace")
        print("\n".join(printable(line) for line in text.split("\n")))
        return
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
