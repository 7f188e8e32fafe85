"""Results on standard output, remarks on standard error, and nothing that steers a terminal."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from auditwire_cli.errors import UsageError
from auditwire_cli.terminal.output import confirm, counted, show, show_json, show_json_line, tell, terminal_width

EVENT = {"user": "mallory\x9b31m\u202e", "name": "Jürgen 😀\U000e0041"}
LINE = json.dumps(EVENT, ensure_ascii=False).encode()


class Stream(io.TextIOWrapper):
    """A standard output that is a terminal or not, and what was written to it."""

    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="", errors="backslashreplace")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def written(self) -> bytes:
        self.flush()
        return self.buffer.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.fixture
def stdout(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stream]:
    def replace(**more: Any) -> Stream:
        stream = Stream(**more)
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return replace


@pytest.mark.parametrize("terminal", [False, True])
def test_text_is_escaped_wherever_it_goes(stdout: Callable[..., Stream], terminal: bool) -> None:
    stream = stdout(terminal=terminal)

    show("a\n\tb\x1b[2J")

    assert stream.written == b"a\n\tb\\u001b[2J\n"


def test_remarks_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    tell("next\x9b")

    assert capsys.readouterr() == ("", "next\\u009b\n")


def test_json_for_a_script_is_as_it_is(stdout: Callable[..., Stream]) -> None:
    stream = stdout()

    show_json(EVENT)
    show_json_line(LINE)

    assert stream.written == LINE + b"\n" + LINE + b"\n"


def test_json_on_a_terminal_has_the_same_value_and_is_safe(stdout: Callable[..., Stream]) -> None:
    stream = stdout(terminal=True)

    show_json(EVENT)
    show_json_line(LINE)
    show_json(EVENT, indent=1)

    text = stream.written.decode()
    assert all(line.isprintable() for line in text.split("\n"))
    first, second, rest = text.split("\n", 2)
    assert json.loads(first) == json.loads(second) == json.loads(rest) == EVENT
    assert "Jürgen 😀" in first


def test_json_is_json_in_an_encoding_that_lacks_its_characters(stdout: Callable[..., Stream]) -> None:
    stream = stdout(encoding="ascii")

    show_json(EVENT)

    assert json.loads(stream.written) == EVENT


def test_a_line_is_json_on_a_terminal_that_lacks_its_characters(stdout: Callable[..., Stream]) -> None:
    stream = stdout(terminal=True, encoding="ascii")

    show_json_line(LINE)

    assert json.loads(stream.written) == EVENT


def test_only_a_terminal_has_a_width(stdout: Callable[..., Stream], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "132")

    stdout(terminal=True)
    assert terminal_width() == 132
    stdout()
    assert terminal_width() is None


def test_nobody_to_ask_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    confirm("Revoke it?", yes=True)
    with pytest.raises(UsageError, match=r"nobody can answer: Revoke it\?"):
        confirm("Revoke it?", yes=False)


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [(1, ("rule",), "1 rule"), (0, ("rule",), "0 rules"), (2_000, ("rule",), "2,000 rules"),
     (1, ("body", "bodies"), "1 body"), (3, ("body", "bodies"), "3 bodies")],
)  # fmt: skip
def test_things_are_counted_in_words(count: int, words: tuple[str, ...], text: str) -> None:
    assert counted(count, *words) == text
