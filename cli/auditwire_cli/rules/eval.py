"""``auditwire rules eval``: what rules decide about events in a file, before they decide about real ones."""

from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.errors import CommandError, ExitCode
from auditwire_cli.rules.documents import read_documents
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import Output, counted, show, show_json_line, tell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditwire.documents.diagnostics import Diagnostic
    from auditwire.events import Event
    from auditwire.pipeline import Decision
    from auditwire.policy import Policy
    from auditwire.rules import RuleSet


_BATCH = 400
_SHOWN_REJECTS = 100
_IGNORED = {
    "policy_none": "the policy leaves it out",
    "policy_stage": "the policy leaves this stage out",
    "level_none": "its level is None, or auditLevel is",
    "k8s_auditing_disabled": "k8sAuditingEnabled is false",
}


class Sender(StrEnum):
    """The kind of sender whose settings in the Webhook document apply."""

    KUBERNETES = SenderKind.KUBERNETES
    KUBESPHERE = SenderKind.KUBESPHERE


OfSender = Annotated[
    Sender | None,
    typer.Option(help="Apply the settings of the Webhook document for this sender.  [default: apply none]"),
]


def rules_eval(
    *,
    rules: Annotated[list[Path], typer.Option(metavar="PATH", help="Rule documents or folders; may be repeated.")],
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An audit policy to apply.  [default: the one among the documents, if any]"),
    ] = None,
    events: Annotated[
        str, typer.Option(metavar="FILE", help="Events in any body shape, also gzipped; - for standard input.")
    ],
    sender: OfSender = None,
    output: Annotated[
        Output, typer.Option("--format", help="One line of JSON for each event, or text for people.")
    ] = Output.JSON,
) -> None:
    """Decide about events in a file.

    Nothing is sent, archived or alerted.

    For each event, in order, there is one line of JSON with the members auditID, stage, verdict (ignore, archive,
    alert), archiving and alerting (every matching rule as document.rule, whatever its priority), alerts (rule,
    priority, message), errors (rule, message), undecided (the rules that nobody can decide, because a part of the event
    is missing), excepted (rule and exception of matches that raise no alert because of an exception) and pending (rule
    and group of matches that raise an alert only with others: rules test and rules replay judge thresholds). What the
    audit policy leaves out is ignored, as when it comes in.

    An item that is not an event is named on standard error with its place; the other items are decided.

    \b
    Exit codes: 0 every item was decided, 1 some are not events or the rules have errors, 2 wrong usage.

    \b
    Examples:
      auditwire rules eval --rules rules --events audit.log
      auditwire rules eval --rules rules --policy rules/policy.yaml --events audit.log
      auditwire rules eval --rules rules --rules extra.yaml --events - --format text < audit.log
    """
    import orjson

    from auditwire.events.slicing import slices
    from auditwire_cli.send.audit_log import open_audit_log
    from auditwire_cli.send.contents import contents_of, what_it_is
    from auditwire_cli.send.delivery import batches

    rule_set = _rule_set(rules, policy)
    bad = 0
    verdicts: Counter[str] = Counter()
    with open_audit_log(events) as log:
        for batch in batches(log, size=_BATCH):
            for part in slices(batch.lines()):
                contents = contents_of(part, batch.items)
                for reject in contents.rejects:
                    bad += 1
                    if bad <= _SHOWN_REJECTS:
                        tell(f"{batch.place_of(reject.raw)}: not an event: {what_it_is(reject)}")
                for event in contents.events:
                    decision = _decide(rule_set, event, sender)
                    verdicts[decision.verdict.outcome] += 1
                    line = _as_json(event, decision)
                    if output is Output.JSON:
                        show_json_line(orjson.dumps(line))
                    else:
                        show(_as_text(event, decision, line))
    if bad > _SHOWN_REJECTS:
        tell(f"{counted(bad - _SHOWN_REJECTS, 'more item is', 'more items are')} not an event")
    if output is Output.TEXT:
        counts = ", ".join(f"{verdicts[name]:,} {name}" for name in ("ignore", "archive", "alert"))
        show(
            f"{counted(verdicts.total(), 'event')}: {counts}"
            + (f"; {counted(bad, 'item')} not an event" if bad else "")
        )
    if bad:
        raise typer.Exit(ExitCode.FINDINGS)


def _rule_set(paths: list[Path], policy: Path | None) -> "RuleSet":
    """The rules of these paths, with this policy if there is one. Raises CommandError after showing what is wrong with
    them."""
    from dataclasses import replace

    from auditwire.rules import load_sources

    loaded = load_sources(read_documents(paths))
    if loaded.rule_set is None:
        _tell_errors(loaded.diagnostics)
        raise CommandError("the rules have errors, so nothing was decided", "see `auditwire rules check`")
    return loaded.rule_set if policy is None else replace(loaded.rule_set, policy=_policy(policy))


def _policy(file: Path) -> "Policy":
    from auditwire.policy import load_policy
    from auditwire_cli.policy.check import source_of

    loaded = load_policy(source_of(file))
    if loaded.policy is None:
        _tell_errors(loaded.diagnostics)
        raise CommandError("the policy has errors, so nothing was decided", "see `auditwire policy check`")
    return loaded.policy


def _tell_errors(findings: "Iterable[Diagnostic]") -> None:
    for found in findings:
        if found.is_error:
            tell(found.as_text())


def _decide(rule_set: "RuleSet", event: "Event", sender: Sender | None) -> "Decision":
    from auditwire.events import settle
    from auditwire.pipeline import decide_event

    # As ingest does: all times in one form. Only a credential names a cluster, and there is none here.
    settle(event, cluster=event.cluster, received=datetime.now(UTC))
    return decide_event(event, sender=None if sender is None else SenderKind(sender), rules=rule_set)


def _as_json(event: "Event", decision: "Decision") -> dict[str, Any]:
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
        "undecided": verdict.undecided,
        "excepted": [{"rule": one.rule, "exception": one.exception} for one in verdict.excepted],
        "pending": verdict.pending_groups(decision.event),
    }


def _as_text(event: "Event", decided: "Decision", decision: dict[str, Any]) -> str:
    ref = event.objectRef
    target = "/".join(part for part in (ref.resource, ref.namespace, ref.name, ref.subresource) if part)
    who = event.user.username or "nobody"
    matching = ", ".join(dict.fromkeys([*decision["alerting"], *decision["archiving"]])) or _IGNORED.get(
        str(decided.ignored), "no rule"
    )
    request = printable(f"{event.auditID} {event.stage}: {who} {event.verb} {target or event.requestURI}")
    lines = [f"{decision['verdict']:<8} {request}: {matching}"]
    lines += [f"         {alert['priority']} {alert['rule']}: {alert['message']}" for alert in decision["alerts"]]
    lines += [f"         could not be evaluated by {error['rule']}: {error['message']}" for error in decision["errors"]]
    if undecided := ", ".join(decision["undecided"]):
        lines.append(f"         a part of the event is missing, so undecided: {undecided}")
    lines += [f"         no alert by {one['rule']}: the exception {one['exception']}" for one in decision["excepted"]]
    for one in decision["pending"]:
        of = ", ".join(printable(f"{name} {value or 'missing'}") for name, value in one["by"].items())
        lines.append(f"         counted by {one['rule']}{f' for {of}' if of else ''}")
    return "\n".join(lines)
