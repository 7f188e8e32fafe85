import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.events.one_line import one_line


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain text with ünï 名前 and 🎉", "plain text with ünï 名前 and 🎉"),
        ("two\nlines\r\n\tand a tab", r"two\nlines\r\n\tand a tab"),
        ("\x00\x1b[31mred\x7f\x85", r"\u0000\u001b[31mred\u007f\u0085"),
        ("safe\u202etxt.exe", r"safe\u202etxt.exe"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\ufffe\uffff", r"\ufffe\uffff"),
        ("\ud800", r"\ud800"),
        ("line\u2028separator", r"line\u2028separator"),
        ("DOMAIN\\user", "DOMAIN\\user"),
        ("wide\u3000space", r"wide\u3000space"),
        ("no\xa0break", r"no\u00a0break"),
        ("tag\U000e0041", r"tag\U000e0041"),
    ],
)
def test_what_is_not_printable_is_shown_as_an_escape(value: str, line: str) -> None:
    assert one_line(value) == line


@given(st.text())
def test_a_line_is_printable_whatever_was_sent(text: str) -> None:
    assert one_line(text).isprintable()
    assert one_line(one_line(text)) == one_line(text)
