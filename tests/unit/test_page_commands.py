"""Every command that the pages show exists, takes the options it is shown with, and names files that are there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.exceptions import TyperException

from auditwire_cli.main import app
from pages import PAGES, ROOT, Shown, named, shown

COMMAND = typer.main.get_command(app)
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
# Programs of the system and of other projects: what they are given is theirs to judge.
FOREIGN = {".", "apt-get", "aws", "cat", "cp", "git", "gh", "grep", "kill", "python3", "sam"}
# What the first word of a path in the repository can be; other names are the reader's own files.
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - {"build"}


def leaf(words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words name, and the words behind its name. Raises LookupError where there is none."""
    command: Any = COMMAND
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            raise LookupError(f"{command.name} has no command {name!r}")
        command = command.commands[name]
    return command, rest


def trouble_with_auditwire(words: list[str], *, whole: bool) -> str | None:
    """What is wrong with a call of the command line; ``whole`` if it is shown with everything it needs."""
    try:
        command, rest = leaf(words)
    except LookupError as error:
        return str(error)
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options |= {"--help", "-h"}
    unknown = [word for word in rest if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in options]
    if unknown:
        return f"{words[0]} has no option {unknown[0]}"
    if not whole or hasattr(command, "commands"):
        return None
    try:
        command.make_context(" ".join(words), rest)
    except TyperException as error:
        return str(error)
    return None


def trouble_with(words: list[str]) -> str | None:
    """What is wrong with one command of a console block."""
    program, rest = words[0].removeprefix(".venv/bin/").removeprefix(".venv-sam/bin/"), words[1:]
    if program == "auditwire":
        return trouble_with_auditwire(rest, whole=True)
    if program == "make":
        targets = [word for word in rest if "=" not in word]
        return next((f"there is no target {one}" for one in targets if one not in TARGETS), None)
    if program in {"python", "pytest"} or program in FOREIGN:
        return None
    return None if (ROOT / program).is_file() else f"{program} is neither known nor a file of the repository"


def missing_files(words: list[str]) -> Iterator[str]:
    """Paths in folders of the repository that are not there."""
    for word in words:
        path = Path(word.partition("::")[0])
        if len(path.parts) > 1 and path.parts[0] in FOLDERS and not set(word) & set("*?<>") and "XX" not in word:
            first = ROOT / path
            if not first.exists() and not word.startswith("fuzz/findings/"):
                yield word


ALL_SHOWN = [one for page in PAGES for one in shown(page)]
ALL_NAMED = [one for page in PAGES for one in named(page)]


@pytest.mark.parametrize("one", ALL_SHOWN, ids=lambda one: one.place)
def test_a_command_in_a_console_block_can_be_called_so(one: Shown) -> None:
    assert [trouble for words in one.commands if (trouble := trouble_with(words))] == []
    assert [path for words in one.commands for path in missing_files(words)] == []


@pytest.mark.parametrize("one", ALL_NAMED, ids=lambda one: one.place)
def test_a_command_named_in_the_text_exists_with_its_options(one: Shown) -> None:
    assert [trouble for words in one.commands if (trouble := trouble_with_auditwire(words[1:], whole=False))] == []


def test_the_pages_show_most_of_the_command_line() -> None:
    told = {tuple(words[1:3]) for one in ALL_SHOWN for words in one.commands if words[0] == "auditwire"}

    assert len(ALL_SHOWN) > 60
    assert len(told) > 20


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("auditwire qeury --user ann", "has no command 'qeury'"),
        ("auditwire rules chekc rules", "rules has no command 'chekc'"),
        ("auditwire query --usr ann", "has no option --usr"),
        ("auditwire send", "Missing parameter: files"),
        ("auditwire query --limit 0", "should be greater than or equal to 1"),
        ("auditwire dev --archive s4", "'s4' is not one of"),
        ("cat x | auditwire rules evaluate", "rules has no command 'evaluate'"),
        ("make testt", "there is no target testt"),
        ("frobnicate", "frobnicate is neither known nor a file"),
    ],
)
def test_what_cannot_be_called_is_found(line: str, trouble: str) -> None:
    found = [one for words in Shown(ROOT / "README.md", 1, line).commands if (one := trouble_with(words))]

    assert len(found) == 1
    assert trouble in found[0]


def test_a_file_that_is_not_there_is_found() -> None:
    words = ["auditwire", "send", "events/audit.log", "events/other.log", "mine.log"]

    assert list(missing_files(words)) == ["events/other.log"]
