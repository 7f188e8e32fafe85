"""Tests that do not mean what they seem to, one comparison at a time: warnings and notes."""

from collections.abc import Iterator
from typing import Final

from auditwire.condition.elements import ELEMENT_FIELDS
from auditwire.condition.errors import Finding
from auditwire.condition.evaluate import root_index_of
from auditwire.condition.fields import Field, FieldTable, Kind
from auditwire.condition.literals import unheard_of
from auditwire.condition.patterns import literal_of_regex
from auditwire.condition.precedence import spell
from auditwire.condition.remarks import MAX_FINDINGS, cut, cut_hint, note, warning
from auditwire.condition.syntax import (
    ORDERS,
    AnyElement,
    AnyOf,
    Boolean,
    Comparison,
    Elements,
    Expression,
    Index,
    Not,
    Number,
    Operands,
    Operator,
    Path,
    Text,
    children,
)

_TEXT_KINDS: Final = (Kind.TEXT, Kind.OPTIONAL_TEXT, Kind.TEXTS)


def doubtful(expression: Expression, fields: FieldTable) -> list[Finding]:
    """The warnings and notes about single tests of an expression, in the order of its text.

    AW113 to AW121 without AW114 of whole conditions. Fields and items are put in already; macros are left as
    references and looked at where they are defined.
    """
    tests = [
        (comparison, field, is_denied)
        for comparison, of, is_denied in single_tests(expression, fields)
        if (field := _field(comparison, of)) is not None
    ]
    asked = {_key(comparison, field) for comparison, field, _ in tests if comparison.operator is Operator.EXISTS}
    findings: list[Finding] = []
    for comparison, field, is_denied in tests:
        if len(findings) >= MAX_FINDINGS:
            break
        found = [
            *_by_kind(comparison, field),
            *_by_operator(comparison, field),
            *unheard_of(comparison, field),
        ]
        if not found and not is_denied:
            found += _missing(comparison, field, is_asked=_key(comparison, field) in asked)
        findings += found
    return findings


def single_tests(
    node: Expression, fields: FieldTable, *, is_denied: bool = False
) -> Iterator[tuple[Comparison, FieldTable, bool]]:
    """Every comparison with the fields it is about, and whether it is denied."""
    if isinstance(node, Comparison):
        yield node, fields, is_denied
    if isinstance(node, AnyOf):
        yield from single_tests(node.condition, ELEMENT_FIELDS, is_denied=is_denied)
    for operand in children(node):
        yield from single_tests(operand, fields, is_denied=is_denied is not isinstance(node, Not))


def _field(comparison: Comparison, fields: FieldTable) -> Field | None:
    field = fields.resolve(comparison.field) if isinstance(comparison.field, Path) else None
    return field if isinstance(field, Field) else None


def _key(comparison: Comparison, field: Field) -> tuple[object, ...]:
    return (field.name, _root_index(comparison, field), field.rest)


def _root_index(comparison: Comparison, field: Field) -> Index | None:
    index: Index | None = root_index_of(comparison.field, field) if isinstance(comparison.field, Path) else None
    return index


def _has_pattern(comparison: Comparison) -> bool:
    return isinstance(comparison.field, Path) and comparison.field.has_pattern


def _indexes(comparison: Comparison) -> list[Index]:
    path = comparison.field
    return [segment.index for segment in path.segments if segment.index] if isinstance(path, Path) else []


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
    is_order = comparison.operator in ORDERS
    if field.name in _OBJECTS and not field.rest and comparison.operator is not Operator.EXISTS:
        yield warning(
            "AW114",
            comparison,
            f"{spell(comparison)} can never be true: {field.name} is an object",
            f"compare something in it, as in {_member(field.name)}, or write {field.name} exists",
        )
    elif comparison.operator is Operator.TRUTH and field.kind in (*_TEXT_KINDS, Kind.NUMBER):
        what = "a number" if field.kind is Kind.NUMBER else "a text"
        yield warning(
            "AW113",
            comparison,
            f"{field.name} is {what}, neither true nor false, so the rule fails where there is one",
            f"write {field.name} exists, or compare it with something",
        )
    elif (is_order or comparison.operator is Operator.EQUAL) and not isinstance(literal, Text):
        if field.kind in _TEXT_KINDS and field.name not in _NUMBERS_AS_TEXT:
            spelled = literal.spelling if isinstance(literal, Number) else str(getattr(literal, "value", "")).lower()
            what = "a number" if isinstance(literal, Number) else "true or false"
            yield warning(
                "AW113",
                comparison,
                f"{field.name} is a text, and the rule fails for every text that is not {what}",
                f'compare it with a text: "{cut(spelled)}"',
            )
        elif field.kind is Kind.NUMBER and isinstance(literal, Boolean):
            yield warning(
                "AW113", comparison, f"{field.name} is a number, neither true nor false", "compare it with a number"
            )
    elif is_order and field.kind is Kind.NUMBER and isinstance(literal, Text):
        yield warning(
            "AW113",
            comparison,
            f'the text "{cut(literal.value)}" makes this a comparison of texts, in which "99" is larger than "403"',
            "write the number without quotes",
        )


def _member(name: str) -> str:
    members = {"ObjectRef": "ObjectRef.Name", "ResponseStatus": "ResponseStatus.Code"}
    has_any_key = name == "Annotations" or name.endswith("Extra")
    return f'{name}["key"]' if has_any_key else members.get(name, f"{name}.Username")


def _by_operator(comparison: Comparison, field: Field) -> Iterator[Finding]:
    """A test whose pattern, index or negation says something else than it seems to."""
    yield from _empty_selection(comparison)
    literal = comparison.operands[0] if len(comparison.operands) == 1 else None
    text = literal.value if isinstance(literal, Text) else None
    if text is not None and _is_in_every_text(comparison.operator, text):
        outcome = "false" if comparison.negated else "true"
        where = "always" if field.kind is Kind.TEXT else f"wherever {spell_field(comparison)} is there,"
        yield warning(
            "AW115",
            comparison,
            f"{spell(comparison)} is {where} {outcome}",
            f"write {spell_field(comparison)} {'not ' if comparison.negated else ''}exists, or what it has to match",
        )
    elif comparison.operator is Operator.LIKE and text is not None and not set(text) & set("*?"):
        yield warning(
            "AW119",
            comparison,
            f'like "{cut(text)}" has no wildcard, so the whole text must be exactly this',
            f'write {"!=" if comparison.negated else "="} "{cut(text)}", or like "*{cut(text)}*" for texts with it',
        )
    elif comparison.operator is Operator.REGEX and text is not None:
        plain = literal_of_regex(spell_field(comparison), text, negated=comparison.negated)
        if plain:
            yield note("AW120", comparison, "no regular expression is needed here", f"write {plain}")
    if comparison.negated and (
        _has_pattern(comparison) or any(isinstance(index, AnyElement) for index in _indexes(comparison))
    ):
        yield from _negated_any(comparison)


def _is_in_every_text(operator: Operator, part: str) -> bool:
    """Whether an operator that looks for part of a text holds for every text."""
    if operator is Operator.LIKE:
        return bool(part) and not part.strip("*")
    return part == "" and operator.operands in (Operands.WORDING, Operands.TEXT)


def _negated_any(comparison: Comparison) -> Iterator[Finding]:
    positive = spell(comparison.positive)
    none = f"for none of them write not ({positive})"
    what = "value" if _has_pattern(comparison) else "element"
    message = f"{cut(spell(comparison))} is true as soon as some {what} is different"
    if comparison.operator is Operator.EXISTS:
        return
    path = comparison.field
    if isinstance(path, Path) and path.is_indexed:
        without = path.text.removesuffix("[*]")
        if len(_indexes(comparison)) == 1 and without != path.text:
            none = f"for none of them leave out the brackets: {spell(comparison).replace(path.text, without, 1)}"
        yield warning("AW116", comparison, message, cut_hint(none))
    else:
        yield note("AW116", comparison, message, cut_hint(none))


def _empty_selection(comparison: Comparison) -> Iterator[Finding]:
    for index in _indexes(comparison):
        if isinstance(index, Elements) and index.start == index.stop:
            yield warning(
                "AW114",
                comparison,
                f"{spell(comparison)} can never be true: [{cut(index.spelling)}] selects no element",
                "the end of a range is the first element after it: [0:1] is one element",
            )


def _missing(comparison: Comparison, field: Field, *, is_asked: bool) -> Iterator[Finding]:
    """A negated test that is false, too, where its field is missing."""
    if not comparison.negated or field.kind is Kind.TEXT:
        return
    positive = spell(comparison.positive)
    indexed = bool(_indexes(comparison)) or _has_pattern(comparison)
    if comparison.operator is Operator.EXISTS:
        if indexed and not _has_pattern(comparison):
            yield warning(
                "AW117",
                comparison,
                "below an index, not exists is false where the field is missing",
                cut_hint(f"write not ({positive}): no element has it"),
            )
        return
    if not indexed and not is_asked:
        yield note(
            "AW117",
            comparison,
            f"{cut(spell(comparison))} is false where there is no {spell_field(comparison)}",
            cut_hint(f"if those events are meant too, write not ({positive})"),
        )


def spell_field(comparison: Comparison) -> str:
    """The field of a comparison as it was written."""
    field = comparison.field.text if isinstance(comparison.field, Path) else f"${{{comparison.field.name}}}"
    return f"lower({field})" if comparison.lowered else field
