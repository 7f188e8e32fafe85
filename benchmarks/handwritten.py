"""The rules of a set as somebody would write them by hand in Python: one function per rule on plain dictionaries.

Made from the same syntax trees, in the manner of the detections people publish: ``deep_get`` for every field, string
methods and compiled regular expressions, ``any`` over arrays, the first test that fails ends a rule.

    .venv/bin/python benchmarks/handwritten.py      prints the functions of the 60 detections
"""

import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final

from rule_packs import pack

from auditwire.condition.fields import Field, Kind
from auditwire.condition.syntax import (
    And,
    AnyElement,
    Boolean,
    Comparison,
    Expression,
    Not,
    Number,
    Operator,
    Path,
    Text,
)
from auditwire.rules import RuleSet, load_sources
from auditwire.rules.fields import EventFields

Detection = Callable[[dict[str, Any]], bool]

_FIELDS: Final = EventFields()
_KEYS: Final = {"requestBody": "requestObject", "responseBody": "responseObject"}
_ARRAYS: Final = ("sourceIPs", "groups", "add", "verbs", "resources")
"""Fields of the rules that hold arrays, as whoever writes a detection knows."""
_ORDERS: Final = (Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL)


def deep_get(dictionary: Any, *keys: str, default: Any = None) -> Any:
    """The value under nested keys, or the default where one of them is missing."""
    found = reduce(lambda one, key: one.get(key) if isinstance(one, Mapping) else None, keys, dictionary)
    return default if found is None else found


def handwritten(rule_set: RuleSet) -> list[Detection]:
    """A function for each rule, archiving and alerting, in their order. Takes an event as ``orjson.loads`` gives it."""
    names: dict[str, Any] = {"deep_get": deep_get, "re": re}
    rules = (*rule_set.archiving, *rule_set.alerting)
    exec(source_of(rule_set), names)  # noqa: S102 - our own benchmark rules
    return [names[f"rule_{number}"] for number in range(len(rules))]


def source_of(rule_set: RuleSet) -> str:
    """The text of those functions."""
    writer = _Writer()
    functions = []
    for number, rule in enumerate((*rule_set.archiving, *rule_set.alerting)):
        condition = rule.text.expression
        tests = [writer.test(one) for one in (condition.operands if isinstance(condition, And) else (condition,))]
        body = "".join(f"    if not ({test}):\n        return False\n" for test in tests)
        functions.append(f"def rule_{number}(event):\n{body}    return True\n")
    return "\n".join([*writer.patterns, "", *functions])


class _Writer:
    """Conditions as Python text; ``patterns`` are the lines that compile their regular expressions."""

    def __init__(self) -> None:
        self.patterns: list[str] = []

    def test(self, node: Expression) -> str:
        """A condition as an expression over ``event``."""
        if isinstance(node, Comparison):
            return self._comparison(node)
        if isinstance(node, Not):
            return f"not ({self.test(node.operand)})"
        word = " and " if isinstance(node, And) else " or "
        return word.join(f"({self.test(operand)})" for operand in getattr(node, "operands", ()))

    def _comparison(self, node: Comparison) -> str:
        field = _FIELDS.resolve(node.field) if isinstance(node.field, Path) else None
        if not isinstance(field, Field) or not isinstance(node.field, Path):
            raise TypeError(f"{node.field} is no field")
        attribute = str(field.expression).rstrip(")").rpartition(" ")[2].removeprefix("event.")
        keys = [_KEYS.get(key, key) for key in attribute.split(".")]
        steps: list[tuple[str, Any]] = [(key, None) for key in keys]
        steps += [(segment.name, segment.index) for segment in field.rest]
        index = node.field.segments[-1].index
        if steps[-1][1] is None and index is not None:
            steps[-1] = (steps[-1][0], index)
        return self._walk("event", steps, node, missing='""' if field.kind is Kind.TEXT else "None")

    def _walk(self, owner: str, steps: list[tuple[str, Any]], node: Comparison, missing: str) -> str:
        keys: list[str] = []
        for position, (key, index) in enumerate(steps):
            keys.append(repr(key))
            rest = steps[position + 1 :]
            if isinstance(index, AnyElement) or (not rest and key in _ARRAYS):
                item = f"item{position}"
                inner = self._walk(item, rest, node, "None") if rest else self._leaf(item, node)
                return f"any({inner} for {item} in deep_get({owner}, {', '.join(keys)}, default=[]))"
        default = missing
        if node.operator in (Operator.LIKE, Operator.REGEX, Operator.CONTAINS):
            default = '""'
        elif node.operator in _ORDERS:
            default = "-1" if node.operator in (Operator.GREATER, Operator.GREATER_OR_EQUAL) else "float('inf')"
        return self._leaf(f"deep_get({owner}, {', '.join(keys)}, default={default})", node)

    def _leaf(self, value: str, node: Comparison) -> str:
        literals = [_value(one) for one in node.operands]
        if node.operator is Operator.EXISTS:
            return f"{value} {'in' if node.negated else 'not in'} (None, '')"
        if node.operator is Operator.IN:
            return f"{value} {'not ' * node.negated}in {{{', '.join(map(repr, literals))}}}"
        if node.operator is Operator.EQUAL:
            return f"{value} {'!=' if node.negated else '=='} {literals[0]!r}"
        if node.operator in _ORDERS:
            return f"{value} {node.operator} {literals[0]!r}"
        if node.operator is Operator.CONTAINS:
            return f"{literals[0]!r} {'not ' * node.negated}in {value}"
        test = self._like(value, str(literals[0])) if node.operator is Operator.LIKE else None
        if test is None:
            pattern = str(literals[0])
            if node.operator is Operator.LIKE:
                pattern = "^" + ".*".join(map(re.escape, pattern.split("*"))) + "$"
            name = f"PATTERN_{len(self.patterns)}"
            self.patterns.append(f"{name} = re.compile({pattern!r})")
            test = f"{name}.search({value}) is not None"
        return f"{value} and not {test}" if node.negated else test

    def _like(self, value: str, pattern: str) -> str | None:
        inner = pattern.strip("*")
        if "*" in inner:
            return None
        if pattern == f"*{inner}*":
            return f"{inner!r} in {value}"
        return f"{value}.{'startswith' if pattern.endswith('*') else 'endswith'}({inner!r})"


def _value(literal: Any) -> Any:
    if isinstance(literal, Text | Boolean):
        return literal.value
    return float(literal.spelling) if isinstance(literal, Number) else None


if __name__ == "__main__":
    loaded = load_sources(pack(60)).rule_set
    print(source_of(loaded) if loaded is not None else "the generated rules do not load")
