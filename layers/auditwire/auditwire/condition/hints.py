"""What people write by habit of other languages, and what to write instead."""

import re
from collections.abc import Sequence
from typing import Final

from auditwire.condition.quoting import blank_out
from auditwire.condition.syntax import SPELLINGS, Operands, Operator
from auditwire.documents.nearest import nearest


def one_of(words: Sequence[str]) -> str:
    """The words with commas and ``or`` between them."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


_WORDS: Final = tuple(one for one in Operator if one.is_word)
_BEFORE_A_VALUE: Final = ("=", "!=", *(one.value for one in _WORDS if one.operands is not Operands.NONE))
_NEGATIVE_WORDS: Final = tuple(one.value for one in _WORDS if one.negative)
_WRONG_CASE: Final = "|".join(spelled for word in _WORDS for spelled in (word.upper(), word.title()))

# Where an operator is expected: words of other languages, tried in order.
_INSTEAD_OF_OPERATOR: Final[tuple[tuple[str, str], ...]] = (
    (r"(?:AND|And|&&?)", "compare the field with something first, or write `exists`"),
    (r"not_?in\b|notin\b|nin\b|NOT\s+IN\b|Not\s+In\b", 'write `not in ("…", "…")`'),
    (r"(?:not|NOT|Not)\b", f"after not stands {one_of(_NEGATIVE_WORDS)}; not equal is !="),
    (rf"(?:{_WRONG_CASE})\b", "keywords are lower case"),
    (r"is\s+not\b|isnot\b|is_not\b|ne\b|neq\b|not_?equals?\b|<>", "write `!=`"),
    (r"(?:eq|equals?|is|equal_to)\b|:=?", "write `=`"),
    (r"start(?:s|_?with)?\b|begins?(?:_?with)?\b|(?i:has_?prefix|starts_?with)\b", 'write `startswith "text"`'),
    (r"end(?:s|_?with)?\b|(?i:has_?suffix|ends_?with)\b", 'write `endswith "text"`'),
    (r"has\b|includes?\b", 'write `contains "…"`'),
    (r"icontains\b", 'write `lower(Field) contains "…"`, with the text in lower case'),
    (r"=~|~[=~*]?|match(?:es)?\b|rlike\b", 'write `regex "…"`'),
    (r"gte?\b", "write `>` or `>=`"),
    (r"lte?\b", "write `<` or `<=`"),
    (r"cidr\b|in_?cidr\b", 'write `within ("10.0.0.0/8")`'),
    (r"\[\s*-", "an index counts from the start: [0], [1:3], [*]"),
    (r"\[\s*[\"']", 'a key in brackets stands in double quotes, without spaces: Annotations["a/b"]'),
    (r"\.\s*\[", "no dot stands before a bracket"),
    (r"\[", "an index is written without spaces: [*], [0], [1:3]"),
    (r"\(", "there is no function but lower(Field): a field is compared with an operator"),
    (r"/", 'a key with a slash is written in brackets and quotes: Annotations["a/b"]'),
)

# Where a value is expected.
_INSTEAD_OF_VALUE: Final[tuple[tuple[str, str], ...]] = (
    (r"'", 'texts stand in double quotes: "…"'),
    (r"[\u201c\u201d\u2018\u2019\u201e]", 'typographic quotes are not quotes: write "…"'),
    (r"(?:null|nil|None|undefined)\b", "write `not exists`, or `exists` for the opposite"),
    (r"\$\{", "only in and within take a reference: Field in ${list}"),
    (r"\(", "a list of values stands after in and within"),
    (r"\[", 'lists stand in parentheses: ("a", "b")'),
    (r"[+.]\d", "a number is digits with a fraction at most: 5, -5, 0.5"),
)

# Everywhere else.
_ANYWHERE: Final[tuple[tuple[str, str], ...]] = (
    (r"AND\b|And\b|&&?", "write `and`: keywords are lower case"),
    (r"OR\b|Or\b|\|\|?", "write `or`: keywords are lower case"),
    (r"NOT\b|Not\b", "write `not`: keywords are lower case"),
    (r"'", 'texts stand in double quotes: "…"'),
    (r"[\u201c\u201d\u2018\u2019\u201e]", 'typographic quotes are not quotes: write "…"'),
    (r"\$\(", "a reference is written ${name}"),
    (r"\$\{|\{|\$", "a reference is written ${name}, without spaces"),
    (r"\[", 'lists stand in parentheses: ("a", "b"); an index is written without spaces: [*], [0], [1:3]'),
    (r"#|//|--", "conditions have no comments: use the rule's desc"),
    (r"[\u00a0\u3000\ufeff\u200b\x0b\x0c]", "this is a character that only looks like a space: retype it"),
    (r"/", 'a key with a slash is written in brackets and quotes: Annotations["a/b"]'),
    (r"xor\b", "there is no xor: write (a or b) and (not (a and b))"),
    (r"[eE][+-]?\d", "a number is digits with a fraction at most: write 1000 for 1e3"),
    (r"[+*%-]", "there is no arithmetic: compare with the number itself"),
)

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.*/:-]*")
_MAX_WORD_LENGTH: Final = 40


def is_operator_expected(expected: set[str]) -> bool:
    """Whether what the parser expects follows a field: ``=`` does, and never stands behind ``not``."""
    return Operator.EQUAL.name in expected


def hint_at(text: str, offset: int, expected: set[str]) -> str:
    """What to write instead of what stands at ``offset``, where the parser expected one of ``expected``."""
    brackets = _hint_of_parentheses(text, offset, expected)
    if brackets or offset >= len(text):
        return brackets
    word = _WORD.match(text, offset)
    if Operator.IN.name in expected and not is_operator_expected(expected) and text[offset] in "=<>":
        return "write `!=`, or not (…) around the whole test"
    if Operator.IN.name in expected:
        known = _first(_INSTEAD_OF_OPERATOR, text, offset)
        return known or (_nearest(word, tuple(SPELLINGS)) if word else "") or _first(_ANYWHERE, text, offset) or (
            f"between a field and a value stands an operator: {one_of(_BEFORE_A_VALUE)}" if word else ""
        )  # fmt: skip
    if "STRING" in expected:
        known = _first(_INSTEAD_OF_VALUE, text, offset)
        if word and not known:
            return _hint_of_bare_value(word[0])
        return known or _first(_ANYWHERE, text, offset)
    if text[offset] == '"':
        return (
            "items of a list are separated by commas" if "COMMA" in expected
            else "a field stands on the left of an operator, a value on its right" if "PATH" in expected else ""
        )  # fmt: skip
    if text[offset] == "," and "AND" in expected:
        return "two tests are joined with `and` or `or`"
    known = _first(_ANYWHERE, text, offset)
    if known or not word:
        return known
    if "AND" in expected:
        return _nearest(word, ("and", "or")) or "two tests are joined with `and` or `or`"
    return "a test begins with a field" if "PATH" in expected else ""


def _hint_of_parentheses(text: str, offset: int, expected: set[str]) -> str:
    if offset >= len(text):
        return "something is missing at the end" if "PATH" in expected and text.strip() else ""
    if text[offset] == ")" and text.count(")") > text.count("("):
        return "there is no opening parenthesis for this one"
    if text[offset] == ")" and "STRING" in expected:
        return "an item is missing, or there is a comma too many"
    if text[offset] == '"' and "LPAR" in expected and "REFERENCE" in expected and "PATH" not in expected:
        return 'a list stands in parentheses: ("a", "b")'
    return ""


_SIGNS: Final = "=<>!~"
_MEANT: Final = {"=<": "<=", "=>": ">=", "!==": "!=", "=!": "!=", "<>": "!=", "=~": 'regex "…"', "!=~": 'not regex "…"'}


def operator_run(text: str, offset: int) -> tuple[int, str, str] | None:
    """Signs around ``offset`` that are no operator together: where they begin, what they are, what may be meant."""
    start = stop = offset
    while start and text[start - 1] in _SIGNS:
        start -= 1
    while stop < len(text) and text[stop] in _SIGNS:
        stop += 1
    signs = text[start:stop]
    return None if offset in (start, stop) else (start, signs, f"`{_MEANT.get(signs, '=')}`")


def unclosed_parenthesis(text: str) -> int | None:
    """The innermost parenthesis that is opened and never closed; those in texts do not count."""
    opened = []
    for position, character in enumerate(blank_out(text)):
        if character == "(":
            opened.append(position)
        elif character == ")" and opened:
            opened.pop()
    return opened[-1] if opened else None


def _hint_of_bare_value(word: str) -> str:
    if word.lower() in ("true", "false"):
        return f'write "{word}": items are texts and numbers'
    return (
        f'a text stands in double quotes: "{word if len(word) <= _MAX_WORD_LENGTH else word[:_MAX_WORD_LENGTH] + "…"}"'
    )


def _first(hints: tuple[tuple[str, str], ...], text: str, offset: int) -> str:
    return next((hint for pattern, hint in hints if re.compile(pattern).match(text, offset)), "")


def _nearest(word: re.Match[str], words: tuple[str, ...]) -> str:
    near = nearest(word[0], words)
    return f"did you mean `{near}`?" if near else ""
