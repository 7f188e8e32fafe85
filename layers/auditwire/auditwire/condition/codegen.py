"""Bound conditions to Python functions.

``and``, ``or`` and ``not`` become Python's own; a test of a plain text field becomes an expression of its own; every
other comparison is a call of the function the reference evaluator uses, so that there is one meaning. The source holds
names and operators only; every literal is a constant passed beside it, so no text of a rule is ever run.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

from auditwire.condition.evaluate import Atom, Bound
from auditwire.condition.fields import Kind
from auditwire.condition.syntax import And, Not, Number, Operator, Or, Text

_INLINE_ORDER: Final = {
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "<=",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: ">=",
}


class Scope:
    """One function being written: its constants, the fields it loads into local variables, the results it keeps.

    ``kept`` are the atoms whose result is kept once known, because the function asks for it more than once.
    """

    def __init__(self, kept: Collection[Atom] = ()) -> None:
        self._constants: dict[str, Any] = {}
        self._loads: dict[str, str] = {}
        self._kept = {atom: f"s{number}" for number, atom in enumerate(kept)}

    def constant(self, value: Any) -> str:
        """A name for a value that the source does not spell."""
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name

    def load(self, expression: str) -> str:
        """The local variable that holds a field, given as a Python expression over ``event``."""
        return self._loads.setdefault(expression, f"v{len(self._loads)}")

    def expression(self, node: Any) -> str:
        """A bound condition as a Python expression."""
        if isinstance(node, And):
            return f"({' and '.join(map(self.expression, node.operands))})"
        if isinstance(node, Or):
            return f"({' or '.join(map(self.expression, node.operands))})"
        if isinstance(node, Not):
            return f"(not {self.expression(node.operand)})"
        test = self._inline(node) if is_inline(node) else f"{self.constant(node.run)}(event)"
        name = self._kept.get(node)
        return test if name is None else f"({name} if {name} is not None else ({name} := {test}))"

    def define(self, signature: str, body: list[str]) -> Callable[..., Any]:
        """The function with this signature and these statements; the loads come before them."""
        setup = [f"{name} = {expression}" for expression, name in self._loads.items()]
        setup += [f"{name} = None" for name in self._kept.values()]
        source = "\n ".join([f"def {signature}:", *setup, *body])
        names: dict[str, Any] = {**self._constants, "__builtins__": {}}
        exec(compile(source, "<rules>", "exec"), names)  # noqa: S102 - names and operators only, see above
        return names[signature.partition("(")[0]]  # type: ignore[no-any-return]

    def _inline(self, atom: Atom) -> str:
        comparison, negated = atom.comparison, atom.comparison.negated
        load = self.load(str(atom.field.expression))
        if comparison.operator is Operator.EXISTS:
            return f"({load} {'==' if negated else '!='} '')"
        if comparison.operator is Operator.IN:
            items = frozenset(map(spelled, comparison.operands))
            return f"({load} {'not in' if negated else 'in'} {self.constant(items)})"
        literal = comparison.operands[0]
        if comparison.operator is Operator.CONTAINS:
            return f"({self.constant(spelled(literal))} {'not in' if negated else 'in'} {load})"
        if comparison.operator is Operator.EQUAL:
            return f"({load} {'!=' if negated else '=='} {self.constant(spelled(literal))})"
        if comparison.operator in _INLINE_ORDER:
            return f"({load} {_INLINE_ORDER[comparison.operator]} {self.constant(spelled(literal))})"
        test = self._like(load, spelled(literal)) if comparison.operator is Operator.LIKE else None
        test = test or f"{self.constant(atom.test)}({load})"
        return f"(not {test})" if negated else test

    def _like(self, load: str, pattern: str) -> str | None:
        """``like`` with a star at one end or both as a method of the text; None for other patterns."""
        inner = pattern.strip("*")
        if not inner or "*" in inner or "?" in inner:
            return None
        if pattern.startswith("*") and pattern.endswith("*"):
            return f"({self.constant(inner)} in {load})"
        if pattern.endswith("*"):
            return f"{load}.startswith({self.constant(inner)})"
        return (
            f"{load}.endswith({self.constant(inner)})"
            if pattern.startswith("*")
            else f"({load} == {self.constant(inner)})"
        )


def generate(node: Bound) -> Callable[[Any], bool]:
    """One function for a bound expression: takes an event, answers whether it matches.

    Raises ``EvaluationError`` as ``evaluate`` does.
    """
    scope = Scope()
    expression = scope.expression(node)
    return scope.define("condition(event)", [f"return {expression}"])


def is_inline(atom: Atom) -> bool:
    """Whether a test is an expression on a loaded text: the field is a text that is never missing, and compared with
    texts. Such a test can be taken out of turn: it never raises."""
    if atom.field.kind is not Kind.TEXT or atom.field.expression is None:
        return False
    if len(atom.steps) != 1 or atom.steps[0].index is not None or atom.steps[0].keys:
        return False
    operator, operands = atom.comparison.operator, atom.comparison.operands
    if operator in (Operator.EXISTS, Operator.IN, Operator.CONTAINS):
        return True
    return operator is not Operator.TRUTH and isinstance(operands[0], Text)


def is_search(atom: Atom) -> bool:
    """Whether a test looks through its text instead of comparing it."""
    return atom.comparison.operator in (Operator.LIKE, Operator.REGEX)


def spelled(literal: object) -> str:
    """The text that ``=``, ``in`` and ``contains`` compare with."""
    return literal.spelling if isinstance(literal, Number) else str(getattr(literal, "value", ""))
