"""Exceptions that would silence most of the noise with least lost, told from the groups of alerts.

Each rests on the user, which the requester cannot choose, and on as much of the rest as is needed: what is rare stays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from auditwire.analysis.noise import Group, NoiseTally, RuleNoise
from auditwire.condition.quoting import quote
from auditwire.events.one_line import one_line

RARE: Final = 5
"""A group with fewer alerts than this is rare: an exception should not hide it."""
LEAST: Final = 10
"""An exception that silences fewer alerts is not worth having."""

_ANYBODY: Final = ("", "system:anonymous")
_FIELDS: Final = {
    "user": "User.Username", "verb": "Verb", "resource": "ObjectRef.Resource", "subresource": "ObjectRef.Subresource",
    "namespace": "ObjectRef.Namespace",
}  # fmt: skip
# What an exception may rest on, the widest first.
_SHAPES: Final = (
    ("user",),
    ("user", "namespace"),
    ("user", "verb", "resource", "subresource"),
    ("user", "verb", "resource", "subresource", "namespace"),
)


@dataclass(frozen=True, slots=True)
class Silencing:
    """An exception of a rule: how many of its alerts it silences, and how many of those are of rare groups."""

    rule: str
    condition: str
    silenced: int
    rare: int
    alerts: int
    user: str

    @property
    def reason(self) -> str:
        """What is known about it, as a sentence."""
        return f"{self.silenced:,} of {self.alerts:,} alerts of this rule"


def silencings(tally: NoiseTally, count: int, *, least: int = LEAST, rare: int = RARE) -> list[Silencing]:
    """The exceptions that silence most, at most one for each rule and user: the one with least lost."""
    found = [best for name, counted in tally.rules.items() for best in _of_rule(name, counted, least=least, rare=rare)]
    return sorted(found, key=lambda one: (-one.silenced, one.rare, one.rule, one.condition))[:count]


def _of_rule(name: str, counted: RuleNoise, *, least: int, rare: int) -> Iterator[Silencing]:
    by_user: dict[str, list[tuple[Group, int]]] = {}
    for group, alerts in counted.every():
        by_user.setdefault(group.user, []).append((group, alerts))
    for user, groups in by_user.items():
        if user in _ANYBODY or not _can_be_written(user):
            continue
        candidates = [
            one for shape in _SHAPES for one in _of_shape(name, shape, groups, counted.alerts, rare=rare)
            if one.silenced >= least
        ]  # fmt: skip
        if candidates:
            # max takes the first of equals, which is the widest.
            yield max(candidates, key=lambda one: (-one.rare, one.silenced))


def _of_shape(
    name: str, shape: Sequence[str], groups: Sequence[tuple[Group, int]], total: int, *, rare: int
) -> Iterator[Silencing]:
    """The exceptions that rest on these parts of a group, one for each value of them."""
    silenced: dict[tuple[str, ...], list[int]] = {}
    for group, alerts in groups:
        silenced.setdefault(tuple(getattr(group, part) for part in shape), []).append(alerts)
    for values, counts in silenced.items():
        if all(map(_can_be_written, values)):
            condition = " and ".join(
                f"{_FIELDS[part]} = {quote(value)}" for part, value in zip(shape, values, strict=True)
            )
            lost = sum(alerts for alerts in counts if alerts < rare)
            yield Silencing(name, condition, sum(counts), lost, total, values[0])


def _can_be_written(value: str) -> bool:
    # What was cut to 200 characters may stand for several values, and so may a replaced character.
    return len(value) < 200 and "\ufffd" not in value and one_line(value) == value and not value.endswith("\\")
