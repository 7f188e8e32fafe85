"""Watching a running system until it is told to end: live on a terminal, line by line elsewhere."""

import sys
import time
from collections.abc import Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING

from auditwire_cli.summary import headline, live_view

if TYPE_CHECKING:
    from auditwire_cli.demo import Demo
    from auditwire_local import LocalSystem, Status

_SECONDS_BETWEEN_LOOKS = 0.25
_SECONDS_BETWEEN_COUNTS = 5.0


def watch_live(system: "LocalSystem", traffic: "Demo | None", stop: Event, *, afterwards: str) -> None:
    """Draw the summary over itself until ``stop`` is set. When the demo's traffic is through, say ``afterwards``."""
    from rich.console import Console
    from rich.live import Live

    # The real stream: the system puts stand-ins in the place of sys.stdout, and they are no terminal.
    console = Console(file=sys.__stdout__)
    playing = traffic is not None
    with Live(
        console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as live:
        while not stop.is_set():
            title = system.url
            if traffic and playing and traffic.chapters:
                title = f"{system.url} - {traffic.chapters[-1]}"
            live.update(live_view(system.status(), title, width=console.width, height=console.height), refresh=True)
            if traffic and playing and not traffic.running:
                playing = False
                console.print(afterwards, highlight=False, markup=False)
            stop.wait(_SECONDS_BETWEEN_LOOKS)


def watch_lines(system: "LocalSystem", traffic: "Demo | None", stop: Event) -> None:
    """Print a line for each alert and, while something happens, the counts every few seconds.

    Until ``stop`` is set; with a demo, until its traffic is through and nothing moves any more.
    """
    lines = _Lines()
    before: Status | None = None
    while not stop.wait(_SECONDS_BETWEEN_LOOKS):
        status = system.status()
        for line in lines.of(status, traffic.chapters if traffic else ()):
            print(line, flush=True)
        if traffic and not traffic.running and status == before:
            return
        before = status


class _Lines:
    """What is new since the last look, in lines."""

    def __init__(self) -> None:
        self._chapters = 0
        self._last_alert: object = None
        self._counted = 0
        self._counted_at = 0.0

    def of(self, status: "Status", chapters: Sequence[str]) -> Iterator[str]:
        for chapter in chapters[self._chapters :]:
            self._chapters += 1
            yield f"-- {chapter}"
        yield from self._alerts(status)
        if status.received != self._counted and time.monotonic() - self._counted_at > _SECONDS_BETWEEN_COUNTS:
            self._counted, self._counted_at = status.received, time.monotonic()
            yield (
                f"received {status.received:,}, ignored {sum(status.ignored.values()):,},"
                f" archived {status.archived:,}, alerted {status.alerted:,},"
                f" quarantined {sum(status.quarantined.values()):,}"
            )

    def _alerts(self, status: "Status") -> Iterator[str]:
        latest = status.latest_alerts
        # Known by identity: two alerts of equal content are two alerts.
        known = next((place for place, alert in enumerate(latest) if alert is self._last_alert), -1)
        for alert in latest[known + 1 :]:
            self._last_alert = alert
            yield f"alert  {headline(alert)}"
