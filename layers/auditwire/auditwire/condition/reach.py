"""Walking a path quickly: a judge made for one test, for values of the shapes that are usual.

``paths.matches`` and ``operators.holds`` say what a comparison means for any value; they look at the path anew each
time. Here every step is a function made once, which knows only objects, arrays of plain values and missing keys. All
else it leaves to the reference, so that the odd rules stand in one place.
"""

from collections.abc import Callable
from typing import Any, Final

from auditwire.condition.elements import ElementTest
from auditwire.condition.evaluate import Atom, Leaf
from auditwire.condition.fields import Kind
from auditwire.condition.operators import holds
from auditwire.condition.paths import Quoted, first_keys
from auditwire.condition.syntax import AnyElement, Operator
from auditwire.condition.values import is_present

_Judge = Callable[[Any], bool]
_Find = Callable[[Any], Any]

_MAX_KEYS: Final = 8
_PLAIN: Final = frozenset((str, int, float, bool))


class _OddShapeError(Exception):
    """A value that only the reference knows how to judge."""


def quick_judge(atom: Atom) -> _Judge:
    """A function that gives what ``atom.judge`` gives, and raises what it raises."""
    if atom.comparison.operator is Operator.EXISTS:
        return _judge_presence(atom)
    return _walk(atom, judge_of_end(atom))


def judge_of_end(atom: Atom) -> _Judge:
    """A function that judges what stands at the end of a path, for a comparison other than ``exists``."""
    is_indexed = len(atom.steps) > 1 or atom.steps[0].index is not None
    return _judge_element(atom) if is_indexed else _judge_end(atom)


def _judge_presence(atom: Atom) -> _Judge:
    """``exists`` of a path without indexes; of others the reference is asked."""
    step, negated = atom.steps[0], atom.comparison.negated
    if atom.field.kind is not Kind.JSON or len(atom.steps) > 1 or step.index is not None or len(step.keys) > _MAX_KEYS:
        return atom.judge
    exists = _presence(step.keys)
    return lambda value: exists(value) is not negated


def _presence(keys: tuple[str, ...]) -> _Judge:
    """``paths.exists_below`` for these keys."""
    if not keys:
        return is_present
    options = [(joined, _presence(below)) for joined, below in first_keys(keys)]
    prefix = "" if any(isinstance(key, Quoted) for key in keys) else ".".join(keys) + "."

    def exists(value: Any) -> bool:
        if value.__class__ is not dict:
            return False
        for key, below in options:
            found = value.get(key)
            if found is not None and below(found):
                return True
        if prefix:
            for key, found in value.items():
                if key.startswith(prefix) and is_present(found):
                    return True
        return False

    return exists


def quick_element_judge(test: ElementTest, condition: _Judge) -> _Judge:
    """A function that gives what ``test.judge`` gives, where ``condition`` gives what walking its condition does."""
    return _walk(test, lambda element: element.__class__ is dict and condition(element))


def _walk(leaf: Leaf, end: _Judge) -> _Judge:
    """``leaf.judge`` with ``end`` for what stands at the end of its path."""
    steps, reference = leaf.steps, leaf.judge
    usual = all(
        len(step.keys) <= _MAX_KEYS
        and isinstance(step.index, AnyElement | None)
        and not any(isinstance(key, Quoted) for key in step.keys)
        for step in steps
    )
    if not usual:
        return reference
    quick = end
    for position in reversed(range(len(steps))):
        find = _finder(steps[position].keys, inside_array=position > 0)
        quick = _judge_found(find, quick) if steps[position].index is None else _judge_some(find, quick)

    def judge(value: Any) -> bool:
        try:
            return quick(value)
        except _OddShapeError:
            return reference(value)

    return judge


def _judge_found(find: _Find, below: _Judge) -> _Judge:
    return lambda value: below(find(value))


def _judge_some(find: _Find, below: _Judge) -> _Judge:
    def judge(value: Any) -> bool:
        array = find(value)
        if array is None:
            return False
        if array.__class__ is not list:
            raise _OddShapeError
        # A plain loop: any() over a generator costs more than the tests themselves.
        for element in array:  # noqa: SIM110
            if below(element):
                return True
        return False

    return judge


def _judge_element(atom: Atom) -> _Judge:
    """The end of a path that an index is on the way of."""
    test, negated = atom.test, atom.comparison.negated
    of_array = _judge_array(atom)

    def judge(value: Any) -> bool:
        if value.__class__ in _PLAIN:
            return test(value) is not negated
        if value is None:
            return False
        if value.__class__ is list:
            return of_array(value)
        return holds(test, value, negated=negated, inside_array=True)

    return judge


def _judge_end(atom: Atom) -> _Judge:
    """The end of a path without indexes."""
    test, negated = atom.test, atom.comparison.negated
    of_array = _judge_array(atom)

    def judge(value: Any) -> bool:
        if value.__class__ in _PLAIN:
            return test(value) is not negated
        if value is None:
            return False
        return of_array(value) if value.__class__ is list else holds(test, value, negated=negated)

    return judge


def _judge_array(atom: Atom) -> _Judge:
    """An array at the end of a path, as ``holds`` judges it; usually of plain values."""
    test, negated = atom.test, atom.comparison.negated

    def judge(array: list[Any]) -> bool:
        if not _PLAIN.issuperset(map(type, array)):
            return holds(test, array, negated=negated)
        for element in array:
            if test(element):
                return not negated
        return negated and bool(array)

    return judge


def _finder(keys: tuple[str, ...], *, inside_array: bool) -> _Find:
    """``paths.find`` for these keys; inside an array what cannot be found is left to the reference."""
    find: _Find = _itself
    # From the last key to the first: each finder tries its first key alone, then joined with more and more of the rest.
    finders = [find]
    for position in reversed(range(len(keys))):
        joined = [".".join(keys[position:end]) for end in range(position + 1, len(keys) + 1)]
        find = _find_one_of(list(zip(joined, reversed(finders), strict=True)))
        finders.append(find)
    if not keys or not inside_array:
        return find

    def find_inside(value: Any) -> Any:
        found = find(value)
        if found is None:
            for key in keys:
                if value.__class__ is not dict:
                    raise _OddShapeError
                value = value.get(key)
                if value is None:
                    break
        return found

    return find_inside


def _find_one_of(options: list[tuple[str, _Find]]) -> _Find:
    if len(options) == 1:
        key = options[0][0]
        return lambda value: value.get(key) if value.__class__ is dict else None

    def find(value: Any) -> Any:
        if value.__class__ is dict:
            for key, below in options:
                found = value.get(key)
                if found is not None:
                    found = below(found)
                    if found is not None:
                        return found
        return None

    return find


def _itself(value: Any) -> Any:
    return value
