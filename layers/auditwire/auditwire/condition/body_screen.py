"""Which conditions a body leaves possible, found by one walk through it.

Twenty conditions that each look for a container of some kind would each walk to it. So the paths of all conditions are
put together as a tree, and one generated function walks the tree and the body side by side. It knows objects and arrays
as they are usual. Where a value has another shape, or a test cannot judge it, every condition stays possible, and is
tried in its turn as if nothing had been looked at.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final

from auditwire.condition.codegen import Scope
from auditwire.condition.elements import ElementTest
from auditwire.condition.errors import EvaluationError
from auditwire.condition.evaluate import Atom, Bound, Leaf, is_false_of_nothing
from auditwire.condition.fields import Field, Kind
from auditwire.condition.memory import Remembered
from auditwire.condition.parts import parts_of
from auditwire.condition.paths import Quoted
from auditwire.condition.reach import judge_of_end
from auditwire.condition.syntax import And, AnyElement, Operator, Or
from auditwire.condition.values import is_present

_MAX_LEVELS: Final = 16
"""Longer paths are not followed to their end: Python nests loops no deeper than twenty levels."""

Sift = Callable[[Any, int], int]


@dataclass(slots=True)
class _Place:
    """A place in a body: what is looked for below it, and the tests of what stands there.

    ``tests`` are bits of conditions, each with a test; some of them search for expressions if ``searches``.
    ``joined`` are the conditions that also look for keys below it joined with dots to one.
    """

    keys: "dict[str, _Place]" = field(default_factory=dict)
    elements: "_Place | None" = None
    tests: list[tuple[int, Callable[[Any], bool]]] = field(default_factory=list)
    searches: bool = False
    joined: int = 0


class BodyScreen:
    """``looked_at`` has the bits of the conditions that bodies can rule out."""

    def __init__(self, conditions: Sequence[Bound]) -> None:
        self.looked_at = 0
        self._roots: dict[str, tuple[Field, _Place, int]] = {}
        for position, condition in enumerate(conditions):
            bit = 1 << position
            for leaf in _needed(condition):
                self.looked_at |= bit
                _, root, bits = self._roots.get(str(leaf.field.expression), (leaf.field, _Place(), 0))
                _put(root, leaf, bit)
                self._roots[str(leaf.field.expression)] = (leaf.field, root, bits | bit)

    def generate(self) -> Sift:
        """``sift(event, possible)``: which of the possible conditions an event can still match, by its bodies."""
        scope = Scope()
        body = [f"found = {scope.constant(~self.looked_at)}"]
        for looked_at, root, bits in self._roots.values():
            body += [
                f"if possible & {scope.constant(bits)}:",
                f"    body = {scope.load(looked_at)}",
                f"    if body is not None: found |= {scope.constant(_finder(root, bits))}(body)",
            ]
        return scope.define("sift(event, possible)", [*body, "return possible & found"])


def _needed(condition: Bound) -> tuple[Leaf, ...]:
    """Tests of bodies of which one has to hold or to raise for a condition to do either; none if there are no such."""
    for part, may_raise in parts_of(condition):
        if may_raise:
            break
        needed = _needed_by(part)
        if needed:
            return needed
    return ()


def _needed_by(part: Any) -> tuple[Leaf, ...]:
    if isinstance(part, Leaf):
        is_of_body = part.field.kind is Kind.JSON and part.field.expression is not None
        return (part,) if is_of_body and is_false_of_nothing(part) else ()
    if isinstance(part, And):
        return _needed(part)
    if isinstance(part, Or):
        each = [_needed_by(operand) for operand in part.operands]
        return tuple(leaf for needed in each for leaf in needed) if all(each) else ()
    return ()


def _put(place: _Place, leaf: Leaf, bit: int, level: int = 0) -> None:
    """Puts a test into the tree, below a place. Steps that are not simply keys or ``[*]`` end it: whatever stands
    before them may be what it looks for."""
    is_presence = isinstance(leaf, Atom) and leaf.comparison.operator is Operator.EXISTS
    for step in leaf.steps:
        level += len(step.keys) + 1
        if level > _MAX_LEVELS:
            place.tests.append((bit, _anything))
            return
        for key, following in zip_longest(step.keys, step.keys[1:]):
            if not isinstance(key, Quoted) and (is_presence or not isinstance(following, Quoted | None)):
                place.joined |= bit
            place = place.keys.setdefault(str(key), _Place())
        if isinstance(step.index, AnyElement):
            place.elements = place = place.elements or _Place()
        elif step.index is not None:
            place.tests.append((bit, _anything))
            return
    needed = _needed(leaf.condition) if isinstance(leaf, ElementTest) else ()
    for inner in needed:
        _put(place, inner, bit, level)
    if isinstance(leaf, Atom):
        place.tests.append((bit, is_present if is_presence else judge_of_end(leaf)))
        place.searches = place.searches or leaf.comparison.operator is Operator.REGEX
    elif not needed:
        place.tests.append((bit, _anything))


def _anything(_value: Any) -> bool:
    return True


def _finder(root: _Place, everything: int) -> Callable[[Any], int]:
    """``find(body)``: the conditions that a body leaves possible."""
    scope = Scope()
    everything_name = scope.constant(everything)
    lines = ["found = 0", *_walk(root, "body", scope, everything_name, inside=False, level=0), "return found"]
    find: Callable[[Any], int] = scope.define("find(body)", lines)

    def find_or_give_up(body: Any) -> int:
        try:
            return find(body)
        except (EvaluationError, TypeError):
            return everything

    return find_or_give_up


def _walk(place: _Place, value: str, scope: Scope, everything: str, *, inside: bool, level: int) -> list[str]:
    """The statements that look at a value, which is not None, and at what is below it.

    ``inside`` an array a value of another shape is not missing, but an error.
    """
    lines = []
    if place.searches:
        judge, known = _together(place.tests)
        known_name, judge_name = scope.constant(known), scope.constant(judge)
        lines.append(f"found |= {known_name}[{value}] if {value}.__class__ is text else {judge_name}({value})")
    else:
        for bit, test in place.tests:
            name = scope.constant(bit)
            lines.append(f"if {scope.constant(test)}({value}): found |= {name}")
    below, otherwise = f"v{level}", f"return {everything}"
    if place.keys:
        lines.append(f"if {value}.__class__ is mapping:")
        if place.joined:
            lines.append(f"    if '.' in ''.join({value}): found |= {scope.constant(place.joined)}")
        for key, at_key in place.keys.items():
            walk = _walk(at_key, below, scope, everything, inside=inside, level=level + 1)
            lines += [f"    {below} = {value}.get({scope.constant(key)})", f"    if {below} is not None:"]
            lines += _indented(walk, 2)
        if inside:
            lines.append(f"else: {otherwise}")
    if place.elements is not None:
        walk = _walk(place.elements, below, scope, everything, inside=True, level=level + 1)
        lines += [f"if {value}.__class__ is list:", f"    for {below} in {value}:", f"        if {below} is not None:"]
        lines += _indented(walk, 3)
        if place.elements.keys:
            lines.append(f"        else: {otherwise}")
        lines.append(f"else: {otherwise}" if inside else f"elif {value}.__class__ is not mapping: {otherwise}")
    return lines


def _together(tests: list[tuple[int, Callable[[Any], bool]]]) -> tuple[Callable[[Any], int], Remembered[Any, int]]:
    """All tests of what stands at a place as one, and the same for texts, which it remembers: the names of images and
    commands recur, and an expression takes longer to search for than to look up what was found."""

    def judge(value: Any) -> int:
        found = 0
        for bit, test in tests:
            if test(value):
                found |= bit
        return found

    return judge, Remembered(judge)


def _indented(lines: Iterable[str], levels: int) -> list[str]:
    return ["    " * levels + line for line in lines]
