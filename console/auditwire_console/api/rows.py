"""Rows of events, counts of them, and exports."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from auditwire.search import FIELDS, Kind
from auditwire.search.answer import Coverage
from auditwire_console.errors import BrokenOffError

if TYPE_CHECKING:
    from auditwire.archive.found import Found
    from auditwire.search import Engine, Page, Query, Summary, Wanted
    from auditwire.search.engine import Hit

MAX_EXPORTED: Final = 1_000_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def row_of(hit: "Hit") -> dict[str, Any]:
    """A row: every field, the flags, and where the event lies."""
    return {"key": hit.key, "number": hit.number, "flags": hit.found.flags, **fields_of(hit.found)}


def fields_of(found: "Found") -> dict[str, Any]:
    """Every field of an event by its name."""
    return {name: field.get(found) for name, field in FIELDS.items()}


def rows(engine: "Engine", query: "Query", page: "Page", coverage: Coverage) -> dict[str, Any]:
    """A page of rows."""
    found = [row_of(hit) for hit in engine.rows(query, page, coverage)]
    return {"rows": found, "more": coverage.cut_off == "limit", "coverage": covered(coverage)}


def alerts_in(page: dict[str, Any]) -> set[str]:
    """The alerting rules that matched events of a page."""
    return {name for row in page["rows"] for name in row["alert"]}


def summary(engine: "Engine", query: "Query", wanted: "Wanted", coverage: Coverage) -> dict[str, Any]:
    """How many events there are, when, and the most frequent values of the fields that are wanted."""
    found = engine.summarise(query, wanted, coverage)
    return {**summary_as_json(found), "coverage": covered(coverage)}


def summary_as_json(found: "Summary") -> dict[str, Any]:
    """A summary as JSON; times as text."""
    return {
        "events": found.events,
        "histogram": [{"start": _text(one.start), "count": one.count} for one in found.histogram],
        "facets": {
            name: [{"value": one.value, "count": one.count} for one in counts] for name, counts in found.facets.items()
        },
    }


def covered(coverage: Coverage, *others: Coverage) -> dict[str, Any]:
    """What an answer rests on. Of other questions that were asked for it, only what they lack counts."""
    every = (coverage, *others)
    return {
        "engine": coverage.engine,
        "indexed": coverage.indexed,
        "scanned": coverage.scanned,
        "bytes": coverage.bytes,
        "firstHour": coverage.first_hour,
        "lastHour": coverage.last_hour,
        "cutOff": "time" if any(one.cut_off == "time" for one in every) else "",
        "unreadable": list(dict.fromkeys(text for one in every for text in one.unreadable))[:20],
        "remarks": list(dict.fromkeys(text for one in every for text in one.remarks))[:20],
    }


def whole(lines: Iterator[bytes], coverage: Coverage) -> Iterator[bytes]:
    """The same lines. Raises BrokenOffError behind the last one where there was no time for more."""
    yield from lines
    if coverage.cut_off == "time":
        raise BrokenOffError


def as_json_lines(hits: "Iterator[Hit]") -> Iterator[bytes]:
    """The events as they are archived, one a line."""
    for hit in hits:
        yield hit.found.line + b"\n"


def as_csv(hits: "Iterator[Hit]") -> Iterator[bytes]:
    """The fields of events as CSV with a head, lists joined by spaces.

    A value that a spreadsheet would take for a formula is written behind an apostrophe: clients choose these texts.
    """
    yield _csv_line(FIELDS)
    for hit in hits:
        yield _csv_line(_cell(value) for value in fields_of(hit.found).values())


def _cell(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, tuple | list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_line(cells: Any) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode("utf-8", "replace")


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def as_answer(value: Any) -> bytes:
    """JSON, also of texts that are not quite Unicode."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def kinds() -> dict[str, str]:
    """Each field with what its values are."""
    return {name: str(field.kind) for name, field in FIELDS.items() if field.kind is not Kind.TIME}
