"""What a stack is asked beside its archive: the rules, the registered clusters, and the ledger.

Whoever asks needs these permissions, and no others:

| what | call | on |
| --- | --- | --- |
| rules | s3:GetObject | ``active.json`` and ``bundles/*`` of the rules bucket |
| | s3:ListBucket | the rules bucket with these prefixes: without it S3 does not say that an object is not there |
| clusters | dynamodb:Scan | the clusters table |
| ledger | cloudwatch:ListMetrics, cloudwatch:GetMetricData | \\* |
| | s3:ListBucket, s3:GetObject | ``outbox/`` of the archive bucket |
| | sqs:GetQueueAttributes | the alerts queue and the dead-letter queue |
| | sqs:ReceiveMessage, sqs:ChangeMessageVisibility | the dead-letter queue, where alerts are missing in the ledger |
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts import AlertsError
from auditwire.bundles.rules_bucket import ACTIVE_KEY, RulesBucket, RulesBucketError, bundle_key
from auditwire.bundles.rules_state import Active, StateError
from auditwire.clusters import ClustersTable
from auditwire.clusters.listed import as_json as cluster_as_json
from auditwire.ledger.balance import HOUR
from auditwire.ledger.reading import Counters, on_the_hour, read_ledger
from auditwire.ledger.report import as_json as ledger_as_json
from auditwire.measured import CountsWithheldError
from auditwire.rules.bundle import BundleError, decode_bundle
from auditwire.rules.pack import default_rule_set
from auditwire_console.errors import UnavailableError

if TYPE_CHECKING:
    from auditwire.rules import RuleSet

_HOURS_OF_LEDGER: Final = 24
_MAX_LETTERS: Final = 1_000
_SETS_KEPT: Final = 16
_FRESH_SECONDS: Final = 5
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class StackFacts:
    """The parts of a Source that a stack knows. ``now`` gives the time in UTC; ``monotonic`` counts seconds.

    What cannot be read now raises UnavailableError. Rules that cannot be read are not known.
    """

    def __init__(
        self,
        bucket: RulesBucket,
        table: ClustersTable,
        counters: Counters,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket, self._table, self._counters = bucket, table, counters
        self._now, self._monotonic = now, monotonic
        self._known: dict[str, RuleSet] = {}
        self._default: RuleSet | None = None
        self._in_force: RuleSet | None = None
        self._fresh_until = float("-inf")

    def rules(self) -> "RuleSet | None":
        """The rules in force, at most some seconds ago; None where they cannot be read."""
        moment = self._monotonic()
        if moment >= self._fresh_until:
            self._in_force, self._fresh_until = self._read_rules(), moment + _FRESH_SECONDS
        return self._in_force

    def rules_of(self, digest: str) -> "RuleSet | None":
        """The rules of this digest; None where their bundle is gone, or cannot be read."""
        if not _DIGEST.fullmatch(digest):
            return None
        known = self._known.get(digest)
        if known is not None:
            return known
        rules = self._read_bundle(digest)
        if rules is None:
            # Shipped rules are in no bundle; those of another version are not known here.
            shipped = self._shipped()
            return shipped if shipped.digest == digest else None
        if len(self._known) >= _SETS_KEPT:
            self._known.clear()
        self._known[digest] = rules
        return rules

    def clusters(self) -> Sequence[Mapping[str, Any]]:
        """What is registered, as `auditwire cluster list --format json` has it. Raises UnavailableError."""
        with _unread("the registered clusters"):
            listing = self._table.list()
        return [cluster_as_json(one, self._now()) for one in listing.registrations]

    def ledger(self, around: datetime | None = None) -> Mapping[str, Any]:
        """The counts of the last day, or of the hour of a moment and the one after it. Raises UnavailableError."""
        moment = self._now()
        end = on_the_hour(moment) + HOUR
        shown = (end - _HOURS_OF_LEDGER * HOUR, end)
        if around is not None:
            first = on_the_hour(around)
            shown = (first, first + 2 * HOUR)
        with _unread("the ledger"):
            return ledger_as_json(*read_ledger(self._counters, None, shown, moment, max_letters=_MAX_LETTERS))

    def _read_rules(self) -> "RuleSet | None":
        try:
            stored = self._bucket.read(ACTIVE_KEY)
            return self._shipped() if stored is None else self.rules_of(Active.decode(stored.data).digest)
        except (RulesBucketError, StateError):
            return None

    def _shipped(self) -> "RuleSet":
        """The rules that decide before any are published."""
        if self._default is None:
            self._default = default_rule_set()
        return self._default

    def _read_bundle(self, digest: str) -> "RuleSet | None":
        try:
            stored = self._bucket.read(bundle_key(digest))
            return None if stored is None else decode_bundle(stored.data).rule_set
        except (RulesBucketError, BundleError):
            return None


@contextmanager
def _unread(what: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, AlertsError, CountsWithheldError) as error:
        raise UnavailableError(f"{what} cannot be read: {error}") from error
