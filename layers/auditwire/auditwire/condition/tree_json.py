"""Expressions as JSON and back: how compiled rules travel. Holds data only, so reading one can run nothing.

    ["and", E, …]  ["or", E, …]  ["not", E]  ["any", path, E]  [operator, negated, path, [operand, …]]

A path is a list of segments, ``[name]`` or ``[name, index]`` with the index as spelled; a quoted one in ``{"key": …}``,
a pattern in ``{"pattern": …}``.
``lower(path)`` is ``{"lower": path}``. An operand is ``["text", "…"]``, ``["number", "spelling"]`` or
``["boolean", true]``.
"""

import re
from dataclasses import replace
from typing import Any, Final

from auditwire.condition.syntax import (
    And,
    AnyOf,
    Boolean,
    Comparison,
    Expression,
    Literal,
    Not,
    Number,
    Operator,
    Or,
    Path,
    Reference,
    Segment,
    Text,
    index_of,
    spell_path,
)

_INDEX: Final = re.compile(r"\*|\d+|\d*:\d*", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_MAX_DEPTH: Final = 400


def to_json(node: Expression) -> list[Any]:
    """The expression as JSON values. Raises ``TypeError`` for one that still holds references."""
    if isinstance(node, And | Or):
        return ["and" if isinstance(node, And) else "or", *(to_json(operand) for operand in node.operands)]
    if isinstance(node, Not):
        return ["not", to_json(node.operand)]
    if isinstance(node, AnyOf) and isinstance(node.field, Path):
        return ["any", path_to_json(node.field), to_json(node.condition)]
    if isinstance(node, Reference | AnyOf) or isinstance(node.field, Reference):
        raise TypeError("an expression with references cannot be stored")
    path: Any = path_to_json(node.field)
    field = {"lower": path} if node.lowered else path
    return [node.operator.value, node.negated, field, [_literal(one) for one in node.operands]]


def from_json(value: Any, depth: int = 0) -> Expression:
    """The expression of JSON values ``to_json`` made. Raises ``ValueError`` for anything else."""
    if depth > _MAX_DEPTH:
        raise ValueError("an expression nests too deep")
    match value:
        case ["and", first, second, *rest]:
            return And(tuple(from_json(operand, depth + 1) for operand in (first, second, *rest)))
        case ["or", first, second, *rest]:
            return Or(tuple(from_json(operand, depth + 1) for operand in (first, second, *rest)))
        case ["not", operand]:
            return Not(from_json(operand, depth + 1))
        case ["any", list() as path, condition]:
            return AnyOf(path_from_json(path), from_json(condition, depth + 1))
        case [str() as operator, bool() as negated, {"lower": list() as path}, list() as operands]:
            return replace(_comparison(operator, negated, path, operands), lowered=True)
        case [str() as operator, bool() as negated, list() as path, list() as operands]:
            return _comparison(operator, negated, path, operands)
    raise ValueError(f"{str(value)[:80]} is no expression")


def _comparison(operator: str, negated: bool, path: list[Any], operands: list[Any]) -> Comparison:
    literals = tuple(_literal_from(one) for one in operands)
    return Comparison(path_from_json(path), Operator(operator), literals, negated)


def path_to_json(path: Path) -> list[Any]:
    """The segments of a path."""
    return [_segment(one) for one in path.segments]


def path_from_json(value: Any) -> Path:
    """The path of segments ``path_to_json`` made. Raises ``ValueError`` for anything else."""
    segments = tuple(_segment_from(part) for part in value)
    if not segments:
        raise ValueError("a path has no segments")
    return Path(segments, spell_path(segments))


def _segment(segment: Segment) -> Any:
    index = [] if segment.index is None else [segment.index.spelling]
    plain = [segment.name, *index]
    return {"key": plain} if segment.is_quoted else {"pattern": plain} if segment.is_pattern else plain


def _segment_from(value: Any) -> Segment:
    match value:
        case [str() as name]:
            return Segment(name)
        case [str() as name, str() as index] if _INDEX.fullmatch(index):
            return Segment(name, index_of(index))
        case {"key": [*plain]}:
            return replace(_segment_from(plain), is_quoted=True)
        case {"pattern": [*plain]}:
            return replace(_segment_from(plain), is_pattern=True)
    raise ValueError(f"{str(value)[:80]} is no segment of a path")


def _literal(literal: Literal | Reference) -> list[Any]:
    match literal:
        case Text(value):
            return ["text", value]
        case Number(spelling):
            return ["number", spelling]
        case Boolean(value):
            return ["boolean", value]
    raise TypeError("an expression with references cannot be stored")


def _literal_from(value: Any) -> Literal:
    match value:
        case ["text", str() as text]:
            return Text(text)
        case ["number", str() as spelling] if _NUMBER.fullmatch(spelling):
            return Number(spelling)
        case ["boolean", bool() as truth]:
            return Boolean(truth)
    raise ValueError(f"{str(value)[:80]} is no literal")
