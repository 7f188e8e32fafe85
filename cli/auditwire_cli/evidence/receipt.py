"""``auditwire receipt``: one event, and the proof that it was sealed."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import OnlyCluster, check_cluster_name
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.evidence.place import Folder, KeyFiles, Place, find_place, unreadable_is_2
from auditwire_cli.stack import Stack, in_one_sentence, on_stack
from auditwire_cli.terminal.output import counted, show_json_line, tell
from auditwire_cli.terminal.progress import reading_hours
from auditwire_cli.times import From, To, read_time

if TYPE_CHECKING:
    from auditwire.evidence.finding import Hit
    from auditwire.evidence.receipt import Receipt

_HOURS = 24


@on_stack
def receipt(
    audit_id: Annotated[str, typer.Argument(metavar="AUDITID", help="The request whose events you want.")],
    *,
    cluster: OnlyCluster = None,
    start: From = None,
    end: To = None,
    folder: Folder = None,
    key: KeyFiles = None,
    where: Stack,
) -> None:
    """Print a receipt for each event of a request.

    A receipt is a line of JSON with the event and the proof that a seal covers it; it shows no other event.
    `auditwire verify --receipt FILE` verifies it with nothing but the public key, and so does openssl, as
    docs/evidence.md says. In a bucket the hours from --from to --to are read, or else the last 24; in a copy, all.

    \b
    Exit codes: 0 printed, 1 there is no such event, or no seal covers it, 2 unreadable or wrong usage.

    \b
    Examples:
      auditwire receipt 0b1d7d3a-… --from 7d --profile prod > receipt.json
      auditwire receipt 0b1d7d3a-… --state .auditwire/dev.json
    """
    if not audit_id:
        raise UsageError("the auditID is empty", "say which request you mean")
    check_cluster_name(cluster)
    now = datetime.now(UTC)
    first, last = read_time("--from", start, now), read_time("--to", end, now)
    if first and last and first >= last:
        raise UsageError("--to is not later than --from", "swap them")
    reading = reading_hours()
    with unreadable_is_2(), in_one_sentence(where):
        place = find_place(where, folder, key or [], in_bucket=True)
        if place.live:
            last = last or now + timedelta(days=1)
            if first is None:
                tell(f"looking at the last {_HOURS} hours; --from looks further back")
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
                    show_json_line(made.as_text().encode())
                    printed += 1
    tell(counted(printed, "receipt"))
    if problems:
        raise CommandError(problems[0], "`auditwire verify` says what is wrong with the archive")
    if not printed:
        raise CommandError(f"there is no event with the auditID {audit_id[:200]}", "--from looks further back")


def _receipt(place: Place, cluster: str, hit: "Hit") -> "Receipt | str":
    """The receipt of an event, if it proves something; else a sentence that says why there is none."""
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
