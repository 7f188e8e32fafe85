"""``auditwire verify``: is the archive as it was sealed?"""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CallError
from auditwire_cli.evidence.place import Folder, KeyFiles, Place, find_place, stack_keys, unreadable_is_2
from auditwire_cli.evidence.receipts_report import verify_receipts
from auditwire_cli.evidence.report import JsonPrinter, Printer, TextPrinter
from auditwire_cli.output import Output
from auditwire_cli.progress import reading_progress
from auditwire_cli.quarantine.list import checked_cluster
from auditwire_cli.query import Store
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
    from auditwire.evidence.verify import Head, Question

_HEAD = re.compile(r"(?:([a-z0-9-]{1,63}):)?([0-9]{1,10}):([0-9a-fA-F]{64})")


def verify(
    *,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="Only this cluster.")] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Only what arrived from then on: 24h, 7d, 2026-11-21, …"),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only what arrived before then.")] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N:SHA", help="A seal that was noted elsewhere, as CLUSTER:N:SHA where there are several."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare the checksums that S3 keeps, and read what has none.")
    ] = False,
    accept_restart: Annotated[
        bool, typer.Option("--accept-restart", help="Let a chain begin anew behind another one.")
    ] = False,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Verify receipts of `auditwire receipt`, and nothing else.")
    ] = None,
    output: Annotated[Output, typer.Option("--format", help="For people, or JSON for scripts.")] = Output.TEXT,
    folder: Folder = None,
    key: KeyFiles = None,
    store: Annotated[
        Store | None, typer.Option(help="s3: what lies in the bucket, though the stack keeps events in DynamoDB now.")
    ] = None,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Verify the archive: every seal by its signature and its place in the chain, every object by its seal.

    Finds what was changed, removed, added, cut off, moved or numbered anew, and says which events that held. Without
    AWS it takes a copy of the bucket (aws s3 sync) and the public key (auditwire public-key). --from and --to choose
    objects by when they arrived; in a copy, where nobody knows that of what no seal names, by the hour of its events.
    The chain of seals is always walked as a whole.

    JSON is an object with the members verdict (intact, tampered, incomplete), seals, objects, spans, heads and notes;
    docs/evidence.md says what each state means.

    \b
    Exit codes: 0 intact and complete, 1 tampered, 2 unreadable or a wrong call, 3 intact but incomplete.

    \b
    Examples:
      auditwire verify --state .auditwire/dev.json
      auditwire verify --folder copy --key seal.pem --head 411:9f2c… --cluster demo
      auditwire verify --receipt receipt.json --key seal.pem
    """
    checked_cluster(cluster)
    where = Stack(stack, profile, region, endpoint_url, state)
    if receipt is not None:
        with unreadable_is_2():
            outcome = verify_receipts(receipt, stack_keys(where, key or []), output)
        raise typer.Exit(outcome)
    now = datetime.now(UTC)
    first, last = (parse_since(start, now) if start else None), (parse_since(end, now) if end else None)
    if first and last and first >= last:
        raise CallError("--to is not later than --from", "then nothing arrived")
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


def _verify(place: Place, question: "Question", printer: Printer) -> int:
    from auditwire.evidence.states import Tally
    from auditwire.evidence.verify import verify

    tally = Tally()
    with reading_progress() as reading:
        for report in verify(place.reader, place.keys, question, reading):
            tally.add(report)
            printer.add(report)
    printer.end(tally)
    return int(tally.outcome)


def _heads(place: Place, cluster: str | None, given: list[str]) -> "tuple[Head, ...]":
    from auditwire.evidence.verify import Head, clusters_in

    clusters = clusters_in(place.reader)
    if cluster is not None and cluster not in clusters and not given:
        raise CallError(f"there is nothing of a cluster {cluster}", f"there are: {', '.join(clusters) or 'none'}")
    heads = []
    for text in given:
        found = _HEAD.fullmatch(text)
        if found is None:
            raise CallError(f"{text[:80]} is no head", "give it as N:SHA, or CLUSTER:N:SHA, with 64 hexadecimal digits")
        own = found[1] or cluster or (clusters[0] if len(clusters) == 1 else None)
        if own is None:
            raise CallError(f"whose head is {text[:80]}?", "say so: --cluster NAME, or CLUSTER:N:SHA")
        if cluster not in (None, own):
            raise CallError(f"{text[:80]} is the head of another cluster than {cluster}")
        heads.append(Head(own, int(found[2]), found[3].lower()))
    return tuple(heads)
