"""What KubeSphere's query API answers. Its lists are null where they are empty, for they are slices of Go."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from auditwire.search import Histogram, Page, Wanted
from auditwire.search.answer import Coverage, filled
from auditwire_console.kubesphere.parameters import HOST, Asked, ParameterError
from auditwire_console.kubesphere.records import record_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.search import Engine, Query
    from auditwire_console.viewer import Viewer

_MAX_BUCKETS: Final = 65_535
MAX_EXPORTED: Final = 100_000


def query_of(asked: Asked, viewer: "Viewer") -> "Query":
    """The query, of the cluster that is meant. Without a name, and as ``host``, that is the viewer's own."""
    cluster = asked.cluster
    if cluster in {"", HOST}:
        cluster = viewer.host_cluster
    return replace(asked.query, clusters=frozenset((cluster,)) if cluster else None)


def records(engine: "Engine", asked: Asked, query: "Query", coverage: Coverage) -> dict[str, Any]:
    """Operation ``query``: the events of a page, and how many there are in all."""
    total = engine.summarise(query, Wanted(), coverage).events
    page = Page(limit=asked.size, offset=asked.offset, newest=asked.newest)
    found = [record_of(hit.found.line) for hit in engine.rows(query, page, coverage)] if total and asked.size else []
    return {"query": {"total": total, "records": found or None}}


def statistics(engine: "Engine", query: "Query", coverage: Coverage) -> dict[str, Any]:
    """Operation ``statistics``: how many events, and how many requests they tell of."""
    summary = engine.summarise(query, Wanted(distinct=("audit_id",)), coverage)
    return {"statistics": {"resources": summary.distinct["audit_id"], "events": summary.events}}


def histogram(engine: "Engine", asked: Asked, query: "Query", coverage: Coverage) -> dict[str, Any]:
    """Operation ``histogram``: the events by the time at which their requests were received. Raises ParameterError."""
    summary = engine.summarise(query, Wanted(histogram=Histogram(asked.interval, by="received")), coverage)
    try:
        buckets = filled(summary.histogram, asked.interval, _MAX_BUCKETS)
    except ValueError:
        raise ParameterError(
            500,
            "type: search_phase_execution_exception, reason: Trying to create too many buckets. Must be less than or "
            f"equal to: [{_MAX_BUCKETS}]",
        ) from None
    shown = [{"time": _milliseconds(bucket.start), "count": bucket.count} for bucket in buckets]
    return {"histogram": {"total": summary.events, "buckets": shown or None}}


def exported(engine: "Engine", asked: Asked, query: "Query", coverage: Coverage) -> "Iterator[bytes]":
    """Operation ``export``: the events, of which there are at most MAX_EXPORTED, a line each."""
    page = Page(limit=MAX_EXPORTED, newest=asked.newest)
    return (bytes(record_of(hit.found.line)) + b"\n" for hit in engine.rows(query, page, coverage))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
