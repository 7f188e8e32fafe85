"""``auditwire quarantine retry``: take up again what can be read today."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CallError, CommandError
from auditwire_cli.output import Output, counted, printable
from auditwire_cli.quarantine.list import SHOWN_DIGITS, checked_cluster, matches
from auditwire_cli.quarantine.show import the_one
from auditwire_cli.since import parse_since
from auditwire_cli.stack import (
    DEFAULT_STACK,
    Deployment,
    EndpointUrl,
    Profile,
    Region,
    Stack,
    StackName,
    StateFile,
    in_one_sentence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.archive.quarantine import Quarantine, QuarantineEntry
    from auditwire.bundles.active_rules import RulesProblem
    from auditwire.ingest.ingest import Ingest
    from auditwire.ingest.retry import Retried

_PUBLISH_SECONDS = 30.0
_SAID = {"taken": "taken up", "still_bad": "still bad", "failed": "failed"}


def quarantine_retry(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="KEY|DIGEST", help="Keys, or 8 or more digits of digests.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Everything in quarantine, or what the next say.")] = False,
    cluster: Annotated[str | None, typer.Option(metavar="NAME", help="With --all: of this cluster only.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="WORD", help="With --all: of this reason only.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="With --all: what came since, as 24h.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")] = False,
    output: Annotated[Output, typer.Option("--format", help="For people, or JSON for scripts.")] = Output.TEXT,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Take up again what lies in quarantine and can be read today.

    It goes the road of every batch: decided by the rules in force now, archived and alerted under the cluster that
    sent it and the time it came; alerts that SNS does not take go to the outbox. Once all of that is stored it leaves
    the quarantine; what is still bad stays. Taking up the same twice stores nothing twice.

    JSON is an array of objects with the members key, outcome (taken, still_bad, failed), why, received, ignored,
    archived, quarantined, alerts, outboxed and objects.

    \b
    Exit codes: 0 done, 1 something failed or what was named is still bad, 2 the call was wrong.

    \b
    Examples:
      auditwire quarantine retry 1f3a90c2 --dry-run --profile prod
      auditwire quarantine retry --all --cluster demo --state .auditwire/dev.json
    """
    if bool(names) == everything:
        raise CallError("say what to take up", "give keys or digests, or --all for everything")
    if names and (cluster or reason or since):
        raise CallError("--cluster, --reason and --since choose among --all", "leave them out, or the names")
    checked_cluster(cluster)
    start = parse_since(since, datetime.now(UTC)) if since else None
    where = Stack(stack, profile, region, endpoint_url, state)
    done: list[Retried] = []
    with in_one_sentence(where):
        from auditwire.archive.quarantine import Quarantine

        found = where.find()
        quarantine = Quarantine(found.client("s3"), found.output("ArchiveBucket"))
        if names:
            entries = list(dict.fromkeys(the_one(quarantine, name) for name in names))
        else:
            # The oldest first, as they came.
            entries = [match.entry for match in matches(quarantine, cluster, reason, start)][::-1]
        for each in _retried(found, quarantine, entries, dry_run=dry_run):
            done.append(each)
            if output is Output.TEXT:
                print(_line(each), flush=True)
    if output is Output.JSON:
        print(json.dumps([_as_json(each) for each in done], ensure_ascii=False))
    else:
        print(_summary(done, dry_run=dry_run))
    failed = [each for each in done if each.outcome == "failed"]
    if failed:
        left = len(entries) - len(done)
        raise CommandError(
            f"{failed[0].entry.key} could not be taken up: {failed[0].why}",
            f"it stays in quarantine; {counted(left, 'other was', 'others were')} not tried; run it again",
        )
    if names and any(each.outcome == "still_bad" for each in done):
        raise typer.Exit(1)


def _retried(
    found: Deployment, quarantine: "Quarantine", entries: "list[QuarantineEntry]", *, dry_run: bool
) -> "Iterator[Retried]":
    """What becomes of each, one by one; ends with the first that fails, for that speaks of the road."""
    from auditwire.alerts import MemoryPublisher
    from auditwire.alerts.outbox import MemoryOutbox
    from auditwire.archive import MemoryArchive
    from auditwire.archive.errors import QuarantineError
    from auditwire.ingest.retry import Retried, retry

    ingest = _ingest(found)
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


def _ingest(found: Deployment) -> "Ingest":
    """The road of the stack, as its ingest function has it, run with the operator's permissions."""
    from auditwire.alerts.self_alerts import RUNBOOKS
    from auditwire.aws.environment import IngestConfig
    from auditwire.aws.object_lock import parse_lock
    from auditwire.ingest.wiring import Clients, wire

    config = IngestConfig(
        rules_bucket=found.output("RulesBucket"),
        rules_poll_seconds=float(found.parameters.get("RulesPollSeconds", 30)),
        archive_bucket=found.output("ArchiveBucket"),
        archive_table=found.outputs.get("ArchiveTable", ""),
        archive_days=int(found.parameters.get("ArchiveRetentionDays", 0)),
        alerts_topic_arn=found.output("AlertsTopicArn"),
        clusters_table=found.output("ClustersTable"),
        runbooks_url=found.parameters.get("RunbooksUrl", RUNBOOKS),
        evidence_lock=parse_lock(found.parameters.get("EvidenceLock", "none")),
    )
    s3, dynamodb = found.client("s3"), found.client("dynamodb")
    return wire(config, Clients(s3, s3, dynamodb, lambda: dynamodb, found.client("sns")), _no_rules)


def _no_rules(problem: "RulesProblem") -> None:
    """A function goes on with older rules; here events would be let go that the rules in force archive."""
    raise CommandError(f"the rules in force cannot be had: {problem.message}", "nothing was taken up; try again")


def _line(done: "Retried") -> str:
    head = f"{_SAID[done.outcome]:9}  {done.entry.digest[:SHOWN_DIGITS]}  {done.entry.cluster}"
    account = done.account
    if account is None or done.outcome != "taken":
        return f"{head}  {printable(done.why)}"
    parts = [f"{account.archived:,} archived"]
    parts += [f"{account.ignored.total():,} ignored"] if account.ignored else []
    parts += [f"{account.quarantined.total():,} put aside"] if account.quarantined else []
    alerts = f"; {counted(account.published, 'alert', 'alerts')}" if account.published else ""
    alerts += f"; {counted(account.outboxed, 'alert', 'alerts')} in the outbox" if account.outboxed else ""
    before = "; stored before" if account.stored_before else ""
    return f"{head}  {counted(account.received, 'event', 'events')}: {', '.join(parts)}{alerts}{before}"


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
