"""``auditwire rules explain``: why a rule alerts on an event, or the first reason why it does not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.rules.documents import read_documents
from auditwire_cli.rules.eval import OfSender
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import Format, Output, show, show_json, tell
from auditwire_cli.terminal.progress import reading_hours
from auditwire_cli.times import From, read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.analysis.explain import Explanation
    from auditwire.analysis.trace import Trace
    from auditwire.events import Event
    from auditwire.rules import Rule, RuleSet

_DEFAULT = Path("rules")
_ENDINGS: Final = (".json", ".jsonl", ".log", ".gz", ".txt", ".yaml", ".yml")
_MARKS = {True: "true ", False: "false", None: "?    "}


@on_stack
def rules_explain(
    event: Annotated[
        str,
        typer.Argument(metavar="EVENT", help="A file of events, - for standard input, or an auditID of the archive."),
    ],
    *,
    rule: Annotated[str, typer.Option(metavar="RULE", help="The rule, with or without its document.")],
    rules: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Rule documents or folders; may be repeated.  [default: rules]"),
    ] = None,
    sender: OfSender = None,
    start: From = None,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Explain what a rule makes of an event.

    Shows whether the rule matches, what becomes of the event, why, and the condition as a tree with the value of every
    part and what the event has in each field. Level, policy, priority and selectors count as they do in ingest.

    JSON has the members rule, matched, verdict (ignore, archive or alert, by all rules), because and tree (text, value,
    actual, children), one object on a line for each event.

    An auditID is looked up in the archive of a stack, where events are trimmed and redacted: in its last 24 hours, or
    since --from.

    \b
    Exit codes: 0 explained, 1 there is no such event or the rules have errors, 2 wrong usage.

    \b
    Examples:
      auditwire rules explain event.json --rule CreateHostnetworkPod
      auditwire rules explain 9c1f8a52-0000-4000-8000-000000000001 --rule alerting-rule.AttachOrExecPod --state FILE
    """
    from auditwire.analysis.explain import explain
    from auditwire.senders.kind import SenderKind

    paths = rules or [_DEFAULT]
    rule_set, chosen = _rule(paths, rule)
    count = 0
    for one in _from_file(event) if _is_file(event) else _from_archive(event, start, where):
        count += 1
        explained = explain(one, chosen, rule_set, sender=None if sender is None else SenderKind(sender))
        if output is Output.JSON:
            show_json(explained.as_json())
        else:
            show(("" if count == 1 else "\n") + _as_text(one, explained))
    if not count:
        raise CommandError(f"there is no event in {event}")


def _is_file(event: str) -> bool:
    """Whether this names a file, be it there or not: auditIDs of API servers have neither slashes nor such endings."""
    return event == "-" or "/" in event or Path(event).suffix in _ENDINGS or Path(event).exists()


def _rule(paths: list[Path], name: str) -> "tuple[RuleSet, Rule]":
    """The rules, and the one that is meant. Raises CommandError for documents with errors, UsageError for a rule that
    is not there, not enabled or not selected."""
    from auditwire.analysis.trial import Trials
    from auditwire.rules import load_sources

    loaded = load_sources(read_documents(paths))
    if loaded.rule_set is None:
        for found in loaded.diagnostics:
            if found.is_error:
                tell(found.as_text())
        raise CommandError("the rules have errors, so nothing was explained", "see `auditwire rules check`")
    rule = Trials(loaded.rule_set).rule_of(name)
    if not isinstance(rule, str):
        return loaded.rule_set, rule
    for document in loaded.documents:
        for entry in document.entries:
            if entry.type == "rule" and name in (entry.name, f"{document.name}.{entry.name}"):
                if not entry.enable:
                    raise UsageError(f"{name} never matches: it is not enabled", "write enable: true")
                raise UsageError(
                    f"{name} never matches: no selector selects its document {document.name}",
                    "label the document as the selectors of the Webhook document want it, such as type: alerting",
                )
    raise UsageError(rule)


def _from_file(name: str) -> "Iterator[Event]":
    from datetime import UTC, datetime

    from auditwire.events import decode, settle
    from auditwire_cli.send.audit_log import open_audit_log

    with open_audit_log(name) as log:
        for item in log:
            decoded = decode(item.raw)
            for reject in decoded.rejects:
                raise CommandError(f"{log.name}:{item.place}: not an event: {reject.detail} ({reject.reason})")
            for event in decoded.events:
                settle(event, cluster=event.cluster, received=datetime.now(UTC))
                yield event


def _from_archive(audit_id: str, start: str | None, where: Stack) -> "Iterator[Event]":
    from datetime import UTC, datetime

    from auditwire.archive.search import Search
    from auditwire.events import decode, settle
    from auditwire.search import Coverage, Page, Query
    from auditwire_cli.query.engines import Choice, engine_of

    now = datetime.now(UTC)
    asked = Search(audit_id=audit_id, start=read_time("--from", start, now))
    engine, search = engine_of(where.find(), Choice(), asked, now)
    coverage = Coverage(reading=reading_hours())
    for hit in engine.rows(Query.of(search), Page(), coverage):
        for event in decode(hit.found.line).events:
            settle(event, cluster=hit.found.cluster, received=now)
            yield event
    for damage in coverage.unreadable:
        tell(damage)


def _as_text(event: "Event", explained: "Explanation") -> str:
    ref = event.objectRef
    target = "/".join(part for part in (ref.resource, ref.namespace, ref.name, ref.subresource) if part)
    who = event.user.username or "nobody"
    does = "matches" if explained.matched else "does not match"
    lines = [
        printable(f"{event.auditID} {event.stage}: {who} {event.verb} {target or event.requestURI}"),
        f"{explained.rule} {does}; verdict: {explained.verdict}",
        *(printable(f"  because {reason}") for reason in explained.because),
        *_tree(explained.tree, 0),
    ]
    return "\n".join(lines)


def _tree(trace: "Trace", depth: int) -> "Iterator[str]":
    from auditwire.analysis.explain import brief, shown

    indent = "  " * depth
    if trace.kind == "test":
        problem = f"  ({trace.problem})" if trace.problem else ""
        yield printable(f"  {_MARKS[trace.value]} {indent}{brief(trace.text)}   ← {shown(trace.actual)}{problem}")
        return
    yield f"  {_MARKS[trace.value]} {indent}{trace.kind}"
    for child in trace.children:
        yield from _tree(child, depth + 1)
