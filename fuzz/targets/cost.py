"""The cost of a body: whatever an item is, as many of it as a body may hold must not take longer than a body may."""

import math
import sys
import time
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from auditwire.alerts import MemoryPublisher
from auditwire.archive import MemoryArchive, batch_digest
from auditwire.clusters import Cluster, Directory
from auditwire.events.bounds import MAX_INFLATED, MAX_ITEMS, MAX_VALUES
from auditwire.ingest.ingest import Batch, Ingest
from fuzz import seeds
from fuzz.mutation import mutator
from fuzz.target import Target
from fuzz.targets.requests import Rules

if TYPE_CHECKING:
    from auditwire.bundles.active_rules import ActiveRules

RECEIVED: Final = datetime(2026, 11, 21, 22, 6, tzinfo=UTC)

# A whole body for each input would leave time for few inputs. What grows faster than its size shows at an eighth too.
_PART: Final = 8
_SECONDS: Final = 1.6 / _PART
"""A body may take a second of a quiet processor."""


def _cost(data: bytes) -> Hashable:
    """Takes an item as often as a body may hold it. What costs more than anything before joins the corpus."""
    values = 1 + sum(map(data.count, b",[{"))
    items, _, _ = _take(data, 1)  # a line may hold several
    most = min(MAX_ITEMS // max(1, items), MAX_INFLATED // (len(data) + 1), MAX_VALUES // values)
    _, quarantined, taken = _take(data, max(1, most // _PART))
    for _ in range(2):
        if taken > _SECONDS:
            taken = min(taken, _take(data, max(1, most // _PART))[2])  # it may have been the machine
    # What is traced takes many times as long.
    assert sys.gettrace() is not None or taken <= _SECONDS, f"{most // _PART} of it took {taken:.2f} s"
    return quarantined, round(4 * math.log2(max(taken, 0.001)))


def _take(data: bytes, count: int) -> tuple[int, frozenset[str], float]:
    """How many items there are in a body that has the data so often, why some are bad, and the seconds it took."""
    is_item = data[:1] in (b"{", b"[", b'"')
    body = b'{"items":[' + b",".join([data] * count) + b"]}" if is_item else b"\n".join([data] * count)
    ingest = Ingest(cast("Directory", None), cast("ActiveRules", Rules()), MemoryArchive(), MemoryPublisher())
    batch = Batch(Cluster("prod"), body, batch_digest("prod", body), RECEIVED)
    before = time.thread_time()
    answer = ingest.take(batch, RECEIVED.timestamp() + 60)
    taken = time.thread_time() - before
    assert answer.status == 200, answer.error
    assert answer.account is not None
    return answer.account.received, frozenset(answer.account.quarantined), taken


COST = Target("cost", _cost, lambda: [body for body in seeds.bodies() if len(body) < 100_000], mutator())
