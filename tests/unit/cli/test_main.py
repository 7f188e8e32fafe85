import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from auditwire import __version__
from auditwire_cli.main import app

ROOT = Path(__file__).parents[3]
AUDITWIRE = Path(sys.executable).with_name("auditwire")


def commands(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, child in getattr(node, "commands", {}).items():
        if hasattr(child, "commands"):
            yield from commands(child, (*path, name))
        else:
            yield (*path, name), child


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_the_version_is_the_packages() -> None:
    done = subprocess.run([AUDITWIRE, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"auditwire {__version__}\n"


def test_help_is_quick_because_commands_load_what_they_need_when_they_run() -> None:
    heavy = ("boto3", "moto", "lark", "urllib3", "rich", "re2", "msgspec", "yaml", "samtranslator")
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from auditwire_cli.main import app\n"
        "CliRunner().invoke(app, ['--help'])\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_an_example_and_its_exit_codes(
    auditwire: Callable[..., Any], path: tuple[str, ...]
) -> None:
    result = auditwire(*path, "--help")

    assert result.exit_code == 0
    assert f"  auditwire {' '.join(path)} " in result.stdout
    assert "Exit codes: 0 " in result.stdout


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_files_of_this_repository_that_help_names_are_there(
    auditwire: Callable[..., Any], path: tuple[str, ...]
) -> None:
    named = re.findall(r"(?<![\w./])(?:rules|docs|events)/[\w./-]+", auditwire(*path, "--help").stdout)

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_help_names_some_files_of_this_repository(auditwire: Callable[..., Any]) -> None:
    assert "rules/alerting-rule.yaml" in auditwire("rules", "check", "--help").stdout


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_list_of_commands_shows_a_whole_sentence(auditwire: Callable[..., Any], path: tuple[str, ...]) -> None:
    line = next(
        line for line in auditwire(*path[:-1], "--help").stdout.splitlines() if line.startswith(f"  {path[-1]} ")
    )

    assert line.endswith(".")
    assert not line.endswith("...")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_there_is_one_option_for_formats(auditwire: Callable[..., Any], path: tuple[str, ...]) -> None:
    for line in auditwire(*path, "--help").stdout.splitlines():
        if "text|json" in line:
            assert line.startswith("  --format ")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_says_what_it_does(path: tuple[str, ...]) -> None:
    for option in COMMANDS[path].params:
        assert getattr(option, "help", None), option.name


def test_an_unknown_command_is_a_wrong_call(auditwire: Callable[..., Any]) -> None:
    result = auditwire("sned")

    assert result.exit_code == 2
    assert "Did you mean 'send'?" in result.stderr
