"""Looking a path up in decoded JSON: dotted keys, indexes and what they quantify over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from auditwire.condition.errors import EvaluationError
from auditwire.condition.operators import stars_test
from auditwire.condition.syntax import EVERY_KEY, AnyElement, Elements, Index, Segment
from auditwire.condition.values import is_present

_MAX_INDEX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class KeyPattern:
    """``.*`` or ``["*-snippet"]``: some value of an object whose key matches."""

    pattern: str

    def values_in(self, found: Any) -> Iterator[Any]:
        """The values whose keys match; none of what is no object."""
        if isinstance(found, dict):
            matches = stars_test(self.pattern)
            yield from (value for key, value in found.items() if matches(key))


@dataclass(frozen=True, slots=True)
class Step:
    """Keys to walk down and the index or the pattern of keys, if any, on what is found there."""

    keys: tuple[str, ...]
    index: Index | KeyPattern | None


class Quoted(str):
    """A key that was quoted: it is never joined with its neighbours."""

    __slots__ = ()


Judge = Callable[[Any], bool]
"""Says of a value whether it satisfies something. May raise ``EvaluationError``."""

_Find = Callable[[Any], Any]


def steps_of(segments: tuple[Segment, ...], root_index: Index | None = None) -> tuple[Step, ...]:
    """The segments of a path grouped up to each index and each pattern of keys. ``root_index`` is an index on the
    starting value itself."""
    steps = [] if root_index is None else [Step((), root_index)]
    keys: list[str] = []
    for segment in segments:
        if segment.is_pattern:
            steps.append(Step(tuple(keys), KeyPattern(segment.name)))
            steps += [] if segment.index is None else [Step((), segment.index)]
            keys = []
            continue
        keys.append(Quoted(segment.name) if segment.is_quoted else segment.name)
        if segment.index is not None:
            steps.append(Step(tuple(keys), segment.index))
            keys = []
    if keys or not steps:
        steps.append(Step(tuple(keys), None))
    return tuple(steps)


def find(value: Any, keys: tuple[str, ...]) -> Any:
    """What stands under ``keys``, or None. Keys may themselves hold dots; nested keys are tried first."""
    found = value
    for key in keys:
        if not isinstance(found, dict):
            break
        found = found.get(key)
        if found is None:
            break
    else:
        return found
    return _find_joined(value, keys) if len(keys) > 1 else None


def reached(value: Any, steps: tuple[Step, ...], position: int = 0) -> Any:
    """What a path selects: several values if an index selects several. What cannot be reached is missing."""
    step = steps[position]
    value = find(value, step.keys)
    if step.index is None:
        return value
    if isinstance(step.index, KeyPattern):
        value = list(step.index.values_in(value))
        return value if position == len(steps) - 1 else [reached(one, steps, position + 1) for one in value]
    if not isinstance(value, list):
        return None
    selected = value if isinstance(step.index, AnyElement) else value[step.index.start : step.index.stop]
    if position == len(steps) - 1:
        return selected
    return [reached(element, steps, position + 1) for element in selected]


def _find_joined(value: Any, keys: tuple[str, ...]) -> Any:
    """``find`` by every way of joining keys, in order: the fewest in the first key come first.

    Costs at most the nodes of the value: each is reached by one way only.
    """
    if not keys:
        return value
    if not isinstance(value, dict):
        return None
    for key, below in first_keys(keys):
        if key in value:
            found = _find_joined(value[key], below)
            if found is not None:
                return found
    return None


def exists_below(value: Any, keys: tuple[str, ...]) -> bool:
    """Whether something present stands under ``keys`` or under a longer key that begins with them and a dot."""
    if not keys:
        return is_present(value)
    if not isinstance(value, dict):
        return False
    if not any(isinstance(key, Quoted) for key in keys):
        prefix = ".".join(keys) + "."
        if any(key.startswith(prefix) and is_present(below) for key, below in value.items()):
            return True
    return any(key in value and exists_below(value[key], below) for key, below in first_keys(keys))


def first_keys(keys: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each key that some of these may be together, from the first one on, and the keys that are left below it."""
    joined = keys[0]
    yield joined, keys[1:]
    for position in range(1, len(keys)):
        if isinstance(keys[position - 1], Quoted) or isinstance(keys[position], Quoted):
            return
        joined += "." + keys[position]
        yield joined, keys[position + 1 :]


def judge_of(steps: tuple[Step, ...], leaf: Judge) -> Judge:
    """What says whether that which a path reaches in a value satisfies ``leaf``, quantified by the indexes on the way.

    ``[*]`` and patterns of keys ask for some value, ``[n]`` and ranges for every element they select; nothing selected
    is false. It raises ``EvaluationError`` where an index meets a text or a number, and where keys meet one inside an
    array. Below a pattern values are of many shapes: there what has another one is missing.
    """
    return _judge(steps, leaf, _Place.OUTSIDE)


class _Place(Enum):
    """Where a step begins, which decides what a value of another shape is."""

    OUTSIDE = "at the field: below a text or a number nothing is found, and an index on one is an error"
    IN_ARRAY = "in an element of an array: both are errors"
    IN_OBJECT = "in a value of an object: it is missing"


def _judge(steps: tuple[Step, ...], leaf: Judge, place: _Place) -> Judge:
    step, rest = steps[0], steps[1:]
    find_here = _finder(step.keys, inside_array=place is _Place.IN_ARRAY)
    if step.index is None:
        return lambda value: leaf(find_here(value))
    inside = _Place.IN_ARRAY
    if place is _Place.IN_OBJECT or isinstance(step.index, KeyPattern):
        inside = _Place.IN_OBJECT
    below = _judge(rest, leaf, inside) if rest else leaf
    if isinstance(step.index, KeyPattern):
        return _some_value(find_here, step.index, below)
    array_in = _array_or_none(find_here, place)
    if isinstance(step.index, AnyElement):
        return _some(array_in, below)
    return _every(array_in, below, step.index)


def _some(array_in: _Find, below: Judge) -> Judge:
    def judge(value: Any) -> bool:
        # A plain loop: any() over a generator costs more than the tests themselves.
        for element in array_in(value) or ():  # noqa: SIM110
            if below(element):
                return True
        return False

    return judge


def _some_value(find_here: _Find, pattern: KeyPattern, below: Judge) -> Judge:
    if pattern.pattern == EVERY_KEY:

        def judge_all(value: Any) -> bool:
            found = find_here(value)
            return isinstance(found, dict) and any(map(below, found.values()))

        return judge_all
    matches = stars_test(pattern.pattern)

    def judge(value: Any) -> bool:
        found = find_here(value)
        return isinstance(found, dict) and any(matches(key) and below(inner) for key, inner in found.items())

    return judge


def _every(array_in: _Find, below: Judge, index: Elements) -> Judge:
    def judge(value: Any) -> bool:
        array = array_in(value)
        selected = () if array is None else _select(array, index)
        return bool(selected) and all(map(below, selected))

    return judge


def _array_or_none(find_here: _Find, place: _Place) -> _Find:
    def array_in(value: Any) -> Any:
        found = find_here(value)
        if found is None or isinstance(found, list):
            return found
        if place is _Place.IN_OBJECT or (isinstance(found, dict) and place is _Place.OUTSIDE):
            return None
        raise EvaluationError("an index stands on something that is not an array")

    return array_in


def _finder(keys: tuple[str, ...], *, inside_array: bool) -> _Find:
    if not keys:
        return lambda value: value
    if inside_array:
        return lambda value: _find_inside(value, keys)
    return lambda value: find(value, keys)


def _select(array: list[Any], index: Elements) -> list[Any]:
    if index.start > _MAX_INDEX or (index.stop or 0) > _MAX_INDEX:
        raise EvaluationError(f"the index [{index.spelling}] is larger than any array")
    start = min(index.start, len(array))
    stop = len(array) if index.stop is None else min(index.stop, len(array))
    if start > stop:
        raise EvaluationError(f"the range [{index.spelling}] ends before it starts")
    return array[start:stop]


def _find_inside(element: Any, keys: tuple[str, ...]) -> Any:
    """``find`` inside an array, where walking into something that is no object is an error, not missing."""
    found = find(element, keys)
    if found is not None:
        return found
    for key in keys:
        if not isinstance(element, dict):
            raise EvaluationError(f"the key {key!r} stands below something that is not an object")
        element = element.get(key)
        if element is None:
            return None
    return None
