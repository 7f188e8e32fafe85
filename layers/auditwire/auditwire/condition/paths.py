"""Looking a path up in decoded JSON: dotted keys, indexes and what they quantify over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from auditwire.condition.errors import EvaluationError
from auditwire.condition.syntax import AnyElement, Elements, Index, Segment
from auditwire.condition.values import is_present

_MAX_INDEX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Step:
    """Keys to walk down and the index, if any, on what is found there."""

    keys: tuple[str, ...]
    index: Index | None


Leaf = Callable[[Any], bool]
"""Judges what stands at the end of a path that an index is on the way of."""


def steps_of(segments: tuple[Segment, ...], root_index: Index | None = None) -> tuple[Step, ...]:
    """The segments of a path grouped up to each index. ``root_index`` is an index on the starting value itself."""
    steps = [] if root_index is None else [Step((), root_index)]
    keys: list[str] = []
    for segment in segments:
        keys.append(segment.name)
        if segment.index is not None:
            steps.append(Step(tuple(keys), segment.index))
            keys = []
    if keys or not steps:
        steps.append(Step(tuple(keys), None))
    return tuple(steps)


def find(value: Any, keys: tuple[str, ...]) -> Any:
    """What stands under ``keys``, or None. Keys may themselves hold dots; nested keys are tried first.

    Costs at most the nodes of the value: each is reached by one way of joining the keys only.
    """
    if not keys:
        return value
    if not isinstance(value, dict):
        return None
    if keys[0] in value:
        found = find(value[keys[0]], keys[1:])
        if found is not None:
            return found
    joined = keys[0]
    for position in range(1, len(keys)):
        joined += "." + keys[position]
        if joined in value:
            found = find(value[joined], keys[position + 1 :])
            if found is not None:
                return found
    return None


def exists_below(value: Any, keys: tuple[str, ...]) -> bool:
    """Whether something present stands under ``keys`` or under a longer key that begins with them and a dot."""
    if not keys:
        return is_present(value)
    if not isinstance(value, dict):
        return False
    prefix = ".".join(keys) + "."
    if any(key.startswith(prefix) and is_present(below) for key, below in value.items()):
        return True
    joined = ""
    for position, key in enumerate(keys):
        joined = f"{joined}.{key}" if position else key
        if joined in value and exists_below(value[joined], keys[position + 1 :]):
            return True
    return False


def matches(value: Any, steps: tuple[Step, ...], leaf: Leaf) -> bool:
    """Whether what a path reaches in ``value`` satisfies ``leaf``, quantified by the indexes on the way.

    ``[*]`` asks for some element, ``[n]`` and ranges for every element they select; nothing selected is false.
    Raises ``EvaluationError`` where an index meets a text or a number, and where keys meet one inside an array.
    """
    return _matches(value, steps, 0, leaf, inside_array=False)


def _matches(value: Any, steps: tuple[Step, ...], position: int, leaf: Leaf, *, inside_array: bool) -> bool:
    step = steps[position]
    value = _find_inside(value, step.keys) if inside_array and step.keys else find(value, step.keys)
    if step.index is None:
        return leaf(value)
    if value is None or (isinstance(value, dict) and not inside_array):
        return False
    if not isinstance(value, list):
        raise EvaluationError("an index stands on something that is not an array")
    last = position == len(steps) - 1
    if isinstance(step.index, AnyElement):
        if last:
            return any(leaf(element) for element in value)
        return any(_matches(element, steps, position + 1, leaf, inside_array=True) for element in value)
    selected = _select(value, step.index)
    if last:
        return bool(selected) and all(leaf(element) for element in selected)
    return bool(selected) and all(
        _matches(element, steps, position + 1, leaf, inside_array=True) for element in selected
    )


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
