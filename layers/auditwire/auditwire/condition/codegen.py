"""Bound conditions to Python functions.

``and``, ``or`` and ``not`` become Python's own; a test of a plain text becomes an expression of its own; every other
comparison is a call of a judge made for it (``reach.py``), which leaves odd values to the reference evaluator's. The
source holds names and operators only; every literal is a constant passed beside it, so no text of a rule is ever run.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from auditwire.condition.elements import ElementTest
from auditwire.condition.errors import UnexpectedTypeError
from auditwire.condition.evaluate import Atom, Bound, Leaf, is_false_of_nothing
from auditwire.condition.fields import Field, Kind
from auditwire.condition.operators import Test, spelling
from auditwire.condition.reach import quick_element_judge, quick_judge
from auditwire.condition.syntax import And, AnyElement, Not, Operator, Or, Text, children

_ORDERS: Final = {
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "<=",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: ">=",
}
_BUILTINS: Final = {
    "text": str,
    "list": list,
    "mapping": dict,
    "bool": bool,
    "UnexpectedTypeError": UnexpectedTypeError,
}


class Scope:
    """One function being written: its constants, the fields it loads into local variables, the results it keeps.

    ``kept`` are the nodes whose result is kept once known, because the function asks for it more than once;
    ``searches`` are cheaper tests to take for some atoms.
    """

    def __init__(self, kept: Collection[Bound] = (), searches: Mapping[Atom, Test] | None = None) -> None:
        self._constants: dict[str, Any] = {}
        self._loads: dict[str, str] = {}
        self._texts: dict[str, bool] = {}
        self._kept = {node: f"s{number}" for number, node in enumerate(kept)}
        self._searches = searches or {}

    def constant(self, value: Any) -> str:
        """A name for a value that the source does not spell."""
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name

    def load(self, field: Field) -> str:
        """A field of the event as an expression: a local variable, loaded once; but bodies only where a test asks for
        them, because loading one decodes it."""
        if field.expression is None:
            return f"{self.constant(field.load)}(event)"
        if field.kind is Kind.JSON:
            return field.expression
        return self._loads.setdefault(field.expression, f"v{len(self._loads)}")

    def expression(self, node: Bound) -> str:
        """A bound condition as a Python expression."""
        name = self._kept.get(node)
        test = self._test(node)
        return test if name is None else f"({name} if {name} is not None else ({name} := {test}))"

    def define(self, signature: str, body: list[str]) -> Callable[..., Any]:
        """The function with this signature and these statements; the loads come before them.

        It raises ``UnexpectedTypeError`` where a text it compares without calling the reference is none.
        """
        setup = [f"{name} = {expression}" for expression, name in self._loads.items()]
        unexpected = [
            f"({name}.__class__ is not text and {name} is not None)" if may_miss else f"{name}.__class__ is not text"
            for name, may_miss in self._texts.items()
        ]
        if unexpected:
            setup.append(f"if {' or '.join(unexpected)}: raise UnexpectedTypeError")
        setup += [f"{name} = None" for name in self._kept.values()]
        source = "\n ".join([f"def {signature}:", *setup, *body])
        names = {**self._constants, "__builtins__": _BUILTINS}
        exec(compile(source, "<rules>", "exec"), names)  # noqa: S102 - names and operators only, see above
        return names[signature.partition("(")[0]]  # type: ignore[no-any-return]

    def _test(self, node: Bound) -> str:
        if isinstance(node, And):
            return f"({' and '.join(map(self.expression, children(node)))})"
        if isinstance(node, Or):
            return f"({' or '.join(map(self.expression, children(node)))})"
        if isinstance(node, Not):
            return f"(not {self.expression(*children(node))})"
        if not isinstance(node, Atom):
            judge = _judge_of_elements(node) if isinstance(node, ElementTest) else node.judge
            return self._judged(node, judge)
        if not is_inline(node):
            return self._judged(node, _judge_of_texts(node) if _is_of_texts(node) else quick_judge(node))
        text = self.load(node.field)
        self._texts[text] = may_miss = node.field.kind is Kind.OPTIONAL_TEXT
        test = self.inline(node, text, negated=node.comparison.negated)
        return f"({text} is not None and {test})" if may_miss else test

    def _judged(self, leaf: Leaf, judge: Callable[[Any], bool]) -> str:
        """A call of a judge; none where the event has nothing to judge, as most have no body."""
        load, name = self.load(leaf.field), self.constant(judge)
        if not is_false_of_nothing(leaf) or not leaf.field.name:
            return f"{name}({load})"
        if leaf.field.kind is Kind.JSON:
            return f"((body := {load}) is not None and {name}(body))"
        return f"({load} is not None and {name}({load}))" if leaf.field.kind is Kind.TEXTS else f"{name}({load})"

    def inline(self, atom: Atom, text: str, *, negated: bool) -> str:
        """The test of a local variable that holds a text."""
        operator, operands = atom.comparison.operator, atom.comparison.operands
        if operator is Operator.EXISTS:
            return f"({text} {'==' if negated else '!='} '')"
        if atom.comparison.lowered and operator in (Operator.IN, Operator.EQUAL, Operator.CONTAINS, *_ORDERS):
            text = f"{text}.lower()"
        if operator is Operator.IN:
            return f"({text} {'not in' if negated else 'in'} {self.constant(frozenset(map(spelling, operands)))})"
        if operator in _ORDERS:
            return f"({text} {_ORDERS[operator]} {self.constant(spelling(operands[0]))})"
        if operator is Operator.EQUAL:
            return f"({text} {'!=' if negated else '=='} {self.constant(spelling(operands[0]))})"
        if operator is Operator.CONTAINS:
            return f"({self.constant(spelling(operands[0]))} {'not in' if negated else 'in'} {text})"
        test = f"{self.constant(self._searches.get(atom, atom.test))}({text})"
        return f"(not {test})" if negated else test


def generate(node: Bound) -> Callable[[Any], bool]:
    """One function for a bound expression: takes an event, answers whether it matches.

    Raises ``EvaluationError`` as ``evaluate`` does, and ``UnexpectedTypeError``.
    """
    scope = Scope()
    expression = scope.expression(node)
    return scope.define("condition(event)", [f"return {expression}"])


def generate_all(nodes: Mapping[Bound, Sequence[int]], searches: Mapping[Atom, Test]) -> Callable[[Any], list[int]]:
    """One function for several bound expressions: takes an event, gives the numbers of those that match it.

    What stands in several of them is evaluated once. Raises as ``generate`` says.
    """
    scope = Scope(_repeated(nodes), searches)
    body = [f"if {scope.expression(node)}: hits += {scope.constant(numbers)}" for node, numbers in nodes.items()]
    return scope.define("match(event)", ["hits = []", *body, "return hits"])


def is_inline(atom: Atom) -> bool:
    """Whether a test is an expression on a loaded text: it looks at a text field itself and compares it with texts.

    ``exists`` of a text that may be missing is left out, as the one test that is true of a missing value.
    """
    if not atom.is_plain or atom.field.expression is None:
        return False
    if atom.comparison.operator is Operator.EXISTS:
        return atom.field.kind is Kind.TEXT
    return atom.field.kind in (Kind.TEXT, Kind.OPTIONAL_TEXT) and _compares_texts(atom)


def _is_of_texts(atom: Atom) -> bool:
    """Whether a test looks at the elements of an array of texts."""
    any_of = len(atom.steps) == 1 and isinstance(atom.steps[0].index, AnyElement | None)
    return atom.field.kind is Kind.TEXTS and any_of and _compares_texts(atom)


def _compares_texts(atom: Atom) -> bool:
    operator, operands = atom.comparison.operator, atom.comparison.operands
    return operator.goes_by_text or (bool(operands) and isinstance(operands[0], Text))


def _judge_of_texts(atom: Atom) -> Callable[[Any], bool]:
    """``atom.judge`` with the test written into the loop; other values than arrays of texts are left to it.

    Without brackets a negative operator is true where no element has what it denies, in an array that has elements.
    """
    scope = Scope()
    negated = atom.comparison.negated
    of_none = negated and atom.steps[0].index is None
    reference = scope.constant(atom.judge)
    return scope.define(
        "judge(array)",
        [
            f"if array.__class__ is not list: return {reference}(array)",
            "for element in array:",
            f"    if element.__class__ is not text: return {reference}(array)",
            f"    if {scope.inline(atom, 'element', negated=negated and not of_none)}: return {not of_none}",
            f"return {'bool(array)' if of_none else 'False'}",
        ],
    )


_OF_ELEMENTS: Final[WeakKeyDictionary[ElementTest, Callable[[Any], bool]]] = WeakKeyDictionary()


def _judge_of_elements(node: ElementTest) -> Callable[[Any], bool]:
    """``node.judge`` with a function generated for its condition, once however many functions ask for it."""
    judge = _OF_ELEMENTS.get(node)
    if judge is None:
        judge = _OF_ELEMENTS[node] = quick_element_judge(node, generate(node.condition))
    return judge


def _repeated(nodes: Iterable[Bound]) -> list[Bound]:
    """The sub-expressions that several others are made of, where asking again costs more than looking it up."""
    uses: Counter[Bound] = Counter()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        uses[node] += 1
        # Of what is kept the parts are asked for once only.
        if uses[node] == 1:
            pending += children(node)
    return [node for node, times in uses.items() if times > 1 and not (isinstance(node, Atom) and _is_cheap(node))]


def _is_cheap(atom: Atom) -> bool:
    return is_inline(atom) and atom.comparison.operator not in (Operator.LIKE, Operator.REGEX)
