"""Correlations of Sigma that count, as thresholds of ours."""

from collections.abc import Callable
from typing import Any, Final

from sigma.correlations import SigmaCorrelationCondition, SigmaCorrelationRule, SigmaCorrelationType

from auditwire.condition.fields import Kind
from auditwire_cli.importing.clauses import Clause, Test, UntranslatableError, all_of, some_of
from auditwire_cli.importing.paths import path_of

FEWER: Final = (
    "counted are matches within half of the timespan, and at most those within all of it: what is spread further may "
    "not be counted together; events without a field of group-by are not counted"
)
"""Why a threshold matches less than the correlation that it stands for."""

_COUNTING: Final = (SigmaCorrelationType.EVENT_COUNT, SigmaCorrelationType.VALUE_COUNT)
_MAX_MEMBERS: Final = 1_000
_MAX_FIELDS: Final = 4
_DAY: Final = 86_400


def condition_of(correlation: SigmaCorrelationRule, clause_of: Callable[[str], Clause]) -> Clause:
    """What a correlation counts: matches of any of its rules, where every field that it groups by is there.

    ``clause_of`` gives the clause of a rule by its id or name. Raises UntranslatableError, which names the word.
    """
    references = [reference.reference for reference in correlation.rules or ()]
    there = [Test(f"{_single(name)} exists") for name in correlation.group_by or ()]
    return all_of([some_of(clause_of(reference) for reference in references), *there])


def threshold_of(correlation: SigmaCorrelationRule) -> dict[str, Any]:
    """The key ``threshold``. Raises UntranslatableError, which names the word, for what no threshold can say.

    Windows are half as long as the timespan, because a threshold looks at two of them: so it never reaches further.
    """
    kind, condition = correlation.type, correlation.condition
    if kind not in _COUNTING or not isinstance(condition, SigmaCorrelationCondition):
        raise UntranslatableError(f"a correlation of type {kind.name.lower()} cannot be said")
    if correlation.aliases.aliases:
        raise UntranslatableError("aliases of a correlation cannot be said")
    least = {"GTE": condition.count, "GT": condition.count + 1}.get(condition.op.name)
    if least is None:
        raise UntranslatableError(f"a correlation with the condition {condition.op.name.lower()} cannot be said")
    if not 1 <= least <= _MAX_MEMBERS:
        raise UntranslatableError(
            f"a correlation of {least:,} cannot be said: a threshold counts from 1 to {_MAX_MEMBERS:,}"
        )
    seconds = correlation.timespan.seconds // 2
    if not 1 <= seconds <= _DAY:
        raise UntranslatableError(f"the timespan {correlation.timespan.spec} cannot be said: from 2s to 2d can")
    by = [_single(name) for name in correlation.group_by or ()]
    if len(by) > _MAX_FIELDS:
        raise UntranslatableError(f"a group-by of {len(by)} fields cannot be said: {_MAX_FIELDS} can")
    found: dict[str, Any] = {"count": least}
    if kind is SigmaCorrelationType.VALUE_COUNT:
        if not isinstance(condition.fieldref, str):
            raise UntranslatableError("a value_count of other than one field cannot be said")
        found = {"distinct": _single(condition.fieldref), "atLeast": least}
    return found | ({"by": by} if by else {}) | {"within": f"{seconds}s"}


def _single(name: str) -> str:
    """The path of a field that has one value."""
    path, kind = path_of(name)
    if kind is Kind.TEXTS or "[*]" in path:
        raise UntranslatableError(f"{name} has several values, and no threshold can count those one by one")
    return path
