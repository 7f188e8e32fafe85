"""Showing a running system until it is told to end: live on a terminal, line by line elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING

from auditwire_cli.dev.summary import headline, live_view
from auditwire_cli.terminal.output import show

if TYPE_CHECKING:
    from auditwire_cli.dev.demo import Demo
    from auditwire_local import LocalSystem, Status

_SECONDS_BETWEEN_LOOKS = 0.25
_SECONDS_BETWEEN_COUNTS = 5.0


def watch_live(system: "LocalSystem", traffic: "Demo | None", stop: Event, *, afterwards: str) -> None:
    """Draw the summary over itself until ``stop`` is set. After the demo's traffic, print ``afterwards``."""
    from rich.console import Console
    from rich.live import Live

    # The real stream: the system replaces sys.stdout by a stand-in, which is not a terminal.
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


class Lines:
    """A line for each chapter of the demo and for each alert, and every few seconds the counts if they changed."""

    def __init__(self) -> None:
        self._chapters = 0
        self._last_alert: object = None
        self._counted = 0
        self._counted_at = 0.0

    def watch(self, system: "LocalSystem", traffic: "Demo | None", stop: Event) -> None:
        """Print what is new until ``stop`` is set, or until the demo has sent its traffic."""
        while not stop.wait(_SECONDS_BETWEEN_LOOKS):
            playing = traffic is not None and traffic.running
            if traffic:
                self._show(self._new_chapters(traffic.chapters))
            status = system.status()
            self._show(self._new_counts(status))
            self._show(self._new_alerts(status))
            if traffic and not playing:
                return

    def end(self, status: "Status") -> None:
        """Print the alerts that came while the system was ending."""
        self._show(self._new_alerts(status))

    def _show(self, lines: Iterable[str]) -> None:
        for line in lines:
            show(line)

    def _new_chapters(self, chapters: Sequence[str]) -> Iterator[str]:
        for chapter in chapters[self._chapters :]:
            self._chapters += 1
            yield f"-- {chapter}"

    def _new_counts(self, status: "Status") -> Iterator[str]:
        if status.received != self._counted and time.monotonic() - self._counted_at > _SECONDS_BETWEEN_COUNTS:
            self._counted, self._counted_at = status.received, time.monotonic()
            yield (
                f"received {status.received:,}, ignored {sum(status.ignored.values()):,},"
                f" archived {status.archived:,}, alerted {status.alerted:,},"
                f" quarantined {sum(status.quarantined.values()):,}"
                + (f", skipped {sum(status.skipped.values()):,}" if status.skipped else "")
            )

    def _new_alerts(self, status: "Status") -> Iterator[str]:
        latest = status.latest_alerts
        # Compared by identity: two alerts with equal content are two alerts.
        known = next((place for place, alert in enumerate(latest) if alert is self._last_alert), -1)
        for alert in latest[known + 1 :]:
            self._last_alert = alert
            yield f"alert  {headline(alert)}"
