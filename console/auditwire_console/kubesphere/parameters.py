"""The parameters of KubeSphere's query API, and what they mean here.

Sources: kubesphere/kubesphere, release-3.4, pkg/api/auditing/v1alpha1 and pkg/models/auditing; the tests of 4.x. Values
are separated by commas, of which any may be meant; all parameters must hold; an empty value is none. Where this differs
from KubeSphere, docs/console.md says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from auditwire.search import AllOf, Interval, Match, Query, Test

if TYPE_CHECKING:
    from auditwire.search import Filter

MAX_WINDOW: Final = 10_000
"""More than that many records nobody pages through: Elasticsearch refuses it too."""

HOST: Final = "host"
"""What 4.x calls the cluster that KubeSphere itself runs on."""

_INTERVAL: Final = re.compile(r"[0-9]+[smhdwMqy]")
_INTEGER: Final = re.compile(r"([+-]?)0*([0-9]+)")
_MAX_INT64: Final = 2**63 - 1
_MOST_DIGITS: Final = len(str(_MAX_INT64))
_DEFAULT_SIZE: Final = 10
_ESCAPES: Final = {
    '"': r"\"", "\\": r"\\", "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
}  # fmt: skip
_DELETE: Final = 0x7F
_BASIC_PLANE: Final = 0xFFFF
# The years that there are, with room for what is added to a time.
_FIRST_SECOND: Final = -62_135_596_800
_LAST_SECOND: Final = 253_402_200_000

# Each parameter with the field it asks for and how. Search is written differently from filter: any case, within.
_EXACT: Final = (Match.IS, False)
_WITHIN: Final = (Match.CONTAINS, True)
_BEGINS: Final = (Match.STARTS, True)
_TESTS: Final[Mapping[str, tuple[str, tuple[Match, bool]]]] = {
    "workspace_filter": ("workspace", _EXACT),
    "workspace_search": ("workspace", _WITHIN),
    "objectref_namespace_filter": ("namespace", _EXACT),
    "objectref_namespace_search": ("namespace", _WITHIN),
    "objectref_name_filter": ("name", _EXACT),
    "objectref_name_search": ("name", _WITHIN),
    "level_filter": ("level", _EXACT),
    "verb_filter": ("verb", _EXACT),
    "user_filter": ("user", _EXACT),
    "user_search": ("user", _WITHIN),
    "group_search": ("groups", _WITHIN),
    "source_ip_search": ("source", _WITHIN),
    "objectref_resource_filter": ("resource", _BEGINS),
    "objectref_subresource_filter": ("subresource", _BEGINS),
    "response_status_filter": ("status", _EXACT),
}


class ParameterError(ValueError):
    """A request that cannot be answered: the status and the sentence to answer it with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Operation(StrEnum):
    """What is asked for."""

    QUERY = "query"
    STATISTICS = "statistics"
    HISTOGRAM = "histogram"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: which events, and what about them. ``cluster`` is empty where it names none."""

    operation: Operation
    query: Query
    interval: Interval
    newest: bool
    offset: int
    size: int
    cluster: str


def read_parameters(given: Mapping[str, str], cluster: str = "") -> Asked:
    """What a request asks for; ``cluster`` is that of its path. Raises ParameterError."""
    try:
        operation = Operation(given.get("operation", ""))
    except ValueError:
        operation = Operation.QUERY
    asked = Asked(
        operation=operation,
        query=Query(
            where=AllOf(tuple(_filters(given))),
            start=_moment(given.get("start_time", "")),
            end=_after(_moment(given.get("end_time", ""))),
            by="received",
        ),
        interval=_interval(given.get("interval", "") or "15m", operation),
        newest=given.get("sort", "") != "asc",
        offset=_count("from", given.get("from", ""), 0, operation),
        size=_count("size", given.get("size", ""), _DEFAULT_SIZE, operation),
        cluster=cluster or given.get("cluster", ""),
    )
    window = asked.offset + asked.size
    if operation is Operation.QUERY and window > MAX_WINDOW:
        raise ParameterError(
            500,
            "type: search_phase_execution_exception, reason: Result window is too large, from + size must be less than "
            f"or equal to: [{MAX_WINDOW}] but was [{window}]",
        )
    return asked


def _filters(given: Mapping[str, str]) -> "list[Filter]":
    filters: list[Filter] = []
    for name, (field, (match, any_case)) in _TESTS.items():
        values = _values(given.get(name, ""))
        if values:
            filters.append(Test(field, values, match, any_case))
    codes = _values(given.get("response_code_filter", ""))
    if codes:
        filters.append(Test("code", tuple(map(_code, codes))))
    return filters


def _values(text: str) -> tuple[str, ...]:
    return tuple(value for value in text.split(",") if value)


def _code(text: str) -> int:
    number = _int64(text)
    if number is None or abs(number) > _MAX_INT64:
        raise ParameterError(400, f"response_code_filter: {text[:80]} is not a whole number")
    return number


def _int64(text: str) -> int | None:
    """A whole number as Go reads it, None for none. One that is too large for 64 bits is just beyond them."""
    found = _INTEGER.fullmatch(text)
    if found is None:
        return None
    sign, digits = found.groups()
    number = int(digits) if len(digits) <= _MOST_DIGITS else _MAX_INT64 + 2
    return -number if sign == "-" else number


def _moment(text: str) -> datetime | None:
    """A time in whole seconds since 1970. The sentence is the one that Go's strconv has."""
    if not text:
        return None
    number = _int64(text)
    if number is None:
        raise ParameterError(500, f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    if not -_MAX_INT64 - 1 <= number <= _MAX_INT64:
        raise ParameterError(500, f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    seconds = min(max(number, _FIRST_SECOND), _LAST_SECOND)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def quoted(text: str) -> str:
    """A text as Go's strconv.Quote writes it."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    if code < ord(" ") or code == _DELETE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _BASIC_PLANE else f"\\U{code:08x}"


def _after(moment: datetime | None) -> datetime | None:
    """An end that includes this moment, for a query that excludes its end."""
    return None if moment is None else moment + timedelta(microseconds=1)


def _interval(text: str, operation: Operation) -> Interval:
    try:
        if _INTERVAL.fullmatch(text):
            return Interval.parse(text)
    except ValueError:
        pass
    if operation is not Operation.HISTOGRAM:
        return Interval.parse("15m")
    raise ParameterError(500, f"type: search_phase_execution_exception, reason: Unable to parse interval [{text[:80]}]")


def _count(name: str, text: str, default: int, operation: Operation) -> int:
    """A count; whatever is no number is the default. Elasticsearch refuses one below zero."""
    number = _int64(text)
    if number is None or (name == "size" and abs(number) > _MAX_INT64):
        return default
    if number < 0 and operation is Operation.QUERY:
        sentence = f"[{name}] parameter cannot be negative, found [{number}]"
        raise ParameterError(500, f"type: illegal_argument_exception, reason: {sentence}")
    return max(number, 0)
