"""Which objects of the quarantine a command is about, and how they are named."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.stack import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.archive.quarantine import Quarantine, Quarantined, QuarantineEntry

SHOWN_DIGITS = 12
"""How many digits of a digest are shown: enough to name an object, few enough for one line."""

Reason = Annotated[str | None, typer.Option(metavar="REASON", help="Only this reason, such as invalid_json.")]


def open_quarantine(found: Deployment) -> "Quarantine":
    """The quarantine of a stack that was found."""
    from auditwire.archive.quarantine import Quarantine

    return Quarantine(found.client("s3"), found.output("ArchiveBucket"))


def matches(
    quarantine: "Quarantine",
    cluster: str | None,
    reason: str | None,
    start: datetime | None,
    *,
    salvaged: bool = False,
) -> "Iterator[Quarantined]":
    """What matches, newest first. The notes are read as the iterator goes on.

    The texts of events that were cut off are left out unless ``salvaged``: they are evidence of events in the archive.
    """
    # Nothing is stored before it was received, so what was stored before the start came before it.
    entries = [entry for entry in quarantine.entries(cluster) if start is None or entry.stored >= start]
    return (
        found
        for found in quarantine.describe(entries)
        if reason in (None, found.note.reason)
        and (salvaged or not found.note.salvaged)
        and (start is None or found.note.received >= start)
    )


def the_one(quarantine: "Quarantine", name: str) -> "QuarantineEntry":
    """The entry with this key, or with a digest that begins so.

    Raises CommandError where there is none or there are several, UsageError for too few digits.
    """
    from auditwire.archive.quarantine import MIN_DIGEST_LENGTH

    if not name.startswith("quarantine/") and len(name) < MIN_DIGEST_LENGTH:
        raise UsageError(f"{name} is too short", f"give {MIN_DIGEST_LENGTH} or more digits of the digest")
    found = quarantine.find(name)
    if not found:
        raise CommandError(f"there is no {name} in quarantine", "see `auditwire quarantine list`")
    if len(found) > 1:
        raise CommandError(f"{len(found)} digests begin with {name}", "give more digits, or the key")
    return found[0]
