"""Tests that do not mean what they seem to, one comparison at a time.

What can only be a mistake is an error (``unusable``), the rest are warnings and notes (``doubtful``).
"""

import re
from collections.abc import Iterator
from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.evaluate import comparisons, root_index_of
from auditwire.condition.fields import Field, FieldTable, Kind
from auditwire.condition.patterns import literal_of_regex
from auditwire.condition.precedence import spell
from auditwire.condition.syntax import (
    And,
    AnyElement,
    Boolean,
    Comparison,
    Elements,
    Expression,
    Index,
    Not,
    Number,
    Operator,
    Or,
    Path,
    Text,
)
from auditwire.condition.values import parse_number
from auditwire.diagnostics import Severity

_LARGEST_INDEX: Final = 2**63 - 1
_ORDERS: Final = (Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL)
_TEXT_KINDS: Final = (Kind.TEXT, Kind.OPTIONAL_TEXT, Kind.TEXTS)
_LONGEST_HINT: Final = 120

MOST_FINDINGS: Final = 20
"""Findings about one text: more say nothing new."""


def unusable(expression: Expression) -> list[Finding]:
    """The errors of an expression that only judging an event would meet: AW108, AW109."""
    findings: list[Finding] = []
    for comparison in comparisons(expression):
        if isinstance(comparison.field, Path):
            findings += unusable_indexes(comparison.field)
        findings += [
            Finding(
                "AW109",
                f"the number {_cut(literal.spelling)} does not fit a 64-bit float, so nothing can be compared with it",
                "write a smaller number, or a text",
                comparison.offset,
            )
            for literal in comparison.operands
            if isinstance(literal, Number)
            and (comparison.operator is Operator.EQUAL or comparison.operator in _ORDERS)
            and parse_number(literal.spelling) is None
        ]
    return findings[:MOST_FINDINGS]


def unusable_indexes(path: Path) -> list[Finding]:
    """The indexes of a path that no array can have: AW108."""
    findings = []
    for segment in path.segments:
        index = segment.index
        if not isinstance(index, Elements):
            continue
        if index.stop is not None and index.start > index.stop:
            hint = f"write [{index.stop}:{index.start}]: the first element selected, and the first one after them"
            findings.append(
                Finding("AW108", f"the range [{_cut(index.spelling)}] ends before it starts", hint, path.offset)
            )
        elif index.start > _LARGEST_INDEX or (index.stop or 0) > _LARGEST_INDEX:
            findings.append(
                Finding("AW108", f"the index [{_cut(index.spelling)}] is larger than any array", "", path.offset)
            )
    return findings


def doubtful(expression: Expression, fields: FieldTable) -> list[Finding]:
    """The warnings and notes about single tests of an expression, in the order of its text.

    AW113 to AW121 without AW114 of whole conditions. Fields and items are put in already; macros are left as
    references and looked at where they are defined.
    """
    tests = list(_tests(expression, is_denied=False))
    asked = {
        _key(comparison, field)
        for comparison, _ in tests
        if comparison.operator is Operator.EXISTS and (field := _field(comparison, fields)) is not None
    }
    findings: list[Finding] = []
    for comparison, is_denied in tests:
        if len(findings) >= MOST_FINDINGS:
            break
        field = _field(comparison, fields)
        if field is None:
            continue
        found = [
            *_by_kind(comparison, field),
            *_by_operator(comparison, field),
            *_by_value(comparison, field),
        ]
        if not found and not is_denied:
            found += _missing(comparison, field, is_asked=_key(comparison, field) in asked)
        findings += found
    return findings


def _tests(node: Expression, *, is_denied: bool) -> Iterator[tuple[Comparison, bool]]:
    if isinstance(node, And | Or):
        for operand in node.operands:
            yield from _tests(operand, is_denied=is_denied)
    elif isinstance(node, Not):
        yield from _tests(node.operand, is_denied=not is_denied)
    elif isinstance(node, Comparison):
        yield node, is_denied


def _field(comparison: Comparison, fields: FieldTable) -> Field | None:
    field = fields.resolve(comparison.field) if isinstance(comparison.field, Path) else None
    return field if isinstance(field, Field) else None


def _key(comparison: Comparison, field: Field) -> tuple[object, ...]:
    return (field.name, _root_index(comparison, field), field.rest)


def _root_index(comparison: Comparison, field: Field) -> Index | None:
    index: Index | None = root_index_of(comparison.field, field) if isinstance(comparison.field, Path) else None
    return index


def _indexes(comparison: Comparison) -> list[Index]:
    path = comparison.field
    return [segment.index for segment in path.segments if segment.index] if isinstance(path, Path) else []


def _warning(code: str, comparison: Comparison, message: str, hint: str = "") -> Finding:
    return Finding(code, message, hint, comparison.offset, Severity.WARNING)


def _note(code: str, comparison: Comparison, message: str, hint: str = "") -> Finding:
    return Finding(code, message, hint, comparison.offset, Severity.INFO)


# Texts of Kubernetes that are numbers: comparing them by number is what one wants.
_NUMBERS_AS_TEXT: Final = ("ObjectRef.ResourceVersion",)

# Objects that are never anything else; bodies may be arrays, as JSON patches are.
_OBJECTS: Final = (
    "User", "ImpersonatedUser", "ObjectRef", "ResponseStatus", "AuthenticationMetadata", "Annotations",
    "User.Extra", "ImpersonatedUser.Extra",
)  # fmt: skip


def _by_kind(comparison: Comparison, field: Field) -> Iterator[Finding]:
    """A test that what the field holds cannot satisfy, or can hardly be meant for."""
    literal = comparison.operands[0] if comparison.operands else None
    is_order = comparison.operator in _ORDERS
    if field.name in _OBJECTS and not field.rest and comparison.operator is not Operator.EXISTS:
        yield _warning(
            "AW114",
            comparison,
            f"{spell(comparison)} can never be true: {field.name} is an object",
            f"compare something in it, as in {_member(field.name)}, or write {field.name} exists",
        )
    elif comparison.operator is Operator.TRUTH and field.kind in (*_TEXT_KINDS, Kind.NUMBER):
        what = "a number" if field.kind is Kind.NUMBER else "a text"
        yield _warning(
            "AW113",
            comparison,
            f"{field.name} is {what}, neither true nor false, so the rule fails where there is one",
            f"write {field.name} exists, or compare it with something",
        )
    elif (is_order or comparison.operator is Operator.EQUAL) and not isinstance(literal, Text):
        if field.kind in _TEXT_KINDS and field.name not in _NUMBERS_AS_TEXT:
            spelled = literal.spelling if isinstance(literal, Number) else str(getattr(literal, "value", "")).lower()
            what = "a number" if isinstance(literal, Number) else "true or false"
            yield _warning(
                "AW113",
                comparison,
                f"{field.name} is a text, and the rule fails for every text that is not {what}",
                f'compare it with a text: "{_cut(spelled)}"',
            )
        elif field.kind is Kind.NUMBER and isinstance(literal, Boolean):
            yield _warning(
                "AW113", comparison, f"{field.name} is a number, neither true nor false", "compare it with a number"
            )
    elif is_order and field.kind is Kind.NUMBER and isinstance(literal, Text):
        yield _warning(
            "AW113",
            comparison,
            f'the text "{_cut(literal.value)}" makes this a comparison of texts, in which "99" is larger than "403"',
            "write the number without quotes",
        )


def _member(name: str) -> str:
    members = {"Annotations": "Annotations.key", "ObjectRef": "ObjectRef.Name", "ResponseStatus": "ResponseStatus.Code"}
    return members.get(name, f"{name}.key" if name.endswith("Extra") else f"{name}.Username")


def _by_operator(comparison: Comparison, field: Field) -> Iterator[Finding]:
    """A test whose pattern, index or negation says something else than it seems to."""
    yield from _empty_selection(comparison)
    literal = comparison.operands[0] if len(comparison.operands) == 1 else None
    text = literal.value if isinstance(literal, Text) else None
    if (comparison.operator is Operator.LIKE and text is not None and text and not text.strip("*")) or (
        comparison.operator in (Operator.CONTAINS, Operator.REGEX) and text == ""
    ):
        outcome = "false" if comparison.negated else "true"
        where = "always" if field.kind is Kind.TEXT else f"wherever {spell_field(comparison)} is there,"
        yield _warning(
            "AW115",
            comparison,
            f"{spell(comparison)} is {where} {outcome}",
            f"write {spell_field(comparison)} {'not ' if comparison.negated else ''}exists, or what it has to match",
        )
    elif comparison.operator is Operator.LIKE and text is not None and not set(text) & set("*?"):
        yield _warning(
            "AW119",
            comparison,
            f'like "{_cut(text)}" has no wildcard, so the whole text must be exactly this',
            f'write {"!=" if comparison.negated else "="} "{_cut(text)}", or like "*{_cut(text)}*" for texts with it',
        )
    elif comparison.operator is Operator.REGEX and text is not None:
        plain = literal_of_regex(spell_field(comparison), text, negated=comparison.negated)
        if plain:
            yield _note("AW120", comparison, "no regular expression is needed here", f"write {plain}")
    if comparison.negated and any(isinstance(index, AnyElement) for index in _indexes(comparison)):
        yield from _negated_any(comparison)


def _negated_any(comparison: Comparison) -> Iterator[Finding]:
    positive = spell(Comparison(comparison.field, comparison.operator, comparison.operands))
    none = f"for none of them write not ({positive})"
    message = f"{_cut(spell(comparison))} is true as soon as some element is different"
    if comparison.operator is Operator.EXISTS:
        return
    path = comparison.field
    if isinstance(path, Path) and path.is_indexed:
        without = path.text.removesuffix("[*]")
        if len(_indexes(comparison)) == 1 and without != path.text:
            none = f"for none of them leave out the brackets: {spell(comparison).replace(path.text, without, 1)}"
        yield _warning("AW116", comparison, message, _cut_hint(none))
    else:
        yield _note("AW116", comparison, message, _cut_hint(none))


def _empty_selection(comparison: Comparison) -> Iterator[Finding]:
    for index in _indexes(comparison):
        if isinstance(index, Elements) and index.start == index.stop:
            yield _warning(
                "AW114",
                comparison,
                f"{spell(comparison)} can never be true: [{_cut(index.spelling)}] selects no element",
                "the end of a range is the first element after it: [0:1] is one element",
            )


_TIMESTAMPS: Final = ("RequestReceivedTimestamp", "StageTimestamp")
_CANONICAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
# What sorts as one expects in an order: the canonical form cut off between two of its parts.
_PREFIX: Final = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d{1,6})?)?)?)?)?)?", re.ASCII)

_WORDS: Final = {
    "Stage": ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"),
    "Level": ("Metadata", "Request", "RequestResponse"),
}
_LOWER_CASE: Final = ("Verb", "ObjectRef.Resource", "ObjectRef.Subresource")
_SINGULARS: Final = {
    word: f"{word}s"
    for word in (
        "pod", "service", "secret", "configmap", "node", "namespace", "deployment", "daemonset", "statefulset", "job",
        "cronjob", "role", "rolebinding", "clusterrole", "clusterrolebinding", "serviceaccount", "event",
        "persistentvolume", "persistentvolumeclaim", "replicaset", "customresourcedefinition",
    )
} | {"ingress": "ingresses", "networkpolicy": "networkpolicies", "endpoint": "endpoints"}  # fmt: skip


def _by_value(comparison: Comparison, field: Field) -> Iterator[Finding]:
    """A literal that no event has in this field."""
    exact = comparison.operator in (Operator.EQUAL, Operator.IN)
    for literal in comparison.operands:
        if not isinstance(literal, Text):
            continue
        if field.name in _TIMESTAMPS:
            is_order = comparison.operator in _ORDERS
            if (exact or is_order) and not _CANONICAL.fullmatch(literal.value):
                if is_order and _PREFIX.fullmatch(literal.value):
                    continue
                yield _warning(
                    "AW118",
                    comparison,
                    f'"{_cut(literal.value)}" does not have the form timestamps are compared in',
                    f"write 2026-11-21T22:05:00.000000Z: UTC, six digits, Z{_in_order(is_order=is_order)}",
                )
        elif exact:
            yield from _unheard_of(comparison, field, literal.value)


def _in_order(*, is_order: bool) -> str:
    return "; in an order also its beginning, as in 2026-11-21" if is_order else ""


def _unheard_of(comparison: Comparison, field: Field, value: str) -> Iterator[Finding]:
    hint = ""
    if field.name in _WORDS and value not in _WORDS[field.name]:
        meant = next((word for word in _WORDS[field.name] if word.lower() == value.lower()), "")
        hint = f'write "{meant}"' if meant else f"it is one of {', '.join(_WORDS[field.name])}"
    elif field.name in _LOWER_CASE and value != value.lower():
        hint = f'write "{_SINGULARS.get(value.lower(), value.lower())}": it is lower case in every event'
    elif field.name == "ObjectRef.Resource" and "/" in value:
        resource, _, subresource = value.partition("/")
        hint = f'write ObjectRef.Resource = "{resource}" and ObjectRef.Subresource = "{subresource}"'
    elif field.name == "ObjectRef.Resource" and value in _SINGULARS:
        hint = f'write "{_SINGULARS[value]}": resources are named in the plural'
    if hint:
        yield _warning("AW121", comparison, f'no event has the {field.name} "{_cut(value)}"', _cut_hint(hint))


def _missing(comparison: Comparison, field: Field, *, is_asked: bool) -> Iterator[Finding]:
    """A negated test that is false, too, where its field is missing."""
    if not comparison.negated or field.kind is Kind.TEXT:
        return
    positive = spell(Comparison(comparison.field, comparison.operator, comparison.operands))
    indexed = bool(_indexes(comparison))
    if comparison.operator is Operator.EXISTS:
        if indexed:
            yield _warning(
                "AW117",
                comparison,
                "below an index, not exists is false where the field is missing",
                _cut_hint(f"write not ({positive}): no element has it"),
            )
        return
    if not indexed and not is_asked:
        yield _note(
            "AW117",
            comparison,
            f"{_cut(spell(comparison))} is false where there is no {spell_field(comparison)}",
            _cut_hint(f"if those events are meant too, write not ({positive})"),
        )


def spell_field(comparison: Comparison) -> str:
    """The field of a comparison as it was written."""
    return comparison.field.text if isinstance(comparison.field, Path) else f"${{{comparison.field.name}}}"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"


def _cut_hint(hint: str) -> str:
    return hint if len(hint) <= _LONGEST_HINT else hint[:_LONGEST_HINT] + "…"
