"""Does what EventBridge does for the deployed rules: it calls functions for events and on schedule. And what Lambda
does for whoever invokes a function without waiting: it tries again, and then gives the event to the destination.

The patterns are those of the deployed rules. A pattern that the matcher does not know is refused when the system
starts, so that a rule never matches here what it would not match on AWS.
"""

import queue
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditwire_local.errors import DeployError, FunctionError

Event = Mapping[str, Any]
Invoke = Callable[[str, Event], Any]
"""Calls the function with the ARN of a target."""
Failed = Callable[[str, Event], None]
"""Called with a target and its event when the function has failed as often as it is tried."""

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_HOURLY = re.compile(r"cron\((\d{1,2}) \* \* \* \? \*\)")
_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}
# Lambda waits one minute before it tries an event again, and then two. Nobody at a terminal waits that long.
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class EventRule:
    """A deployed rule: a pattern, or a period in seconds, and the ARNs of the functions that it calls.

    A period begins when the system does, or at ``minute`` of the hour.
    """

    name: str
    arn: str
    pattern: Mapping[str, Any] | None
    every: float | None
    targets: tuple[str, ...]
    retries: int
    minute: int | None = None

    def seconds_to_first(self, now: datetime) -> float:
        """How long it is from now to the first call on schedule."""
        if self.minute is None:
            return self.every or 0.0
        into_hour = now.minute * 60 + now.second + now.microsecond / 1_000_000
        return (self.minute * 60 - into_hour) % 3_600


def parse_schedule(expression: str) -> float:
    """The seconds of a ``rate(…)``, an hour for a ``cron(M * * * ? *)``. Raises DeployError for any other schedule."""
    if minute_of_hour(expression) is not None:
        return 3_600.0
    found = _RATE.fullmatch(expression)
    if found is None:
        msg = f"the local system does not know the schedule {expression}"
        raise DeployError(msg)
    return float(int(found[1]) * _SECONDS[found[2]])


def minute_of_hour(expression: str) -> int | None:
    """The M of a ``cron(M * * * ? *)``; None for any other schedule."""
    found = _HOURLY.fullmatch(expression)
    return int(found[1]) if found else None


def check_pattern(pattern: Any) -> None:
    """Raises DeployError unless ``matches`` knows everything in the pattern."""
    for value in pattern.values():
        if isinstance(value, dict):
            check_pattern(value)
            continue
        for accepted in value:
            if isinstance(accepted, dict) and accepted.keys() != {"prefix"}:
                msg = f"the local system does not know {', '.join(accepted)} in an event pattern"
                raise DeployError(msg)


def matches(pattern: Mapping[str, Any], event: Event) -> bool:
    """Whether an event matches a pattern: it has every field of the pattern, with one of the values there."""
    for name, accepted in pattern.items():
        value = event.get(name)
        if isinstance(accepted, Mapping):
            if not isinstance(value, Mapping) or not matches(accepted, value):
                return False
        elif not any(
            _accepts(one, item) for one in accepted for item in (value if isinstance(value, list) else [value])
        ):
            return False
    return True


def _accepts(accepted: Any, value: Any) -> bool:
    if isinstance(accepted, Mapping):
        return isinstance(value, str) and value.startswith(accepted["prefix"])
    # Without its type, JSON's true would equal 1 here.
    return type(accepted) is type(value) and bool(accepted == value)


class EventBridge:
    """Calls functions for events, in their order, and on schedule, in a thread of its own."""

    def __init__(
        self,
        rules: Sequence[EventRule],
        invoke: Invoke,
        *,
        failed: Failed,
        trouble: Callable[[], None],
        account: str,
        region: str,
    ) -> None:
        self._rules = rules
        self._invoke = invoke
        self._failed = failed
        self._trouble = trouble
        self._account = account
        self._region = region
        self._waiting: queue.Queue[tuple[EventRule, Event] | None] = queue.Queue()
        begin, now = time.monotonic(), datetime.now(UTC)
        self._due = {rule.name: begin + rule.seconds_to_first(now) for rule in rules if rule.every is not None}
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._run, name="event-bridge", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def publish(self, event: Event) -> None:
        """Take an event; the functions of the rules that it matches are called soon."""
        for rule in self._rules:
            if rule.pattern is not None and matches(rule.pattern, event):
                self._waiting.put((rule, event))

    def call(self, target: str, event: Event, *, retries: int) -> None:
        """Call a function soon, for a service that does not wait for its answer."""
        rule = EventRule(name="", arn="", pattern=None, every=None, targets=(target,), retries=retries)
        self._waiting.put((rule, event))

    def run_schedules_of(self, function: str) -> None:
        """Call the function soon, as its schedules would in their time."""
        for rule in self._rules:
            if rule.every is not None and any(f"{target}:".startswith(f"{function}:") for target in rule.targets):
                self._waiting.put((rule, self._scheduled(rule)))

    def idle(self) -> bool:
        """Whether every event published so far has been delivered."""
        return self._waiting.unfinished_tasks == 0

    def drain(self, deadline: float) -> None:
        """Deliver the events that are waiting, and stop. ``deadline`` is a value of time.monotonic()."""
        self._deadline = deadline
        self._waiting.put(None)
        self._thread.join(max(0.0, deadline - time.monotonic()) + 1.0)

    def _run(self) -> None:
        while True:
            wait = min(self._due.values(), default=float("inf")) - time.monotonic()
            try:
                item = self._waiting.get(timeout=None if wait == float("inf") else max(0.0, wait))
            except queue.Empty:
                self._run_schedules()
                continue
            if item is None or time.monotonic() >= self._deadline:
                return
            self._deliver(*item)
            self._waiting.task_done()

    def _run_schedules(self) -> None:
        for rule in self._rules:
            if rule.every is not None and self._due[rule.name] <= time.monotonic():
                self._due[rule.name] += rule.every
                self._deliver(rule, self._scheduled(rule))

    def _deliver(self, rule: EventRule, event: Event) -> None:
        for target in rule.targets:
            for attempt in range(1 + rule.retries):
                if attempt:
                    time.sleep(_RETRY_SECONDS * attempt)
                try:
                    self._invoke(target, event)
                except FunctionError:
                    # The log has it and it is counted. Lambda tries an event again as often as it is configured to.
                    continue
                except Exception:  # noqa: BLE001 - one event must not stop all that come after
                    self._trouble()
                break
            else:
                self._failed(target, event)

    def _scheduled(self, rule: EventRule) -> Event:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self._account,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
            "resources": [rule.arn],
            "detail": {},
        }
