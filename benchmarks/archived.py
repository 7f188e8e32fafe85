"""Batches as they lie in the archive: gzipped lines, and the time that keys begin with."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from traffic import batches

from auditwire.archive import batch_digest, partition
from auditwire.events import decode, encode_line, settle
from auditwire.events.gzipping import gzip_lines

CLUSTER: Final = "prod"
_RECEIVED: Final = datetime(2026, 11, 21, 23, tzinfo=UTC)


def archived(count: int, size: int = 400) -> Iterator[tuple[str, bytes]]:
    """What ingest stores of ``count`` batches when the rules keep everything: ``t`` and content of each object."""
    for body in batches(count, size):
        events = decode(body).events
        for event in events:
            settle(event, cluster=CLUSTER, received=_RECEIVED)
        about = {"received": _RECEIVED.isoformat(), "batch": batch_digest(CLUSTER, body), "archiving": ["keep.kept"]}
        for group in partition(events, _RECEIVED):
            yield group.t, gzip_lines(encode_line(events[at], about) for at in group.members)
