"""What ``auditwire query`` prints: events, counts, and what they rest on."""

from typing import TYPE_CHECKING, Any

from auditwire_cli.terminal.output import Output, counted, show, show_json, show_json_line, tell, terminal_width
from auditwire_cli.terminal.table import table, table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditwire.archive.found import Found
    from auditwire.search import Coverage, Hit, Summary, Wanted

_HEADS = ("time", "cluster", "user", "verb", "code", "object", "audit id", "")
# The flags of an event that is not the whole truth. They stand at the end of its line.
_SHOWN_FLAGS = ("bodies_skipped", "cut_off", "time_implausible", "unfinished")
_BAR = 40


class Counted:
    """Events as they come, counted, with the repeats that they stand for."""

    def __init__(self, hits: "Iterator[Hit]") -> None:
        self._hits = hits
        self.events = self.repeats = 0

    def __iter__(self) -> "Iterator[Hit]":
        for hit in self._hits:
            self.events += 1
            self.repeats += hit.found.repeats
            yield hit

    def as_text(self) -> str:
        """How many it was."""
        repeats = f", {counted(self.repeats, 'repeat')} not shown (--all shows them)" if self.repeats else ""
        return counted(self.events, "event") + repeats


def show_events(hits: Counted, output: Output) -> None:
    """Show events as they come."""
    if output is Output.JSON:
        for hit in hits:
            show_json_line(hit.found.line)
        return
    rows = (_cells(hit.found) for hit in hits)
    for line in table_lines(_HEADS, rows, right=("code",), cut=("user", "object"), width=terminal_width()):
        if hits.events:
            show(line)


def show_summary(summary: "Summary", wanted: "Wanted", coverage: "Coverage", output: Output) -> None:
    """Show counts."""
    from auditwire.search.answer import filled

    fields = wanted.groups.fields if wanted.groups else ()
    buckets = filled(summary.histogram, wanted.histogram.interval) if wanted.histogram else ()
    if output is Output.JSON:
        document: dict[str, Any] = {"events": summary.events}
        if wanted.groups:
            document["stats"] = [
                {"values": dict(zip(fields, group.values, strict=True)), "events": group.count}
                for group in summary.groups
            ]
        if wanted.histogram:
            document["histogram"] = [{"time": _time(bucket.start), "events": bucket.count} for bucket in buckets]
        show_json({**document, "covered": covered(coverage)})
        return
    if wanted.groups and summary.groups:
        rows = [
            (*("" if value is None else str(value) for value in group.values), f"{group.count:,}")
            for group in summary.groups
        ]
        show(table((*fields, "events"), rows, right=("events", "code"), cut=fields, width=terminal_width()))
    if buckets:
        most = max(bucket.count for bucket in buckets)
        bars = [(_time(bucket.start), f"{bucket.count:,}", "#" * -(-bucket.count * _BAR // most)) for bucket in buckets]
        show(table(("time", "events", " "), bars, right=("events",)))
    tell(counted(summary.events, "event"))


def covered(coverage: "Coverage") -> dict[str, Any]:
    """What an answer rests on, for scripts."""
    return {
        "engine": coverage.engine,
        "indexed": coverage.indexed,
        "scanned": coverage.scanned,
        "bytes": coverage.bytes,
        "first_hour": coverage.first_hour,
        "last_hour": coverage.last_hour,
        "cut_off": coverage.cut_off,
        "unreadable": coverage.unreadable,
        "remarks": coverage.remarks,
    }


def tell_coverage(coverage: "Coverage") -> None:
    """Say what an answer rests on, if it rests on objects."""
    for remark in coverage.remarks:
        tell(remark)
    if coverage.first_hour:
        objects = coverage.indexed + coverage.scanned
        hours = " to ".join(dict.fromkeys((coverage.first_hour, coverage.last_hour)))
        how = f": {coverage.indexed:,} by the index, {coverage.scanned:,} scanned" if coverage.indexed else ", scanned"
        tell(f"looked at {counted(objects, 'object')} of {hours}{how}")


def _cells(found: "Found") -> tuple[str, ...]:
    thing = f"{found.object}/{found.ref.subresource}" if found.ref.subresource else found.object
    flags = ", ".join(_flag_text(flag, found) for flag in found.flags if flag in _SHOWN_FLAGS)
    return (found.at, found.cluster, found.user, found.verb, str(found.code or ""), thing, found.audit_id, flags)


def _flag_text(flag: str, found: "Found") -> str:
    """A flag for people. An event that is kept under the time of its receipt says which time it gives itself."""
    if flag != "time_implausible":
        return flag
    import json

    return f"{flag} {json.loads(found.line).get('stageTimestamp')}"


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
