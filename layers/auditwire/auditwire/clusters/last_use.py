"""Recording when a credential was last used, without delaying the request and without a write for every batch."""

from collections import OrderedDict
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.clusters.registration import time_text
from auditwire.clusters.table import is_refused_condition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INTERVAL_SECONDS: Final = 60.0
"""How long an environment keeps to itself that a credential was used, as long as requests come."""
PATIENCE_SECONDS: Final = 0.2
"""How long a request waits for that write, which normally takes a few milliseconds."""
_SHARE: Final = 4
"""How many times as many events as are not written yet must have been written, for the write to wait its minute."""
_MAX_KEYS: Final = 1_024
_MAX_TEXT_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class SentBy:
    """What a request tells about the program that sent it. It is bounded, because the client chooses it."""

    user_agent: str = ""
    version: str = ""


@dataclass(slots=True)
class _Tally:
    """The counts of one key that have not been written yet. ``written`` are the events that were. After a
    failure the next write waits."""

    events: int = 0
    batches: int = 0
    written: int = 0
    has_failed: bool = False
    written_at: float | None = None


class UseLog:
    """Counts the use of credentials and writes it to their rows.

    A key is written once a minute, and in between when a fifth of all its events is not written: an environment that
    ends without another request takes no more than that with it. The write has a thread of its own, for which a request
    waits at most ``patience`` seconds; after a failure the minute is waited for. The write needs the row to exist, so
    it does not bring back a credential that was revoked meanwhile. Failures are counted, and the next write includes
    what they did not write. Counts may be wrong if an answer was lost.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        clock: Callable[[], float],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._patience = patience
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()
        self._lock = Lock()
        self._writer: Thread | None = None
        self._failures = 0
        self._gone: set[str] = set()

    def note(self, key: str, events: int, sender: Callable[[], SentBy], latest: float) -> None:
        """Counts one batch of ``events`` for the row ``key``, and writes if it is time.

        ``sender`` is called only then. After ``latest``, by the clock, the write is left to the next request.
        """
        now = self._clock()
        with self._lock:
            tally = self._tallies.setdefault(key, _Tally())
            self._tallies.move_to_end(key)
            while len(self._tallies) > _MAX_KEYS:
                self._tallies.popitem(last=False)
            tally.events += events
            tally.batches += 1
            # A clock that was set back must not stop the writing.
            recent = tally.written_at is not None and 0 <= now - tally.written_at < INTERVAL_SECONDS
            much = tally.events > 0 and tally.written <= tally.events * _SHARE and not tally.has_failed
            if (recent and not much) or now > latest or (self._writer is not None and self._writer.is_alive()):
                return
            tally.written_at = now
            counted = _Tally(events=tally.events, batches=tally.batches)
            # Runs in the caller's context, so that the call counts as the function's own.
            arguments = (self._write, key, tally, counted, now, sender())
            writer = self._writer = Thread(target=copy_context().run, args=arguments, daemon=True)
            writer.start()
        writer.join(self._patience)

    def renew(self) -> None:
        """Forgets when it has written, so that the next batch is recorded at once."""
        with self._lock:
            for tally in self._tallies.values():
                tally.written_at = None

    def take_failures(self) -> int:
        """How many writes have failed since the last call."""
        with self._lock:
            failures, self._failures = self._failures, 0
        return failures

    def take_gone(self) -> set[str]:
        """The keys whose rows were found missing since the last call."""
        with self._lock:
            gone, self._gone = self._gone, set()
        return gone

    def _write(self, key: str, tally: _Tally, counted: _Tally, now: float, sender: SentBy) -> None:
        seen = time_text(datetime.fromtimestamp(now, UTC))
        values = {"last_seen": seen, "user_agent": sender.user_agent, "version": sender.version}
        # Attributes that this batch does not tell stay as they are.
        said = {name: _bounded(value) for name, value in values.items() if value}
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"credential": {"S": key}},
                UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in said)} "
                "ADD #events :events, #batches :batches",
                ConditionExpression="attribute_exists(#credential)",
                ExpressionAttributeNames={f"#{name}": name for name in (*said, "events", "batches", "credential")},
                ExpressionAttributeValues={f":{name}": {"S": value} for name, value in said.items()}
                | {":events": {"N": str(counted.events)}, ":batches": {"N": str(counted.batches)}},
            )
        except (BotoCoreError, ClientError) as error:
            with self._lock:
                if is_refused_condition(error):
                    self._gone.add(key)
                    self._tallies.pop(key, None)
                else:
                    self._failures += 1
                    tally.has_failed = True
        else:
            with self._lock:
                tally.events -= counted.events
                tally.batches -= counted.batches
                tally.written += counted.events
                tally.has_failed = False


def _bounded(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text[:_MAX_TEXT_LENGTH])
