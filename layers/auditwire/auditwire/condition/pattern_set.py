"""Many regular expressions on one field searched for in one pass."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from auditwire.condition.evaluate import Atom
from auditwire.condition.memory import Remembered
from auditwire.condition.operators import MAX_SET_INSTRUCTIONS, Test, pattern_size, regex_test, search_of_all, spelling
from auditwire.condition.syntax import Operator

_Search = Callable[[str], frozenset[int]]

_FEWEST: Final = 3


def shared_searches(atoms: Iterable[Atom]) -> dict[Atom, Test]:
    """For each test of a text with one of several regular expressions, another that gives the same answers sooner.

    All of them share one RE2 set, which finds every pattern in a single pass over the text: fifty cost what one does
    alone. What it found in a text is remembered, so that the other tests of an event only ask for it.
    The tests take texts and raise ``EvaluationError`` as the ones they stand for do.
    """
    by_field: dict[tuple[str, bool], dict[str, list[Atom]]] = defaultdict(dict)
    for atom in atoms:
        comparison, load = atom.comparison, atom.field.expression
        if comparison.operator is Operator.REGEX and atom.is_plain and load is not None and not comparison.lowered:
            pattern = spelling(comparison.operands[0])
            if pattern_size(pattern) <= MAX_SET_INSTRUCTIONS:
                by_field[load, comparison.lowered].setdefault(pattern, []).append(atom)
    shared: dict[Atom, Test] = {}
    for (_, lowered), group in by_field.items():
        if len(group) >= _FEWEST:
            search = search_of_all({pattern: regex_test(pattern) for pattern in group})
            found = Remembered(_of_lower_case(search) if lowered else search)
            for position, same in enumerate(group.values()):
                shared.update(dict.fromkeys(same, _one_of(found, position)))
    return shared


def _of_lower_case(search: _Search) -> _Search:
    return lambda text: search(text.lower())


def _one_of(found: Remembered[str, frozenset[int]], position: int) -> Test:
    return lambda text: position in found[text]
