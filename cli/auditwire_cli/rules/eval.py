"""``auditwire rules eval``: what rules decide about events, before they decide about anything real."""

import sys
from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.errors import CommandError
from auditwire_cli.output import Output, printable

if TYPE_CHECKING:
    from auditwire.events import Event
    from auditwire.rules import RuleSet


class Sender(StrEnum):
    """Which kind of sender's settings of the Webhook document apply."""

    KUBERNETES = SenderKind.KUBERNETES
    KUBESPHERE = SenderKind.KUBESPHERE


def rules_eval(
    *,
    rules: Annotated[list[Path], typer.Option(metavar="PATH", help="Rule documents or folders; may be repeated.")],
    events: Annotated[str, typer.Option(metavar="FILE", help="Events in any body shape, also gzipped; - for stdin.")],
    sender: Annotated[
        Sender | None,
        typer.Option(help="Apply the Webhook document's settings for this sender; without, none of them."),
    ] = None,
    output: Annotated[
        Output, typer.Option("--format", help="One JSON line an event, or text for people.")
    ] = Output.JSON,
) -> None:
    """Decide about events in a file.

    Nothing is sent, archived or alerted.

    One JSON line an event, in order, with the members auditID, stage, verdict (ignore, archive, alert), archiving
    and alerting (every matching rule as document.rule, whatever its priority), alerts (rule, priority, message) and
    errors (rule, message). No audit policy is applied.

    An item that is no event is named on standard error with its place; the others are decided all the same.

    \b
    Exit codes: 0 every item was decided, 1 some were no events or the rules have errors, 2 the call was wrong.

    \b
    Examples:
      auditwire rules eval --rules rules --events audit.log
      auditwire rules eval --rules rules --rules extra.yaml --events - --format text < audit.log
    """
    import orjson

    from auditwire.events import decode
    from auditwire_cli.send.audit_log import open_audit_log

    rule_set = _rule_set(rules)
    bad = 0
    verdicts: Counter[str] = Counter()
    with open_audit_log(events) as log:
        for item in log:
            decoded = decode(item.raw)
            for reject in decoded.rejects:
                bad += 1
                sys.stderr.write(f"{log.name}:{item.place}: no event: {reject.detail} ({reject.reason})\n")
            for event in decoded.events:
                decision = _decide(rule_set, event, sender)
                verdicts[decision["verdict"]] += 1
                print(orjson.dumps(decision).decode() if output is Output.JSON else _as_text(event, decision))
    if output is Output.TEXT:
        counts = ", ".join(f"{verdicts[name]:,} {name}" for name in ("ignore", "archive", "alert"))
        print(f"{verdicts.total():,} events: {counts}" + (f"; not an event: {bad:,}" if bad else ""))
    if bad:
        raise typer.Exit(1)


def _rule_set(paths: list[Path]) -> "RuleSet":
    """The rules of these paths. Raises CommandError after showing what is wrong with them."""
    from auditwire.rules import load_sources
    from auditwire_cli.rules.check import sources_of

    loaded = load_sources(sources_of(paths))
    if loaded.rule_set is None:
        for found in loaded.diagnostics:
            if found.is_error:
                sys.stderr.write(found.as_text() + "\n")
        raise CommandError("the rules have errors, so nothing was decided", "see `auditwire rules check`")
    return loaded.rule_set


def _decide(rule_set: "RuleSet", event: "Event", sender: Sender | None) -> dict[str, Any]:
    from auditwire.events import settle
    from auditwire.pipeline import decide_event

    # As ingest does: times in one form. The cluster is a credential's to say, and there is none here.
    settle(event, cluster=event.cluster, received=datetime.now(UTC))
    decision = decide_event(event, sender=None if sender is None else SenderKind(sender), rules=rule_set)
    verdict = decision.verdict
    return {
        "auditID": event.auditID,
        "stage": event.stage,
        "verdict": verdict.outcome,
        "archiving": verdict.archiving,
        "alerting": verdict.alerting,
        "alerts": [
            {"rule": rule.qualified, "priority": str(rule.priority), "message": rule.message(decision.event)}
            for rule in verdict.alerts
        ],
        "errors": [{"rule": failure.rule, "message": failure.message} for failure in verdict.errors],
    }


def _as_text(event: "Event", decision: dict[str, Any]) -> str:
    ref = event.objectRef
    target = "/".join(part for part in (ref.resource, ref.namespace, ref.name, ref.subresource) if part)
    who = event.user.username or "nobody"
    matching = ", ".join(dict.fromkeys([*decision["alerting"], *decision["archiving"]])) or "no rule"
    request = printable(f"{event.auditID} {event.stage}: {who} {event.verb} {target or event.requestURI}")
    lines = [f"{decision['verdict']:<8} {request}: {matching}"]
    lines += [f"         {alert['priority']} {alert['rule']}: {alert['message']}" for alert in decision["alerts"]]
    lines += [f"         could not be judged by {error['rule']}: {error['message']}" for error in decision["errors"]]
    return "\n".join(lines)
