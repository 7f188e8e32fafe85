"""Rows that DuckDB gives, as values: found events without their lines, times, groups."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from auditwire.archive.found import Found
from auditwire.archive.items import object_name
from auditwire.events import ObjectRef
from auditwire.events.timestamps import as_text
from auditwire.search.fields import FIELDS, Kind
from auditwire.search.histogram import Histogram, Unit
from auditwire.search.sql import expression_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CALENDAR: Final = {Unit.MONTH: "month", Unit.QUARTER: "quarter", Unit.YEAR: "year"}

_NAMES: Final = (
    "cluster", "audit_id", "stage", "verb", "user", "source", "code", "rule", "level", "groups", "impersonated",
    "agent", "uri", "status", "reason", "decision", "workspace", "alert", "flag", "resource", "api_group",
    "namespace", "name", "subresource",
)  # fmt: skip

MOMENT: Final = 'epoch_us("time")'

EVENT: Final = f"{MOMENT}, " + 'epoch_us("received"), ' + ", ".join(f'"{name}"' for name in _NAMES)
"""What is selected of a row to make an event of it."""


def found_of(row: Sequence[Any]) -> Found:
    """The event of a row of EVENT. It has no line."""
    of = dict(zip(_NAMES, row[2:], strict=True))
    ref = ObjectRef(
        resource=of["resource"],
        namespace=of["namespace"],
        name=of["name"],
        apiGroup=of["api_group"],
        subresource=of["subresource"],
    )
    return Found(
        line=b"",
        at=text_of(row[0]),
        cluster=of["cluster"],
        audit_id=of["audit_id"],
        stage=of["stage"],
        verb=of["verb"],
        user=of["user"],
        sources=tuple(of["source"]),
        ref=ref,
        object=object_name(ref),
        code=of["code"],
        rules=tuple(of["rule"]),
        level=of["level"],
        received="" if row[1] is None else text_of(row[1]),
        groups=tuple(of["groups"]),
        impersonated=of["impersonated"],
        agent=of["agent"],
        uri=of["uri"],
        status=of["status"],
        reason=of["reason"],
        decision=of["decision"],
        workspace=of["workspace"],
        alerts=tuple(of["alert"]),
        flags=tuple(of["flag"]),
    )


def text_of(microseconds: int) -> str:
    """A time, of which DuckDB gives the microseconds since 1970, as events have it."""
    return as_text(moment_of(microseconds))


def moment_of(microseconds: int) -> datetime:
    """The same as a moment."""
    return _EPOCH + microseconds * _MICROSECOND


def bucket_of(histogram: Histogram) -> str:
    """The beginning of a row's bucket as an expression, in microseconds since 1970."""
    length = histogram.interval.length
    if length is None:
        return f"epoch_us(date_trunc('{_CALENDAR[histogram.interval.unit]}', \"{histogram.by}\"))"
    each, origin = length // _MICROSECOND, (histogram.interval.origin - _EPOCH) // _MICROSECOND
    moment = f'epoch_us("{histogram.by}")'
    # Also before the origin the rest is positive.
    return f"{moment} - ((({moment} - {origin}) % {each}) + {each}) % {each}"


def values_of(fields: Sequence[str]) -> tuple[str, str]:
    """The values of some fields as expressions, and what has to be joined for that: a row for each text of a list."""
    values, joined = [], []
    for number, name in enumerate(fields):
        if FIELDS[name].kind is Kind.LIST:
            texts = f'found."{name}"'
            one = f"CASE WHEN len({texts}) = 0 THEN [''] ELSE list_distinct({texts}) END"
            joined.append(f"CROSS JOIN UNNEST({one}) AS list{number}(text{number})")
            values.append(f"text{number}")
        else:
            values.append(expression_of(name))
    return ", ".join(values), " ".join(joined)


class DuckDBDialect:
    """The Dialect of DuckDB."""

    def any_text(self, texts: str, test: str) -> str:
        """See Dialect.any_text."""
        return f"len(list_filter({texts}, lambda x: {test})) > 0"
