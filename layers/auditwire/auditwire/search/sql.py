"""A query's conditions in SQL over the index, for any engine that speaks it.

Every value is a parameter, in the order of the question marks. What a filter says that SQL does not is left to whoever
has the row: then the SQL holds for more rows than the filter does, and ``exact`` is false.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import singledispatch
from typing import TYPE_CHECKING, Any, Final, Protocol

from auditwire.archive.filters import (
    AuditIdFilter,
    CodeFilter,
    FlagFilter,
    NamespaceFilter,
    ObjectFilter,
    RuleFilter,
    UserFilter,
    VerbFilter,
)
from auditwire.events.timestamps import as_text
from auditwire.search.fields import FIELDS, Kind
from auditwire.search.filters import AllOf, AnyOf, Match, Not, Test, lowered
from auditwire.search.histogram import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditwire.search.histogram import Histogram
    from auditwire.search.query import Query

Parameter = str | int

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CALENDAR: Final = {Unit.MONTH: "month", Unit.QUARTER: "quarter", Unit.YEAR: "year"}
_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RESOURCE: Final = "\"resource\" || CASE WHEN \"api_group\" = '' THEN '' ELSE '.' || \"api_group\" END"
_NAMESPACE: Final = (
    'CASE WHEN "resource" = \'namespaces\' AND "namespace" = "name" THEN NULL ELSE nullif("namespace", \'\') END'
)
_OBJECT: Final = (
    f"CASE WHEN \"resource\" = '' THEN '' ELSE concat_ws('/', {_RESOURCE}, {_NAMESPACE}, nullif(\"name\", '')) END"
)


class Dialect(Protocol):
    """What engines write differently."""

    def any_text(self, texts: str, test: str) -> str:
        """Whether a test, in which ``x`` is a text, holds for any of a list's texts."""

    def different(self, texts: str) -> str:
        """The different texts of a list; of an empty one, the empty text."""

    def calendar(self, unit: str, time: str) -> str:
        """The beginning of the month, quarter or year that a time is in; both are microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, its parameters, and whether it says all that is asked."""

    sql: str
    parameters: tuple[Parameter, ...] = ()
    exact: bool = True


TRUE: Final = Condition("TRUE")
FALSE: Final = Condition("FALSE")
_UNKNOWN: Final = Condition("TRUE", exact=False)


def condition_of(query: "Query", dialect: Dialect) -> Condition:
    """The condition of a query on rows of the index. Texts are looked for in lines, so they are not in it."""
    parts = []
    if query.start is not None:
        parts.append(Condition(f'"{query.by}" >= ?', (microseconds(query.start),)))
    if query.end is not None:
        parts.append(Condition(f'"{query.by}" < ?', (microseconds(query.end),)))
    return _joined([*parts, _sql(query.where, dialect)], "AND", TRUE)


def expression_of(field: str) -> str:
    """A field as an expression on a row of the index."""
    return _OBJECT if field == "object" else f'"{field}"'


def bucket_of(histogram: "Histogram", dialect: Dialect) -> str:
    """The beginning of a row's bucket as an expression."""
    time, length = f'"{histogram.by}"', histogram.interval.length
    if length is None:
        return dialect.calendar(_CALENDAR[histogram.interval.unit], time)
    each, origin = length // _MICROSECOND, microseconds(histogram.interval.origin)
    # Also before the origin the rest is positive.
    return f"{time} - ((({time} - {origin}) % {each}) + {each}) % {each}"


def counts_of(rows: str, fields: "Sequence[str]", dialect: Dialect) -> str:
    """A statement that counts rows by some fields, the count last; ``rows`` is the statement that selects them.

    A row with several texts in a list counts once for each. Rows are counted by their whole lists first: many have the
    same, and taking lists apart costs much more than counting does.
    """
    numbers = ", ".join(str(number) for number in range(1, len(fields) + 1))
    whole = ", ".join(f"{expression_of(name)} AS value{number}" for number, name in enumerate(fields))
    counted = f"SELECT {whole}, count(*) AS events FROM ({rows}) AS found GROUP BY {numbers}"
    lists = [number for number, name in enumerate(fields) if FIELDS[name].kind is Kind.LIST]
    if not lists:
        return counted
    values = ", ".join(f"text{number}" if number in lists else f"value{number}" for number in range(len(fields)))
    joined = " ".join(
        f"CROSS JOIN UNNEST({dialect.different(f'value{number}')}) AS list{number} (text{number})" for number in lists
    )
    return f"SELECT {values}, CAST(sum(events) AS bigint) FROM ({counted}) AS counted {joined} GROUP BY {numbers}"


def microseconds(moment: datetime) -> int:
    """A moment as the index has it."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(value: int) -> datetime:
    """The moment of such a number."""
    return _EPOCH + value * _MICROSECOND


def text_of(value: int) -> str:
    """The same as events have it."""
    return as_text(moment_of(value))


@singledispatch
def _sql(part: Any, dialect: Dialect) -> Condition:
    """A filter as a condition."""
    del part, dialect
    return _UNKNOWN


@_sql.register
def _(part: AllOf, dialect: Dialect) -> Condition:
    return _joined([_sql(each, dialect) for each in part.parts], "AND", TRUE)


@_sql.register
def _(part: AnyOf, dialect: Dialect) -> Condition:
    return _joined([_sql(each, dialect) for each in part.parts], "OR", FALSE)


@_sql.register
def _(part: Not, dialect: Dialect) -> Condition:
    inner = _sql(part.part, dialect)
    return Condition(f"NOT ({inner.sql})", inner.parameters) if inner.exact else _UNKNOWN


@_sql.register
def _(part: Test, dialect: Dialect) -> Condition:
    if not part.values:
        return FALSE
    field = FIELDS[part.field]
    if field.kind is Kind.NUMBER:
        # Missing numbers are NULL, and what is not true of them must be false.
        return Condition(f"coalesce({_in(expression_of(part.field), part.values)}, FALSE)", part.values)
    value = "x" if field.kind is Kind.LIST else expression_of(part.field)
    wanted = tuple(lowered(each) for each in part.values) if part.any_case else part.values
    value = f"translate({value}, '{_UPPER}', '{_UPPER.lower()}')" if part.any_case else value
    match part.match:
        case Match.IS:
            test = _in(value, wanted)
        case Match.CONTAINS:
            test = " OR ".join([f"strpos({value}, ?) > 0"] * len(wanted))
        case Match.STARTS:
            test = " OR ".join([f"starts_with({value}, ?)"] * len(wanted))
    return Condition(dialect.any_text(expression_of(part.field), test) if field.kind is Kind.LIST else test, wanted)


@_sql.register
def _(part: AuditIdFilter, dialect: Dialect) -> Condition:
    del dialect
    return Condition('"audit_id" = ?', (part.audit_id,))


@_sql.register
def _(part: UserFilter, dialect: Dialect) -> Condition:
    del dialect
    return Condition('"user" = ?', (part.user,))


@_sql.register
def _(part: NamespaceFilter, dialect: Dialect) -> Condition:
    del dialect
    sql = '"namespace" = ? OR ("resource" = \'namespaces\' AND "name" = ?)'
    return Condition(sql, (part.namespace, part.namespace))


@_sql.register
def _(part: VerbFilter, dialect: Dialect) -> Condition:
    del dialect
    return Condition(_in('"verb"', part.verbs), part.verbs)


@_sql.register
def _(part: RuleFilter, dialect: Dialect) -> Condition:
    tests = []
    parameters: list[Parameter] = []
    for rule in part.rules:
        tests.append(f"x = ? OR substr(x, -{len(rule) + 1}) = ?")
        parameters += [rule, f".{rule}"]
    return Condition(dialect.any_text('"rule"', " OR ".join(tests)), tuple(parameters))


@_sql.register
def _(part: FlagFilter, dialect: Dialect) -> Condition:
    return Condition(dialect.any_text('"flag"', "x = ?"), (part.flag,))


@_sql.register
def _(part: CodeFilter, dialect: Dialect) -> Condition:
    del dialect
    tests = []
    parameters: list[Parameter] = []
    for code in part.codes:
        first = int(code[0]) * 100 if code[1:].lower() == "xx" else int(code)
        tests.append('"code" BETWEEN ? AND ?')
        parameters += [first, first + 99 if code[1:].lower() == "xx" else first]
    return Condition(f"coalesce({' OR '.join(tests)}, FALSE)", tuple(parameters))


@_sql.register
def _(part: ObjectFilter, dialect: Dialect) -> Condition:
    # What the filter says of parts that may be left out is left to it; here is what all its matches have in common.
    del dialect
    named = "/".join(each for each in (part.namespace, *part.text.split("/")[1:]) if each)
    removed = "\"resource\" = 'namespaces' AND \"verb\" = 'delete'"
    parts = '"verb" = \'deletecollection\' OR "name" = \'\' OR strpos(?, "name") > 0'
    sql = f'{_OBJECT} = ? OR ({removed}) OR ("resource" = ? AND ({parts}))'
    return Condition(sql, (part.text, part.resource, named), exact=False)


def _joined(parts: "Iterable[Condition]", word: str, empty: Condition) -> Condition:
    several = list(parts)
    if not several:
        return empty
    return Condition(
        f" {word} ".join(f"({each.sql})" for each in several),
        tuple(parameter for each in several for parameter in each.parameters),
        all(each.exact for each in several),
    )


def _in(value: str, wanted: tuple[Any, ...]) -> str:
    return f"{value} IN ({', '.join('?' * len(wanted))})"
