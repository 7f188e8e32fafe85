"""The operators: each comparison becomes one test of one value.

A test takes decoded JSON that is not null and answers whether the comparison holds for it. Arrays and missing
values are dealt with around the test, the same way for every operator (``holds``).
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import re2

from auditwire.condition.errors import EvaluationError
from auditwire.condition.networks import membership
from auditwire.condition.syntax import Boolean, Comparison, Literal, Number, Operator, Reference, Text
from auditwire.condition.values import is_present, number_of, parse_number, text_of, truth_of

Test = Callable[[Any], bool]

_ORDER: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: operator.eq,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
}

_MAX_PATTERN_MEMORY: Final = 8 << 20
MAX_SET_INSTRUCTIONS: Final = 1_000
"""Larger patterns are in no set: a set reads every text to its end, which is the worst such patterns can do."""
_SURROGATE: Final = "the value holds a lone surrogate, which no regular expression can match"


class PatternError(ValueError):
    """A regular expression RE2 refuses; the message is RE2's own."""


def positive_test(comparison: Comparison) -> Test:
    """The test of a comparison without its negation.

    Raises ``PatternError`` for a regular expression RE2 refuses, ``NetworkError`` for what is no network. Calling the
    test raises ``EvaluationError`` for a value it cannot judge.
    """
    test = _test(comparison)
    return (lambda value: test(text_of(value).lower())) if comparison.lowered else test


def _test(comparison: Comparison) -> Test:
    if comparison.operator is Operator.TRUTH:
        return truth_of
    if comparison.operator is Operator.EXISTS:
        return is_present
    literals = [operand for operand in comparison.operands if isinstance(operand, Text | Number | Boolean)]
    if comparison.operator is Operator.IN:
        return _membership(literals)
    if comparison.operator is Operator.WITHIN:
        is_in = membership(map(spelling, literals))
        return lambda value: is_in(value if type(value) is str else text_of(value))
    if comparison.operator in _ORDER:
        return _comparison(_ORDER[comparison.operator], literals[0])
    return _OF_TEXT[comparison.operator](spelling(literals[0]))


def holds(test: Test, value: Any, *, negated: bool, inside_array: bool = False) -> bool:
    """Whether a comparison holds for what a path found.

    Null and missing: false, negated or not. An array stands for its elements: some element for a positive
    operator, no element for a negative one; nulls in it do not count, and an empty one is false either way. An
    object outside arrays is a set of longer paths, so it is missing itself.
    """
    if type(value) is str:
        return test(value) is not negated
    if value is None:
        return False
    if isinstance(value, list):
        elements = list(elements_of(value))
        return bool(elements) and any(map(test, elements)) is not negated
    if isinstance(value, dict) and not inside_array:
        return False
    return test(value) is not negated


def exists_in_array(value: Any, *, negated: bool) -> bool:
    """``exists`` and ``not exists`` inside an array, where a missing value is false either way, as in KubeSphere."""
    return value is not None and is_present(value) is not negated


def elements_of(array: list[Any]) -> Iterator[Any]:
    """The values of an array and of the arrays in it, in order, without nulls."""
    pending = [iter(array)]
    while pending:
        for element in pending[-1]:
            if isinstance(element, list):
                pending.append(iter(element))
                break
            if element is not None:
                yield element
        else:
            pending.pop()


def _membership(literals: list[Literal]) -> Test:
    wanted = frozenset(spelling(literal) for literal in literals)
    return lambda value: (value if type(value) is str else text_of(value)) in wanted


def _comparison(compare: Callable[[Any, Any], bool], literal: Literal) -> Test:
    if isinstance(literal, Boolean):
        truth = literal.value
        return lambda value: truth_of(value) is truth
    if isinstance(literal, Text):
        text = literal.value
        return lambda value: compare(value if type(value) is str else text_of(value), text)
    number = parse_number(literal.spelling)
    if number is None:
        return _unjudgeable
    return lambda value: compare(number_of(value), number)


def _unjudgeable(value: Any) -> bool:
    raise EvaluationError("the condition compares with a number that does not fit a 64-bit float")


def _contains_test(part: str) -> Test:
    return lambda value: part in (value if type(value) is str else text_of(value))


def like_test(pattern: str) -> Test:
    """``like``: the whole text, ``*`` any run of characters, ``?`` one character, everything else itself.

    Texts between stars become string methods; patterns with ``?`` RE2. Both take linear time whatever the pattern, as
    the backtracking of ``re`` would not.
    """
    if "?" in pattern:
        parts = [re2.escape(part) if part not in "*?" else ".*" if part == "*" else "." for part in pattern]
        return _search(rf"(?s)\A(?:{''.join(parts)})\z")
    return stars_test(pattern)


def stars_test(pattern: str) -> Test:
    """Whether the whole text matches, with ``*`` for any run of characters and everything else itself."""
    head, *middle = pattern.split("*")
    if not middle:
        return lambda value: (value if type(value) is str else text_of(value)) == pattern
    tail = middle.pop()
    middle = [part for part in middle if part]
    if not head and not tail and len(middle) == 1:
        inner = middle[0]
        return lambda value: inner in (value if type(value) is str else text_of(value))
    return lambda value: _follow(value if type(value) is str else text_of(value), head, middle, tail)


def _follow(text: str, head: str, middle: list[str], tail: str) -> bool:
    """Whether a text begins with ``head``, ends with ``tail``, and has the parts in between in this order.

    Taking the first occurrence of each part leaves the most for the rest, so nothing is ever tried twice.
    """
    position, end = len(head), len(text) - len(tail)
    if position > end or not text.startswith(head) or not text.endswith(tail):
        return False
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def regex_test(pattern: str) -> Test:
    r"""``regex``: RE2, unanchored, no flags. ``\C`` (one byte) and ``(?<n>…)`` are refused, as Go refuses them."""
    for refused, meaning in ((r"\C", "a single byte"), ("(?<", "a named group")):
        if _stands_unescaped(pattern, refused):
            raise PatternError(f"{meaning} cannot be written as {refused}")
    return _search(pattern)


def _stands_unescaped(pattern: str, part: str) -> bool:
    position = pattern.find(part)
    while position >= 0:
        backslashes = len(pattern[:position]) - len(pattern[:position].rstrip("\\"))
        if backslashes % 2 == 0:
            return True
        position = pattern.find(part, position + 1)
    return False


def pattern_size(pattern: str) -> int:
    """The instructions RE2 needs for a pattern. Raises ``PatternError`` for one it refuses."""
    return int(_compiled(pattern).programsize)


def search_of_all(patterns: Mapping[str, Test]) -> Callable[[str], frozenset[int]]:
    """A search for several regular expressions in one pass: the positions of those found in a text.

    ``patterns`` are expressions with the test of each (``regex_test``). The search raises ``EvaluationError`` as these
    tests do.
    """
    alone = list(patterns.values())
    together = re2.Set.SearchSet(_options())
    # A set that runs out of memory answers as if it had found nothing. The empty pattern stands in every text, so its
    # absence tells; then the patterns are searched for one by one.
    always = len(patterns)
    for pattern in (*patterns, ""):
        together.Add(pattern)
    try:
        together.Compile()
    except re2.error:
        together = None

    def search(text: str) -> frozenset[int]:
        try:
            found = None if together is None else together.Match(text)
        except UnicodeEncodeError:
            raise EvaluationError(_SURROGATE) from None
        if found is None or always not in found:
            return frozenset(position for position, test in enumerate(alone) if test(text))
        return frozenset(found) - {always}

    return search


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    # Only whether there is a match counts. Finding what groups captured costs up to 25 times as much on hostile texts.
    options.never_capture = True
    options.max_mem = _MAX_PATTERN_MEMORY
    return options


def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern, options=_options())
    except re2.error as error:
        detail = error.args[0] if error.args else ""
        raise PatternError(detail.decode() if isinstance(detail, bytes) else str(detail)) from None


def _search(pattern: str) -> Test:
    """Whether RE2 finds the pattern. A set of one answers in a third of the time: it says nothing about where."""
    compiled = _compiled(pattern)

    def found_alone(text: str) -> bool:
        return compiled.search(text) is not None

    search: Callable[[str], bool] = found_alone

    def found_first(text: str) -> bool:
        nonlocal search
        search = _quick_search(pattern, found_alone)
        return search(text)

    if compiled.programsize <= MAX_SET_INSTRUCTIONS:
        search = found_first

    def found(value: Any) -> bool:
        try:
            return search(value if type(value) is str else text_of(value))
        except UnicodeEncodeError:
            raise EvaluationError(_SURROGATE) from None

    return found


def _quick_search(pattern: str, alone: Callable[[str], bool]) -> Callable[[str], bool]:
    """The same search by a set; by ``alone`` where the set runs out of memory, see ``search_of_all``."""
    together = re2.Set.SearchSet(_options())
    together.Add(pattern)
    always = together.Add("")
    try:
        together.Compile()
    except re2.error:
        return alone
    match = together.Match

    def search(text: str) -> bool:
        found = match(text)
        return len(found) > 1 if found and always in found else alone(text)

    return search


_OF_TEXT: Final[dict[Operator, Callable[[str], Test]]] = {
    Operator.CONTAINS: _contains_test,
    Operator.LIKE: like_test,
    Operator.REGEX: regex_test,
    Operator.STARTSWITH: lambda start: (
        lambda value: (value if type(value) is str else text_of(value)).startswith(start)
    ),
    Operator.ENDSWITH: lambda end: lambda value: (value if type(value) is str else text_of(value)).endswith(end),
}
"""What makes the test of an operator that compares a value's text with one text."""


def spelling(literal: Literal | Reference) -> str:
    """The text that ``in``, ``contains``, ``like`` and ``regex`` go by."""
    if isinstance(literal, Number):
        return literal.spelling
    if isinstance(literal, Boolean):
        return "true" if literal.value else "false"
    return literal.value if isinstance(literal, Text) else ""
