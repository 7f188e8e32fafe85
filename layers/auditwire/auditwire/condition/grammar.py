"""The grammar of conditions: ``grammar.lark`` with the operators of ``syntax.py`` put in."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final

from lark import Lark

from auditwire.condition.quoting import LITERAL, REFERENCE
from auditwire.condition.syntax import Operands, Operator

_BOOLEANS: Final = ("true", "True", "TRUE", "false", "False", "FALSE")
RESERVED: Final = (
    "and", "or", "not", *(one.value for one in Operator if one.is_word and one.in_kubesphere), *_BOOLEANS
)  # fmt: skip
"""Words that name no field when they stand alone: those that KubeSphere reserves, and no others."""

END_OF_WORD: Final = r"(?![A-Za-z0-9_.\-\[])"
"""A keyword ends where a name would go on: ``order``, ``not-before`` and ``a.in`` are names, ``1and`` is 1 and."""

WRITTEN: Final = {one.name: one for one in Operator if one is not Operator.TRUTH}
"""The operators by the name of their terminal."""


def parser(**options: Any) -> Lark:
    """A parser of conditions."""
    return Lark(_text(), parser="lalr", lexer="contextual", start="start", **options)


@cache
def _text() -> str:
    rules = files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return "\n".join([rules, *_from_tables()])


def _from_tables() -> Iterator[str]:
    """A rule for each kind of operator and the terminals it is made of; the terminals that are spelled elsewhere."""
    for kind in Operands:
        names = [one.name for one in WRITTEN.values() if one.operands is kind]
        negative = [f"NOT_{name}" for name in names if not WRITTEN[name].is_word and WRITTEN[name].negative]
        yield f"_{kind.name.lower()}: {' | '.join([*names, *negative])}"
    for name, one in WRITTEN.items():
        if one.is_word:
            yield f"{name}.2: {_quoted(one.value)} _END_OF_WORD"
            continue
        yield f"{name}: {' | '.join(map(_quoted, (*one.synonyms, one.value)))}"
        if one.negative:
            yield f"NOT_{name}: {_quoted(one.negative)}"
    yield f"STRING: /{LITERAL.pattern}/"
    yield f"REFERENCE: /{REFERENCE.pattern}/"
    yield f"BOOLEAN.2: /{'|'.join(_BOOLEANS)}/ _END_OF_WORD"
    # A field may be called any: the word is ours where another field stands behind it, and neither operator nor
    # connective.
    words = "|".join(("and", "or", "not", *(one.value for one in Operator if one.is_word)))
    yield rf"ANY.3: /any(?=[ \t\r\n]+(?!(?:{words}){END_OF_WORD})[A-Za-z_$])/"
    yield f"_END_OF_WORD: /{END_OF_WORD}/"
    yield f"_NO_RESERVED_WORD: /(?!(?:{'|'.join(RESERVED)}){END_OF_WORD})/"


def _quoted(word: str) -> str:
    return f'"{word}"'
