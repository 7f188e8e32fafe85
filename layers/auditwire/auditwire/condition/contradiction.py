"""Whether a condition can hold at all: contradictions between tests that all have to hold.

Sound, not complete: what is called impossible holds for no event; what is not may still be impossible. A test that
cannot judge a value counts as not holding, as it does for the rule.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from auditwire.condition.facts import Fact, Presence, contradict, work_of
from auditwire.condition.fields import Field, FieldTable, Kind
from auditwire.condition.precedence import spell
from auditwire.condition.syntax import And, AnyOf, Comparison, Expression, Not, Operator, Or, Path, Reference

_MAX_EXPLAINED: Final = 32

_MAX_SPELLING_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a condition, or a part of it, holds for no event. ``offset`` is a character of the condition's text."""

    reason: str
    offset: int
    is_part: bool = False
    """Whether only one alternative of an ``or`` is impossible, not the whole condition."""
    is_of_macro: bool = False
    """Whether the reason lies in one macro alone."""


@dataclass(frozen=True, slots=True)
class _All:
    parts: "tuple[_Node, ...]"


@dataclass(frozen=True, slots=True)
class _Some:
    parts: "tuple[_Node, ...]"
    is_written: bool
    """Whether the text says ``or`` here: a denied ``and`` has impossible alternatives all the time."""


_Node = Fact | _All | _Some
_Group = dict[tuple[object, ...], list[Fact]]


class _TooMuchWorkError(Exception):
    """The search stopped before it knew."""


@dataclass(slots=True)
class Work:
    """How many tests may still be looked at: what needs more is taken to be possible."""

    left: int = 2_000_000
    most_at_once: int = 50_000


def contradictions(
    expression: Expression, fields: FieldTable, expand: Callable[[Reference], Expression], work: Work
) -> list[Conflict]:
    """What of an expression can never hold: the whole of it, or alternatives of an ``or``.

    Fields and items of its comparisons are put in already; ``expand`` gives the expression of a macro.
    """
    search = _Search(fields, expand, work)
    try:
        whole = search.conflict(search.lower(expression), {})
    except (_TooMuchWorkError, RecursionError):
        return []
    return [whole] if whole is not None else search.dead_parts


def is_always_true(
    expression: Expression, fields: FieldTable, expand: Callable[[Reference], Expression], work: Work
) -> bool:
    """Whether no event that the expression can judge makes it false."""
    search = _Search(fields, expand, work)
    try:
        return search.conflict(search.lower(expression, denied=True), {}) is not None
    except (_TooMuchWorkError, RecursionError):
        return False


class _Search:
    def __init__(self, fields: FieldTable, expand: Callable[[Reference], Expression], work: Work) -> None:
        self._fields = fields
        self._expand = expand
        self._work = work
        self._left = min(work.left, work.most_at_once)
        self.dead_parts: list[Conflict] = []

    def lower(self, node: Expression, *, denied: bool = False, within: int | None = None) -> _Node:
        """The expression with every ``not`` moved to its comparisons. ``within``: the offset of the macro it is of."""
        if isinstance(node, Reference):
            return self.lower(self._expand(node), denied=denied, within=node.offset if within is None else within)
        if isinstance(node, Not):
            return self.lower(node.operand, denied=not denied, within=within)
        if isinstance(node, And | Or):
            parts = tuple(self.lower(part, denied=denied, within=within) for part in node.operands)
            if isinstance(node, And) is denied:
                return _Some(parts, is_written=not denied and within is None)
            return _All(parts)
        # What an `any` says of an element is taken to be possible.
        return _All(()) if isinstance(node, AnyOf) else self._fact(node, denied=denied, within=within)

    def _fact(self, comparison: Comparison, *, denied: bool, within: int | None) -> _Node:
        path = comparison.field
        field = self._fields.resolve(path) if isinstance(path, Path) else None
        if not isinstance(path, Path) or not isinstance(field, Field):
            return _All(())
        offset = comparison.offset if within is None else within
        if field.kind is Kind.TEXT and denied and comparison.operator is not Operator.TRUTH:
            # A text that is never missing: not (x = "a") is x != "a". Orders have no negated spelling of their own.
            comparison, denied = replace(comparison, negated=not comparison.negated), False
        return Fact(comparison, field, denied=denied, offset=offset, is_own=within is None)

    def conflict(self, node: _Node, known: _Group) -> Conflict | None:
        """Why a node cannot hold together with what is known to hold, or None."""
        facts: list[Fact] = []
        choices: list[_Some] = []
        pending = [node]
        while pending:
            part = pending.pop()
            if isinstance(part, _All):
                pending.extend(reversed(part.parts))
            elif isinstance(part, _Some):
                choices.append(part)
            else:
                facts.append(part)
        groups = known if not facts else {key: list(group) for key, group in known.items()}
        for fact in facts:
            group = groups.setdefault(fact.key, [])
            group.append(fact)
        for key in dict.fromkeys(fact.key for fact in facts):
            self._spend(work_of(groups[key]))
            if contradict(groups[key]):
                return _explain(groups[key])
        between = _between_fields(groups) if facts else None
        if between is not None:
            return between
        for choice in choices:
            found = self._no_choice(choice, groups)
            if found is not None:
                return found
        return None

    def _no_choice(self, choice: _Some, groups: _Group) -> Conflict | None:
        found = [self.conflict(part, groups) for part in choice.parts]
        dead = [conflict for conflict in found if conflict is not None]
        if len(dead) == len(found):
            return dead[0]
        if choice.is_written:
            self.dead_parts += [replace(conflict, is_part=True) for conflict in dead]
        return None

    def _spend(self, work: int) -> None:
        self._left -= work
        self._work.left -= work
        if self._left < 0:
            raise _TooMuchWorkError


def _explain(group: list[Fact]) -> Conflict:
    """The smallest reason there is: one test, two, or all of a field's."""
    for position, fact in enumerate(group[:_MAX_EXPLAINED]):
        if contradict([fact]):
            return _conflict(f"{_spelled(fact)} holds for no value", fact)
        for earlier in group[:position]:
            if contradict([earlier, fact]):
                return _conflict(f"{_spelled(earlier)} and {_spelled(fact)} exclude each other", earlier, fact)
    return _conflict(f"no value of {group[0].name} satisfies all of its tests", *group)


def _conflict(reason: str, *facts: Fact) -> Conflict:
    is_of_macro = not any(fact.is_own for fact in facts) and len({fact.offset for fact in facts}) == 1
    return Conflict(reason, facts[-1].offset, is_of_macro=is_of_macro)


# What an event has no part of: the field that says so, its values, and the fields that are missing then.
_WITHOUT: Final = (
    ("Level", frozenset(("None", "Metadata")), ("RequestObject", "ResponseObject")),
    ("Level", frozenset(("Request",)), ("ResponseObject",)),
    ("Stage", frozenset(("RequestReceived",)), ("ResponseStatus", "ResponseObject")),
)


def _between_fields(groups: _Group) -> Conflict | None:
    """Tests of a body or a response in an event whose level or stage has none."""
    for name, values, missing in _WITHOUT:
        said = next((group for group in groups.values() if group[0].name == name and group[0].is_scalar), None)
        if said is None or not all(_excluded(said, value, values) for value in _LEVELS_AND_STAGES[name]):
            continue
        for group in groups.values():
            for fact in group:
                if fact.presence is Presence.REQUIRED and fact.field.name.partition(".")[0] in missing:
                    reason = f"an event with {_spelled(said[0])} has no {fact.name.partition('.')[0]}"
                    return _conflict(reason, *sorted((said[0], fact), key=lambda one: one.offset))
    return None


_LEVELS_AND_STAGES: Final = {
    "Level": ("None", "Metadata", "Request", "RequestResponse"),
    "Stage": ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"),
}


def _excluded(said: list[Fact], value: str, values: frozenset[str]) -> bool:
    return value in values or not all(fact.holds_for(value) for fact in said)


def _spelled(fact: Fact) -> str:
    text = spell(Not(fact.comparison) if fact.denied else fact.comparison)
    return text if len(text) <= _MAX_SPELLING_LENGTH else text[:_MAX_SPELLING_LENGTH] + "…"
