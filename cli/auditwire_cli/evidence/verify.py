"""``auditwire verify``: is the archive as it was sealed?"""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import OnlyCluster, check_cluster_name
from auditwire_cli.errors import ExitCode, UsageError
from auditwire_cli.evidence.place import Folder, KeyFiles, Place, find_place, stack_keys, unreadable_is_2
from auditwire_cli.evidence.receipts_report import verify_receipts
from auditwire_cli.evidence.report import JsonPrinter, Printer, TextPrinter
from auditwire_cli.query.store import Store
from auditwire_cli.stack import Stack, in_one_sentence, on_stack
from auditwire_cli.terminal.output import Format, Output
from auditwire_cli.terminal.progress import reading_hours
from auditwire_cli.times import From, To, read_time

if TYPE_CHECKING:
    from auditwire.evidence.verify import Head, Question

_HEAD = re.compile(r"(?:([a-z0-9-]{1,63}):)?([0-9]{1,10}):([0-9a-fA-F]{64})")


@on_stack
def verify(
    *,
    cluster: OnlyCluster = None,
    start: From = None,
    end: To = None,
    head: Annotated[
        list[str] | None,
        typer.Option(metavar="N:SHA", help="A seal noted elsewhere; CLUSTER:N:SHA where there are several clusters."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare the checksums that S3 keeps, and read only what has none.")
    ] = False,
    accept_restart: Annotated[
        bool, typer.Option("--accept-restart", help="Accept that a new chain begins after another one.")
    ] = False,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Verify only these receipts of `auditwire receipt`.")
    ] = None,
    output: Format = Output.TEXT,
    folder: Folder = None,
    key: KeyFiles = None,
    store: Annotated[
        Store | None, typer.Option(help="s3: what is in the bucket, even if the stack archives in DynamoDB now.")
    ] = None,
    where: Stack,
) -> None:
    """Verify that the archive is as it was sealed.

    Every seal is verified by its signature and its place in the chain, and every object by its seal. What was changed,
    removed, added, cut off, moved or renumbered is found, with the events that were in it. Without AWS, give a copy of
    the bucket (made by aws s3 sync) and the public key (of `auditwire public-key`). --from and --to select objects by
    the time of their arrival. In a copy that is not known for objects that no seal names, so the hour of their events
    counts. The chain of seals is always verified as a whole.

    JSON is an object with the members verdict (intact, tampered, incomplete), seals, objects, spans, heads and notes;
    docs/evidence.md says what each state means.

    \b
    Exit codes: 0 intact and complete, 1 tampered, 2 unreadable or wrong usage, 3 intact but incomplete.

    \b
    Examples:
      auditwire verify --state .auditwire/dev.json
      auditwire verify --folder copy --key seal.pem --head 411:9f2c… --cluster demo
      auditwire verify --receipt receipt.json --key seal.pem
    """
    check_cluster_name(cluster)
    if receipt is not None:
        with unreadable_is_2():
            outcome = verify_receipts(receipt, stack_keys(where, key or []), output)
        raise typer.Exit(outcome)
    now = datetime.now(UTC)
    first, last = read_time("--from", start, now), read_time("--to", end, now)
    if first and last and first >= last:
        raise UsageError("--to is not later than --from", "swap them")
    with unreadable_is_2(), in_one_sentence(where):
        place = find_place(where, folder, key or [], in_bucket=store is Store.S3)
        from auditwire.evidence.verify import Question

        question = Question(
            now=now,
            cluster=cluster,
            start=first,
            end=last,
            heads=_heads(place, cluster, head or []),
            quick=quick,
            accept_restart=accept_restart,
            live=place.live,
        )
        printer: Printer = JsonPrinter() if output is Output.JSON else TextPrinter()
        outcome = _verify(place, question, printer)
    sys.stdout.flush()
    if outcome:
        raise typer.Exit(outcome)


def _verify(place: Place, question: "Question", printer: Printer) -> ExitCode:
    from auditwire.evidence.states import Tally
    from auditwire.evidence.verify import verify

    tally = Tally()
    for report in verify(place.reader, place.keys, question, reading_hours()):
        tally.add(report)
        printer.add(report)
    printer.end(tally)
    return ExitCode(tally.outcome)


def _heads(place: Place, cluster: str | None, given: list[str]) -> "tuple[Head, ...]":
    from auditwire.evidence.verify import Head, clusters_in

    clusters = clusters_in(place.reader)
    if cluster is not None and cluster not in clusters and not given:
        raise UsageError(f"there is nothing of the cluster {cluster}", f"there are: {', '.join(clusters) or 'none'}")
    heads = []
    for text in given:
        found = _HEAD.fullmatch(text)
        if found is None:
            raise UsageError(f"{text[:80]!r} is not a head", "write N:SHA or CLUSTER:N:SHA, with 64 hex digits")
        own = found[1] or cluster or (clusters[0] if len(clusters) == 1 else None)
        if own is None:
            raise UsageError(
                f"it is not clear whose head {text[:80]} is", "give --cluster NAME, or write CLUSTER:N:SHA"
            )
        if cluster not in (None, own):
            raise UsageError(f"{text[:80]} is not a head of {cluster}", "leave --cluster out, or give another head")
        heads.append(Head(own, int(found[2]), found[3].lower()))
    return tuple(heads)
