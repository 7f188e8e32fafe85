"""``auditwire quarantine retry``: process what can be read today."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import check_cluster_name
from auditwire_cli.errors import CommandError, ExitCode, UsageError
from auditwire_cli.quarantine.entries import SHOWN_DIGITS, matches, open_quarantine, the_one
from auditwire_cli.stack import Deployment, Stack, on_stack
from auditwire_cli.stack.ingest import ingest_of
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json
from auditwire_cli.times import read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.archive.quarantine import Quarantine, QuarantineEntry
    from auditwire.ingest.retry import Retried

_PUBLISH_SECONDS = 30.0
_SAID = {"taken": "processed", "still_bad": "still bad", "failed": "failed"}


@on_stack
def quarantine_retry(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="KEY|DIGEST", help="Keys, or 8 or more digits of digests.")
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything in quarantine, or what the next options select.")
    ] = False,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="With --all: only this cluster.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="REASON", help="With --all: only this reason.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="With --all: only what came since then, such as 24h.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and change nothing.")] = False,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Retry what is in quarantine, and process what can be read today.

    It is processed like every batch: the rules in force now decide, and it is archived and alerted with the cluster
    that sent it and the time it came. Alerts that SNS does not take go to the outbox. When all of that is stored, the
    object leaves the quarantine; what is still bad stays. Retrying something twice stores nothing twice.

    JSON is an array of objects with the members key, outcome (taken, still_bad, failed), why, received, ignored,
    archived, quarantined, alerts, outboxed and objects.

    \b
    Exit codes: 0 done, 1 something failed, or something named is still bad, 2 wrong usage.

    \b
    Examples:
      auditwire quarantine retry 1f3a90c2 --dry-run --profile prod
      auditwire quarantine retry --all --cluster demo --state .auditwire/dev.json
    """
    if bool(names) == everything:
        raise UsageError("it is not clear what to retry", "give keys or digests, or --all for everything")
    if names and (cluster or reason or since):
        raise UsageError("--cluster, --reason and --since are for --all", "leave them out, or give no names")
    check_cluster_name(cluster)
    start = read_time("--since", since, datetime.now(UTC))
    found = where.find()
    quarantine = open_quarantine(found)
    if names:
        entries = list(dict.fromkeys(the_one(quarantine, name) for name in names))
    else:
        # The oldest first, as they came.
        entries = [match.entry for match in matches(quarantine, cluster, reason, start)][::-1]
    done: list[Retried] = []
    for each in _retried(found, quarantine, entries, dry_run=dry_run):
        done.append(each)
        if output is Output.TEXT:
            show(_line(each))
    if output is Output.JSON:
        show_json([_as_json(each) for each in done])
    else:
        show(_summary(done, dry_run=dry_run))
    failed = [each for each in done if each.outcome == "failed"]
    if failed:
        left = len(entries) - len(done)
        raise CommandError(
            f"{failed[0].entry.key} could not be processed: {failed[0].why}",
            f"it stays in quarantine; {counted(left, 'other was', 'others were')} not tried; run the command again",
        )
    if names and any(each.outcome == "still_bad" for each in done):
        raise typer.Exit(ExitCode.FINDINGS)


def _retried(
    found: Deployment, quarantine: "Quarantine", entries: "list[QuarantineEntry]", *, dry_run: bool
) -> "Iterator[Retried]":
    """What becomes of each entry, one by one. Ends with the first that fails, since the others would fail likewise."""
    from auditwire.alerts import MemoryPublisher
    from auditwire.alerts.outbox import MemoryOutbox
    from auditwire.archive import MemoryArchive
    from auditwire.archive.errors import QuarantineError
    from auditwire.ingest.retry import Retried, retry

    ingest = ingest_of(found)
    if dry_run:
        ingest = replace(ingest, archive=MemoryArchive(), publisher=MemoryPublisher(), outbox=MemoryOutbox())
    for entry in entries:
        try:
            done = retry(quarantine, ingest, entry, time.time() + _PUBLISH_SECONDS, keep=dry_run)
        except QuarantineError as error:
            done = Retried(entry, "failed", str(error))
        yield done
        if done.outcome == "failed":
            return


def _line(done: "Retried") -> str:
    head = f"{_SAID[done.outcome]:9}  {done.entry.digest[:SHOWN_DIGITS]}  {done.entry.cluster}"
    account = done.account
    if account is None or done.outcome != "taken":
        return f"{head}  {printable(done.why)}"
    parts = [f"{account.archived:,} archived"]
    parts += [f"{account.ignored.total():,} ignored"] if account.ignored else []
    parts += [f"{account.quarantined.total():,} quarantined"] if account.quarantined else []
    alerts = f"; {counted(account.published, 'alert')}" if account.published else ""
    alerts += f"; {counted(account.outboxed, 'alert')} in the outbox" if account.outboxed else ""
    before = "; stored before" if account.stored_before else ""
    return f"{head}  {counted(account.received, 'event')}: {', '.join(parts)}{alerts}{before}"


def _summary(done: "list[Retried]", *, dry_run: bool) -> str:
    counts = [f"{sum(each.outcome == outcome for each in done):,} {said}" for outcome, said in _SAID.items()]
    if not done:
        return "nothing in quarantine"
    return ", ".join(counts) + (" (dry run: nothing was changed)" if dry_run else "")


def _as_json(done: "Retried") -> dict[str, object]:
    account = done.account
    return {
        "key": done.entry.key,
        "outcome": done.outcome,
        "why": done.why,
        "received": account.received if account else 0,
        "ignored": dict(account.ignored) if account else {},
        "archived": account.archived if account else 0,
        "quarantined": dict(account.quarantined) if account else {},
        "alerts": account.published if account else 0,
        "outboxed": account.outboxed if account else 0,
        "objects": account.objects if account else [],
    }
