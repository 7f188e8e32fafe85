"""The rules of a set in the language of the package rule-engine, for comparison.

Its rules run on plain dictionaries. What it has no word for (addresses, RE2) is left out and counted.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import rule_engine

from auditwire.condition.syntax import (
    And,
    AnyElement,
    Boolean,
    Comparison,
    Expression,
    Not,
    Number,
    Operator,
    Or,
    Path,
    Text,
)
from auditwire.rules import RuleSet

# The keys that audit.k8s.io/v1 writes, by the names rules may use.
_KEYS: Final = {
    name.lower(): name
    for name in (
        "verb", "stage", "level", "userAgent", "requestURI", "sourceIPs", "user", "username", "groups", "objectRef",
        "resource", "namespace", "name", "subresource", "responseStatus", "code", "requestObject", "responseObject",
        "impersonatedUser", "annotations", "apiGroup",
    )
}  # fmt: skip
_BODIES: Final = ("requestobject", "responseobject")
_CONTEXT: Final = rule_engine.Context(resolver=rule_engine.resolve_item, default_value=None)


class NotExpressibleError(Exception):
    """The package's language has no word for this."""


@dataclass(frozen=True, slots=True)
class PackageRules:
    """The rules that could be expressed, and how many could not."""

    rules: tuple[rule_engine.Rule, ...]
    left_out: int

    def matches(self, event: dict[str, Any]) -> int:
        """How many of the rules match an event as ``orjson.loads`` gives it."""
        return sum(rule.matches(event) for rule in self.rules)


def translated(rule_set: RuleSet) -> PackageRules:
    """The rules of a set, archiving and alerting, in the package's language."""
    found, left_out = [], 0
    for rule in (*rule_set.archiving, *rule_set.alerting):
        try:
            found.append(rule_engine.Rule(_expression(rule.text.expression), context=_CONTEXT))
        except (NotExpressibleError, rule_engine.EngineError):
            left_out += 1
    return PackageRules(tuple(found), left_out)


def _expression(node: Expression) -> str:
    if isinstance(node, Comparison):
        text = _comparison(node)
        return f"not {text}" if node.negated else text
    if isinstance(node, Not):
        return f"not ({_expression(node.operand)})"
    if isinstance(node, And | Or):
        word = " and " if isinstance(node, And) else " or "
        return word.join(f"({_expression(operand)})" for operand in node.operands)
    raise NotExpressibleError


def _comparison(node: Comparison) -> str:
    if not isinstance(node.field, Path):
        raise NotExpressibleError
    names = []
    free = False
    for segment in node.field.segments:
        names.append((segment.name if free else _KEYS.get(segment.name.lower(), segment.name), segment.index))
        free = free or segment.name.lower() in _BODIES
    return _walk("", names, node, 0)


def _walk(start: str, names: list[tuple[str, Any]], node: Comparison, depth: int) -> str:
    """The test below ``start``: a comprehension for each ``[*]`` on the way."""
    path = start
    for position, (name, index) in enumerate(names):
        path = f"{path}&.{name}" if path else name
        plain_array = position == len(names) - 1 and name in ("groups", "sourceIPs")
        if index is None and not plain_array:
            continue
        if index is not None and not isinstance(index, AnyElement):
            raise NotExpressibleError
        element = f"e{depth}"
        rest = names[position + 1 :]
        test = _walk(element, rest, node, depth + 1) if rest else _test(element, node)
        return f"$any([{test} for {element} in ({path} == null ? [] : {path})])"
    return _test(path, node)


def _test(value: str, node: Comparison) -> str:
    operand = _literal(node.operands[0]) if node.operands else ""
    match node.operator:
        case Operator.EQUAL:
            return f"({value} == {operand})"
        case Operator.LESS | Operator.LESS_OR_EQUAL | Operator.GREATER | Operator.GREATER_OR_EQUAL:
            return f"({value} != null and {value} {node.operator} {operand})"
        case Operator.IN:
            return f"({value} in [{', '.join(_literal(each) for each in node.operands)}])"
        case Operator.CONTAINS:
            return f"({value} != null and {operand} in {value})"
        case Operator.LIKE:
            return f"({value} != null and {value} =~ {_quoted(_like(node))})"
        case Operator.REGEX:
            return f"({value} != null and {value} =~~ {operand})"
        case Operator.EXISTS:
            return f"({value} != null)"
        case Operator.TRUTH:
            return f"({value} == true)"
    raise NotExpressibleError


def _like(node: Comparison) -> str:
    pattern = node.operands[0]
    if not isinstance(pattern, Text):
        raise NotExpressibleError
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern.value) + "$"


def _literal(operand: object) -> str:
    if isinstance(operand, Text):
        return _quoted(operand.value)
    if isinstance(operand, Number):
        return operand.spelling
    if isinstance(operand, Boolean):
        return str(operand.value).lower()
    raise NotExpressibleError


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
