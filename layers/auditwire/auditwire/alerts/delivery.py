"""Delivering alerts to every Alertmanager at once, and telling a bad alert from a bad peer.

Peers do not share alerts, so each of them gets all. A batch with one bad alert is answered with 400 (with 422 nothing
of it is stored). So after either of these each alert is posted alone; posting an alert twice is harmless. 413 refers to
the size of the batch: it is treated alike, but proves nothing about an alert.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from auditwire.alerts.alertmanager import Peer, PeerAnswer
from auditwire.alerts.errors import PeerError
from auditwire.alerts.packing import packed

MAX_LAG_SECONDS: Final = 1.0
"""How long others are waited for once one peer has taken all alerts. They get the alerts all the same; only what they
answer may not be known."""

MAX_POST_BYTES: Final = 500_000
"""In bytes. Proxies commonly take up to 1 MB."""

TAKEN: Final = "ok"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of alerts, by position: those that at least one peer took, and those that are proven bad, with the
    reason.

    All others have to be tried again. ``peers`` gives for each peer ``ok``, or why it failed.
    """

    taken: frozenset[int]
    bad: Mapping[int, str]
    peers: Mapping[str, str]


def deliver(
    alerts: Sequence[bytes], peers: Sequence[Peer], seconds: float, clock: Callable[[], float] = time.monotonic
) -> Delivery:
    """Posts alerts (each a JSON object) to all peers side by side, and returns within ``seconds``.

    Once one peer has taken all alerts that are not bad, the others have ``MAX_LAG_SECONDS``: a slow one does not hold
    up the next alerts for a quick one.

    An alert is bad only if a peer refuses it alone with 400 or 422, the same peer takes other alerts (or an empty
    list), and no other peer takes this one. A wrong address answers 400 to everything.
    """
    ends = clock() + seconds
    changed = threading.Condition()
    runs = [_Run(peer, alerts, ends, clock, changed) for peer in peers]
    for run in runs:
        threading.Thread(target=run.run, daemon=True).start()
    with changed:
        while not all(run.is_over for run in runs) and (left := ends - clock()) > 0:
            if any(run.has_decided for run in runs):
                changed.wait_for(lambda: all(run.is_over for run in runs), min(left, MAX_LAG_SECONDS))
                break
            changed.wait(left)
    results = [run.result() for run in runs]
    taken = frozenset().union(*(result.taken for result in results))
    bad: dict[int, str] = {}
    for result in results:
        bad.update({position: why for position, why in result.bad.items() if position not in taken})
    return Delivery(taken, bad, {run.peer.url: result.outcome for run, result in zip(runs, results, strict=True)})


@dataclass(slots=True)
class _Result:
    outcome: str = "timeout"
    taken: set[int] = field(default_factory=set)
    bad: dict[int, str] = field(default_factory=dict)


class _Run:
    """All posts to one peer, in a thread of their own, so that a peer that hangs does not cost the others time."""

    def __init__(
        self,
        peer: Peer,
        alerts: Sequence[bytes],
        ends: float,
        clock: Callable[[], float],
        changed: threading.Condition,
    ) -> None:
        self.peer = peer
        self.is_over = False
        self._changed = changed
        self._alerts = alerts
        self._ends = ends
        self._clock = clock
        self._lock = threading.Lock()
        self._result = _Result()

    @property
    def has_decided(self) -> bool:
        """Whether the peer took every alert, except those that it proved to be bad."""
        return self.is_over and self._result.outcome == TAKEN

    def run(self) -> None:
        """Posts everything. Ends early at the first answer that is about the peer."""
        try:
            self._run()
        finally:
            with self._changed:
                self.is_over = True
                self._changed.notify_all()

    def _run(self) -> None:
        try:
            refused = self._post_all()
            if refused:
                self._check_health()
        except PeerError as error:
            with self._lock:
                self._result.outcome = str(error)
            return
        with self._lock:
            self._result.bad = refused
            self._result.outcome = TAKEN

    def result(self) -> _Result:
        """What is known so far. If the run has not ended, the peer counts as too slow."""
        with self._lock:
            return _Result(self._result.outcome, set(self._result.taken), dict(self._result.bad))

    def _post_all(self) -> dict[int, str]:
        refused: dict[int, str] = {}
        for positions in packed(range(len(self._alerts)), self._size_of, max_size=MAX_POST_BYTES):
            answer = self._post(positions)
            if answer.taken:
                self._note(positions)
            elif answer.status in {400, 413, 422}:
                refused |= self._post_each(positions)
            else:
                raise PeerError(_about(answer))
        return refused

    def _post_each(self, positions: Sequence[int]) -> dict[int, str]:
        refused: dict[int, str] = {}
        for position in positions:
            answer = self._post([position])
            if answer.taken:
                self._note([position])
            elif answer.status in {400, 422}:
                refused[position] = _about(answer)
            else:
                raise PeerError(_about(answer))
        return refused

    def _size_of(self, position: int) -> int:
        return len(self._alerts[position]) + len(",")

    def _check_health(self) -> None:
        with self._lock:
            healthy = bool(self._result.taken)
        if not healthy and not (answer := self._post([])).taken:
            raise PeerError(f"refuses even an empty list: {_about(answer)}")

    def _post(self, positions: Sequence[int]) -> PeerAnswer:
        left = self._ends - self._clock()
        if left <= 0:
            raise PeerError("timeout")
        return self.peer.post(b"[" + b",".join([self._alerts[at] for at in positions]) + b"]", left)

    def _note(self, positions: Sequence[int]) -> None:
        with self._lock:
            self._result.taken.update(positions)


def _about(answer: PeerAnswer) -> str:
    return f"{answer.status} {answer.detail}".strip()
