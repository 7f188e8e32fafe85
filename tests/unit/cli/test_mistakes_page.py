"""docs/mistakes.md shows what ``auditwire rules check`` really says."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "mistakes.md"

_FENCE = re.compile(r"(?:^`([\w.-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def mistakes() -> Iterator[Any]:
    """Each section: its files by name, the arguments of the command, its output."""
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title = section.partition("\n")[0]
        files: dict[str, str] = {}
        shown = ""
        for name, language, body in _FENCE.findall(section):
            if language == "yaml":
                files[name] = body
            else:
                shown = body
        command, _, output = shown.partition("\n")
        arguments = command.removeprefix("$ auditwire ").split()
        if "" in files:
            files = {arguments[-1]: files[""]}
        yield pytest.param(files, arguments, output, id=title)


MISTAKES = list(mistakes())


def test_there_are_at_least_twenty() -> None:
    assert len(MISTAKES) >= 20


@pytest.mark.parametrize(("files", "arguments", "output"), MISTAKES)
def test_the_page_shows_what_the_command_says(
    files: dict[str, str], arguments: list[str], output: str,
    auditwire: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert auditwire(*arguments).stdout == output
