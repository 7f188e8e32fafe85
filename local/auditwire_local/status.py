"""What has happened so far, counted from the lines that the functions log.

Ingest writes a line ``batch`` for each request, and the relay a line ``relay`` for each call. So what is counted here
is what the functions say about themselves.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TextIO

import orjson

from auditwire.alerts.errors import MessageError
from auditwire.alerts.queued import read_message

_LINES_KEPT = 10_000
_ALERTS_KEPT = 50


@dataclass(frozen=True, slots=True)
class ArchivePlace:
    """Where the archive is, and how to look into it from another terminal."""

    name: str
    command: str


@dataclass(frozen=True, slots=True)
class Status:
    """The counters of one run.

    received = ignored + archived + quarantined + not_stored, where ignored and quarantined are sums. Events with alerts
    are among the archived.
    """

    archive: ArchivePlace
    requests: int = 0
    empty: int = 0
    received: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)
    """Events by the reason for which they were ignored."""
    archived: int = 0
    alerted: int = 0
    """Events with at least one alert."""
    alerts: Mapping[str, int] = field(default_factory=dict)
    """Events by ``document.rule``."""
    quarantined: Mapping[str, int] = field(default_factory=dict)
    """Bodies and items by reason."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """What else was in bodies and is no audit event, by reason; no part of ``received``."""
    not_stored: int = 0
    """Events of requests that were answered with 503."""
    evaluation_errors: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    """Batches whose objects were all stored before."""
    unauthorized: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    """Calls of a function that gave no answer, by function, and what went wrong in ``front`` and ``poller``."""
    delivered: int = 0
    undelivered: int = 0
    """Deliveries that failed and were left in the queue; each attempt counts."""
    dead_lettered: int = 0
    peers: Mapping[str, str] = field(default_factory=dict)
    """Alertmanager → ``ok``, or why the last attempt failed."""
    latest_alerts: Sequence[Mapping[str, Any]] = ()
    """The newest alerts in full, as they were published, the newest last."""

    @property
    def balance(self) -> str:
        """The counters on one line."""
        lost = f" not_stored={self.not_stored}" if self.not_stored else ""
        skipped = f" skipped={sum(self.skipped.values())}" if self.skipped else ""
        return (
            f"balance received={self.received} ignored={sum(self.ignored.values())} archived={self.archived} "
            f"alerted={self.alerted} quarantined={sum(self.quarantined.values())}{lost}{skipped}"
        )


def alert_in(body: str) -> Mapping[str, Any] | None:
    """The alert in a message of the queue, in the parts that are shown; None where there is none.

    Anybody may put anything into the queue. What the relay would not read as an alert is none here either.
    """
    try:
        read = read_message(body)
        message = orjson.loads(body)
    except (MessageError, orjson.JSONDecodeError):
        return None
    about = message.get("auditwire")
    about = about if isinstance(about, dict) else {}
    rule, count = about.get("rule"), about.get("count")
    return {
        "labels": dict(read.labels),
        "annotations": dict(read.annotations),
        "auditwire": {
            **({"rule": rule} if isinstance(rule, str) else {}),
            **({"count": count} if isinstance(count, int) else {}),
        },
        "generatorURL": read.generator_url,
    }


class Logbook:
    """The log lines of the functions: the newest in memory, all of them in a file if one is named, and all of them
    counted."""

    def __init__(self, log_file: Path | None = None) -> None:
        self._lock = Lock()
        self._lines: deque[tuple[str, str]] = deque(maxlen=_LINES_KEPT)
        self._alerts: deque[Mapping[str, Any]] = deque(maxlen=_ALERTS_KEPT)
        self._totals: Counter[str] = Counter()
        self._by: dict[str, Counter[str]] = {
            name: Counter() for name in ("ignored", "alerts", "quarantined", "skipped", "evaluation_errors", "failures")
        }
        self._peers: dict[str, str] = {}
        self._file: TextIO | None = log_file.open("a", encoding="utf-8") if log_file else None

    def lines(self, function: str | None = None) -> list[str]:
        """The newest lines of one function, or of all."""
        with self._lock:
            return [line for name, line in self._lines if function in {None, name}]

    def add(self, function: str, lines: Sequence[str]) -> int:
        """Take what one call of a function printed. Returns how many alerts it has put into the outbox."""
        with self._lock:
            before = self._totals["outboxed"]
            for line in lines:
                self._lines.append((function, line))
                self._count(line)
                if self._file:
                    print(line, file=self._file)
            if self._file:
                self._file.flush()
            return self._totals["outboxed"] - before

    def add_failure(self, function: str) -> None:
        """Count a call that gave no answer."""
        with self._lock:
            self._by["failures"][function] += 1

    def add_alert(self, alert: Mapping[str, Any]) -> None:
        """Remember a published alert."""
        with self._lock:
            self._alerts.append(alert)

    def status(self, archive: ArchivePlace) -> Status:
        """The counters as they are now."""
        with self._lock:
            totals, by = self._totals, self._by
            return Status(
                archive=archive,
                requests=totals["requests"],
                empty=totals["empty"],
                received=totals["received"],
                ignored=dict(by["ignored"]),
                archived=totals["archived"],
                alerted=totals["alerted"],
                alerts=dict(by["alerts"]),
                quarantined=dict(by["quarantined"]),
                skipped=dict(by["skipped"]),
                not_stored=totals["not_stored"],
                evaluation_errors=dict(by["evaluation_errors"]),
                repeated=totals["repeated"],
                unauthorized=totals["unauthorized"],
                failures=dict(by["failures"]),
                delivered=totals["delivered"],
                undelivered=totals["undelivered"],
                dead_lettered=totals["dead_lettered"],
                peers=dict(self._peers),
                latest_alerts=tuple(self._alerts),
            )

    def close(self) -> None:
        """Close the log file."""
        if self._file:
            self._file.close()

    def _count(self, line: str) -> None:
        if not line.startswith("{"):
            return
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        match entry.get("message"):
            case "batch":
                self._count_batch(entry)
            case "unauthorized":
                self._totals["requests"] += 1
                self._totals["unauthorized"] += 1
            case "relay":
                self._totals["delivered"] += entry.get("delivered", 0)
                self._totals["undelivered"] += entry.get("failed", 0)
                self._totals["dead_lettered"] += entry.get("dead_lettered", 0)
                self._peers.update(entry.get("peers", {}))

    def _count_batch(self, entry: Mapping[str, Any]) -> None:
        self._totals["requests"] += 1
        for name in ("received", "archived", "alerted"):
            self._totals[name] += entry[name]
        self._totals["not_stored"] += entry.get("not_stored", 0)
        self._totals["outboxed"] += entry.get("outboxed", 0)
        self._totals["empty"] += bool(entry.get("empty"))
        self._totals["repeated"] += bool(entry.get("stored_before"))
        for name in ("ignored", "alerts", "quarantined", "skipped", "evaluation_errors"):
            self._by[name].update(entry.get(name, {}))
