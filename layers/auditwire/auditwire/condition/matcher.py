"""Many conditions as one generated function: which of them match an event.

What one condition pays for, the others share: a comparison that stands in several is evaluated once, a field is loaded
once, and conditions that ask for one value of a field (``ObjectRef.Resource = "pods" and …``) are looked up by that
value instead of being tried. The meaning is that of the reference evaluator, condition by condition; a property test
holds that both agree. Where a comparison meets a value it cannot judge, the function raises, and the caller judges the
conditions one by one.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from auditwire.condition.codegen import Scope, is_inline, is_search, spelled
from auditwire.condition.evaluate import Atom, Bound
from auditwire.condition.syntax import And, Not, Operator

Matcher = Callable[[Any], list[int]]
"""Takes an event, gives the positions of the matching conditions in ascending order. Raises ``EvaluationError``."""

_FEWEST_IN_TABLE: Final = 4
_MOST_VALUES: Final = 24


def generate_matcher(conditions: Sequence[Bound]) -> Matcher:
    """One function for these conditions."""
    find = _function([_Case(position, node) for position, node in enumerate(conditions)], frozenset())

    def match(event: Any) -> list[int]:
        hits: list[int] = []
        find(event, hits)
        if len(hits) > 1:
            hits.sort()
        return hits

    return match


@dataclass(frozen=True, slots=True)
class _Case:
    """A condition by its position; ``node`` is what is left of it to test, None when it holds already."""

    position: int
    node: Bound | None

    def asks(self) -> dict[str, Atom]:
        """The tests that want one of a few values of a text field, by the field's load expression."""
        operands: tuple[Any, ...] = self.node.operands if isinstance(self.node, And) else (self.node,)
        found: dict[str, Atom] = {}
        for operand in operands:
            # Behind a test that may raise nothing is taken out of turn, or its error would go uncounted.
            if not isinstance(operand, Atom) or not is_inline(operand):
                break
            if _wanted(operand):
                found.setdefault(str(operand.field.expression), operand)
        return found

    def without(self, atom: Atom) -> "_Case":
        """The same condition where ``atom`` is known to hold."""
        operands: tuple[Any, ...] = self.node.operands if isinstance(self.node, And) else (self.node,)
        rest = tuple(operand for operand in operands if operand is not atom and operand is not None)
        return _Case(self.position, And(rest) if len(rest) > 1 else rest[0] if rest else None)


def _wanted(atom: Atom) -> frozenset[str]:
    """The values of which a test wants one; empty for tests of another kind."""
    comparison = atom.comparison
    few = comparison.operator in (Operator.EQUAL, Operator.IN) and len(comparison.operands) <= _MOST_VALUES
    return frozenset(map(spelled, comparison.operands)) if few and not comparison.negated else frozenset()


def _function(cases: Sequence[_Case], known: frozenset[str]) -> Callable[[Any, list[int]], None]:
    """A function that appends the positions of the matching cases; ``known`` fields have been looked up already."""
    tables: list[tuple[str, list[_Case]]] = []
    rest = list(cases)
    while (load := _most_asked(rest, known)) is not None:
        tables.append((load, [case for case in rest if load in case.asks()]))
        rest = [case for case in rest if load not in case.asks()]
        known |= {load}
    uses = Counter(atom for case in rest for atom in _atoms(case.node))
    scope = Scope([atom for atom, times in uses.items() if times > 1 and (is_search(atom) or not is_inline(atom))])
    body = [_test(case, scope) for case in rest]
    for load, tabled in tables:
        table = _table(load, tabled, known)
        body += [f"f = {scope.constant(table.get)}({scope.load(load)})", "if f is not None: f(event, hits)"]
    return scope.define("match(event, hits)", body or ["pass"])


def _most_asked(cases: Sequence[_Case], known: frozenset[str]) -> str | None:
    """The field most cases want a value of, if it is worth a table."""
    asked = Counter(load for case in cases for load in case.asks() if load not in known)
    load, times = max(asked.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return load if times >= _FEWEST_IN_TABLE else None


def _table(load: str, cases: list[_Case], known: frozenset[str]) -> dict[str, Callable[[Any, list[int]], None]]:
    """For each value that is wanted, the function that tries the cases wanting it."""
    by_value: dict[str, list[_Case]] = {}
    for case in cases:
        atom = case.asks()[load]
        for value in _wanted(atom):
            by_value.setdefault(value, []).append(case.without(atom))
    functions: dict[tuple[int, ...], Callable[[Any, list[int]], None]] = {}
    table = {}
    for value, group in sorted(by_value.items()):
        # Values wanted by the same cases share one function.
        positions = tuple(case.position for case in group)
        if positions not in functions:
            functions[positions] = _function(group, known)
        table[value] = functions[positions]
    return table


def _test(case: _Case, scope: Scope) -> str:
    hit = f"hits.append({case.position})"
    return hit if case.node is None else f"if {scope.expression(case.node)}: {hit}"


def _atoms(node: Bound | None) -> Iterator[Atom]:
    pending: list[Any] = [] if node is None else [node]
    while pending:
        current = pending.pop()
        if isinstance(current, Atom):
            yield current
        elif isinstance(current, Not):
            pending.append(current.operand)
        else:
            pending.extend(current.operands)
