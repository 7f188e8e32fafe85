"""Text of strangers cannot steer a terminal, turn a line around or fake one."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire_cli.terminal.escaping import printable, printable_block, printable_json

HOSTILE = {
    "escape sequence": ("\x1b[2J", r"\u001b[2J"),
    "line break": ("a\nb\rc", r"a\nb\rc"),
    "C1 control sequence": ("\x9b31m", r"\u009b31m"),
    "right-to-left override": ("gpj.\u202eexe", r"gpj.\u202eexe"),
    "isolate": ("\u2066x\u2069", r"\u2066x\u2069"),
    "zero width": ("ad\u200bmin", r"ad\u200bmin"),
    "byte-order mark": ("\ufeffadmin", r"\ufeffadmin"),
    "line separator": ("a\u2028b", r"a\u2028b"),
    "tag characters": ("a\U000e0041", r"a\U000e0041"),
    "lone surrogate": ("\udc80", r"\udc80"),
    "delete": ("\x7f", r"\u007f"),
    "no-break space": ("a\xa0b", r"a\u00a0b"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_not_safe_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["", "pods/web-1", "Jürgen", "管理员", "عمر", "naïve 😀"])
def test_words_of_every_language_stay(text: str) -> None:
    assert printable(text) == printable_block(text) == text


def test_a_block_keeps_line_breaks_and_tabs() -> None:
    assert printable_block("a\tb\n\x1b[1mc\r\n") == "a\tb\n\\u001b[1mc\\r\n"


@given(st.text())
def test_nothing_that_is_not_safe_comes_through(text: str) -> None:
    assert printable(text).isprintable()
    assert all(line.replace("\t", "").isprintable() for line in printable_block(text).split("\n"))


@given(st.text(alphabet=st.characters()))
def test_escaped_json_has_the_same_value(text: str) -> None:
    shown = printable_json(json.dumps({text: [text]}, ensure_ascii=False))

    assert shown.isprintable()
    assert json.loads(shown) == {text: [text]}


def test_no_control_or_format_character_is_printable() -> None:
    """What ``str.isprintable`` is relied upon for."""
    unsafe = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

    assert not [
        code for code in range(0x110000) if unicodedata.category(chr(code)) in unsafe and chr(code).isprintable()
    ]
