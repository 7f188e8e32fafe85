"""CloudWatch's evaluation of an alarm, as far as the template's alarms use it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

Points = Sequence[tuple[float, float]]
"""Seconds since the start, and the value that was measured then."""

_STATISTICS: Final[Mapping[str, Callable[[Iterable[float]], float]]] = {"Sum": sum, "Maximum": max}
_BREACHES: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


def rings_at(alarm: Mapping[str, Any], points: Points, seconds: float) -> float | None:
    """When the alarm (its properties) goes off within ``seconds``: the end of the last period that it needs."""
    period, wanted = alarm["Period"], alarm["EvaluationPeriods"]
    breaching = 0
    for number in range(int(seconds // period)):
        values = [value for at, value in points if number * period <= at < (number + 1) * period]
        if values:
            value = _STATISTICS[alarm["Statistic"]](values)
            is_breach = _BREACHES[alarm["ComparisonOperator"]](value, alarm["Threshold"])
        else:
            is_breach = alarm["TreatMissingData"] == "breaching"
        breaching = breaching + 1 if is_breach else 0
        if breaching == wanted:
            return float((number + 1) * period)
    return None
