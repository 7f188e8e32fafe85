"""What the running system has done so far, as text: for the live view on a terminal, for a log, and for the end."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import counted

if TYPE_CHECKING:
    from rich.console import Group

    from auditwire_local import Status

_SHOWN_ALERTS = 3


def counter_lines(status: "Status") -> Iterator[str]:
    """The counters and their parts, one on each line."""
    yield f"received     {status.received:>7,}  events in {counted(status.requests, 'request')}"
    yield f"ignored      {sum(status.ignored.values()):>7,}{_parts(status.ignored)}"
    yield f"archived     {status.archived:>7,}"
    yield f"alerted      {status.alerted:>7,}{_parts(status.alerts)}"
    yield f"quarantined  {sum(status.quarantined.values()):>7,}{_parts(status.quarantined)}"
    if status.skipped:
        yield f"skipped      {sum(status.skipped.values()):>7,}{_parts(status.skipped)}"
    if status.not_stored:
        yield f"not stored   {status.not_stored:>7,}  answered with 503: lost, unless the sender repeats them"
    if status.evaluation_errors:
        yield f"not decided  {sum(status.evaluation_errors.values()):>7,}{_parts(status.evaluation_errors)}"
    if status.unauthorized:
        yield f"refused      {status.unauthorized:>7,}  requests without a valid credential"
    if status.failures:
        yield f"failed       {sum(status.failures.values()):>7,}{_parts(status.failures)}"
    yield f"alerts       {status.delivered:>7,}  delivered to Alertmanager{_trouble(status)}"


def archive_lines(status: "Status") -> Iterator[str]:
    """Where the archive is, and how to look into it."""
    yield f"archive      {status.archive.name}"
    yield f"             {status.archive.command}"


def alert_lines(alert: Mapping[str, Any]) -> Iterator[str]:
    """One alert in full, as it was published: a headline, then every label and annotation."""
    labels, annotations = alert.get("labels", {}), alert.get("annotations", {})
    own = alert.get("auditwire", {})
    times = own.get("count", 1)
    often = f" ({times:,} events)" if times != 1 else ""
    yield printable(f"{labels.get('priority', '')} {own.get('rule', labels.get('alertname', ''))}{often}")
    if annotations.get("message"):
        yield printable(f"  {annotations['message']}")
    for kind, values in (("label", labels), ("annotation", annotations)):
        width = max((len(name) for name in values), default=0)
        for name, value in sorted(values.items()):
            yield printable(f"  {kind:<10} {name:<{width}}  {value}")
    if alert.get("generatorURL"):
        yield printable(f"  evidence   {alert['generatorURL']}")


def headline(alert: Mapping[str, Any]) -> str:
    """One alert on one line."""
    labels = alert.get("labels", {})
    rule = alert.get("auditwire", {}).get("rule", labels.get("alertname", ""))
    message = alert.get("annotations", {}).get("message", "")
    return printable(f"{labels.get('cluster', '')}: {labels.get('priority', '')} {rule}: {message}")


def report(status: "Status") -> str:
    """The whole summary after the system has ended, with the newest alerts in full."""
    archive = f"archive      {status.archive.name} (in the AWS of this process, so it is gone)"
    lines = ["", *counter_lines(status), archive]
    shown = status.latest_alerts[-_SHOWN_ALERTS:]
    if shown:
        lines += ["", f"the latest {len(shown)} alerts" if len(shown) > 1 else "the latest alert"]
        for alert in shown:
            lines += ["", *alert_lines(alert)]
    return "\n".join([*lines, ""])


def live_view(status: "Status", title: str, *, width: int, height: int) -> "Group":
    """The summary, to be drawn over itself on a terminal of this size.

    The newest alert is shown in full, and then as many older ones as there is room for.
    """
    from rich.console import Group
    from rich.rule import Rule
    from rich.text import Text

    counters = [*counter_lines(status), *archive_lines(status)]
    free = height - _rows(counters, width) - 4
    shown: list[str] = []
    for alert in reversed(status.latest_alerts):
        lines = ["", *alert_lines(alert)]
        if shown and _rows([*shown, *lines], width) > free:
            break
        shown += lines
    parts = [Rule(Text(title)), *(_line(line) for line in counters), Rule(Text("latest alerts, newest first"))]
    return Group(*parts, *(_line(line) for line in shown[1:]))


def _rows(lines: list[str], width: int) -> int:
    return sum(max(1, -(-len(line) // width)) for line in lines)


def _line(text: str) -> Any:
    from rich.text import Text

    line = Text(text, overflow="fold")
    line.highlight_regex(r"^(alerted|WARNING)\b", "bold red")
    line.highlight_regex(
        r"^(received|ignored|archived|quarantined|skipped|alerts|archive|not decided|refused)\b", "bold"
    )
    line.highlight_regex(r"^  (label|annotation|evidence) +\S+", "dim")
    return line


def _parts(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    largest_first = sorted(counts.items(), key=lambda part: (-part[1], part[0]))
    return "  " + ", ".join(f"{printable(name)} {count:,}" for name, count in largest_first)


def _trouble(status: "Status") -> str:
    trouble = []
    if status.undelivered:
        trouble.append(f"{counted(status.undelivered, 'attempt')} failed and will be repeated")
    if status.dead_lettered:
        trouble.append(f"{status.dead_lettered:,} given up")
    trouble += [f"{peer}: {state}" for peer, state in status.peers.items() if state != "ok"]
    return "; " + "; ".join(trouble) if trouble else ""
