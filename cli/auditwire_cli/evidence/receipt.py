"""``auditwire receipt``: one event, and the proof that it was sealed."""

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CallError, CommandError
from auditwire_cli.evidence.place import Folder, KeyFiles, Place, find_place, unreadable_is_2
from auditwire_cli.output import counted
from auditwire_cli.progress import reading_progress
from auditwire_cli.quarantine.list import checked_cluster
from auditwire_cli.since import parse_since
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
    from auditwire.evidence.finding import Hit
    from auditwire.evidence.receipt import Receipt

_HOURS = 24


def receipt(
    audit_id: Annotated[str, typer.Argument(metavar="AUDITID", help="The request whose events are meant.")],
    *,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this cluster.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Events from then on: 24h, 7d, 2026-11-21, …")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Events before then.")] = None,
    folder: Folder = None,
    key: KeyFiles = None,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Print a receipt of each event of a request: its line, and the proof that a seal covers it. No other event shows.

    A receipt is a line of JSON. `auditwire verify --receipt FILE` verifies it, with the public key and nothing else; so
    does openssl, as docs/evidence.md says. In a bucket the hours of --from to --to are read, the last 24 if nothing is
    given; in a copy all of it.

    \b
    Exit codes: 0 printed, 1 there is no such event, or no seal covers it, 2 unreadable or a wrong call.

    \b
    Examples:
      auditwire receipt 0b1d7d3a-… --from 7d --profile prod > receipt.json
      auditwire receipt 0b1d7d3a-… --state .auditwire/dev.json
    """
    if not audit_id:
        raise CallError("the auditID is empty", "say which request is meant")
    checked_cluster(cluster)
    now = datetime.now(UTC)
    first, last = (parse_since(start, now) if start else None), (parse_since(end, now) if end else None)
    if first and last and first >= last:
        raise CallError("--to is not later than --from", "then nothing can be found")
    where = Stack(stack, profile, region, endpoint_url, state)
    with unreadable_is_2(), in_one_sentence(where), reading_progress() as reading:
        place = find_place(where, folder, key or [], in_bucket=True)
        if place.live:
            last = last or now + timedelta(days=1)
            if first is None:
                sys.stderr.write(f"looking at {_HOURS} hours; --from looks further back\n")
                first = min(now, last) - timedelta(hours=_HOURS)
        from auditwire.evidence.finding import find_event
        from auditwire.evidence.verify import clusters_in

        printed, problems = 0, []
        for name in [cluster] if cluster else clusters_in(place.reader):
            for hit in find_event(place.reader, name, audit_id, start=first, end=last, reading=reading):
                made = _receipt(place, name, hit)
                if isinstance(made, str):
                    problems.append(made)
                else:
                    print(made.as_text())
                    printed += 1
    sys.stdout.flush()
    sys.stderr.write(counted(printed, "receipt", "receipts") + "\n")
    if problems:
        raise CommandError(problems[0], "auditwire verify says what is wrong with the archive")
    if not printed:
        raise CommandError(f"no event with the auditID {audit_id[:200]} was found", "look further back with --from")


def _receipt(place: Place, cluster: str, hit: "Hit") -> "Receipt | str":
    """The receipt of an event, which proves something; else a sentence why there is none."""
    from auditwire.evidence.finding import find_entry
    from auditwire.evidence.receipt import RefusedError, make_receipt, prove

    key = hit.listed.key
    found = find_entry(place.reader, cluster, hit.listed)
    if found is None:
        return f"no seal names {key} yet"
    file, entry = found
    made = make_receipt(hit.lines, hit.number, entry, file)
    try:
        prove(made, place.keys)
    except RefusedError as error:
        return f"{key} is not as it was sealed: {error}"
    return made
