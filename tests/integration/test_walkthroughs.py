"""The pages that lead a reader through auditwire: their commands run, and print what is shown."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auditwire_cli.main import app
from auditwire_local import LocalSystem, Options
from pages import ROOT, Shown, shown
from roles.observer import attach
from waiting import until

WALKTHROUGHS = ["README.md", "docs/tutorial.md", "docs/who-deleted-it.md", "docs/why-no-alert.md"]
# What the fixture does instead (install, start the system), and in the README what needs AWS or is shown elsewhere.
_LEFT_OUT = re.compile(
    r"make |\. \.venv|auditwire (dev|console)|\.venv-sam|auditwire cluster (add|kubeconfig)|auditwire rules .*#"
)
_SAVED = re.compile(r"^Save this as `([^`]+)`:\n\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STATE = ".auditwire/dev.json"


def serve(folder: Path) -> None:
    """Run a system that takes new rules with the next request, until standard input ends."""
    attach()
    with LocalSystem.start(options=Options()) as system:
        ingest = system.function("ingest")
        variables = {**ingest.configuration.variables, "RULES_POLL_SECONDS": "0.001"}
        ingest.reconfigure(replace(ingest.configuration, variables=variables))
        system.write_state(folder / _STATE)
        sys.stdin.read()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of what a reader has, with a system that runs in a process of its own."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("rules", "events"):
        shutil.copytree(ROOT / name, folder / name)
    command = [sys.executable, __file__, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:

        def is_ready() -> bool:
            assert process.poll() is None
            return (folder / _STATE).exists()

        until(is_ready)
        yield folder


@dataclass(frozen=True)
class Printed:
    """What a command line printed, as lines with single spaces: what it was asked for, and remarks such as progress."""

    results: list[str]
    remarks: list[str]


def lines_of(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def run(one: Shown, folder: Path) -> Printed:
    """Runs the command line; every part of it must succeed. Must be called in that folder.

    Commands of auditwire run in this process, which has loaded what they need.
    """
    given: bytes | None = None
    remarks = ""
    for part in one.text.split(" | "):
        if part.startswith("auditwire "):
            (words,) = Shown(one.page, one.line, part).commands
            done = CliRunner().invoke(app, words[1:], input=given, catch_exceptions=False)
            assert done.exit_code == 0, f"{one.place}: {done.output}"
            given, remarks = done.stdout_bytes, done.stderr
        else:
            given = subprocess.run(
                ["bash", "-c", part], cwd=folder, input=given, stdout=subprocess.PIPE, check=True
            ).stdout
    return Printed(lines_of((given or b"").decode()), lines_of(remarks))


def check(one: Shown, printed: Printed) -> None:
    """Every line shown was printed, and every result is shown unless the page leaves lines out by a line of ``…``."""
    shown_lines = lines_of(one.output)
    patterns = [re.escape(line).replace("…", ".*") for line in shown_lines if line not in {"", "…"}]
    everything = [*printed.results, *printed.remarks]
    missing = [pattern for pattern in patterns if not any(re.fullmatch(pattern, line) for line in everything)]
    assert missing == [], f"{one.place}: {everything}"
    if patterns and "…" not in shown_lines:
        untold = [line for line in printed.results if not any(re.fullmatch(pattern, line) for pattern in patterns)]
        assert untold == [], one.place


@pytest.mark.parametrize("name", WALKTHROUGHS)
def test_the_page_can_be_followed(name: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    page = ROOT / name
    files = dict(_SAVED.findall(page.read_text(encoding="utf-8")))
    steps = [one for one in shown(page) if not _LEFT_OUT.match(one.text)]
    assert len(steps) >= 3

    for one in steps:
        for path, text in list(files.items()):
            if Path(path).parent.is_dir():
                Path(path).write_text(text, encoding="utf-8")
                del files[path]
        check(one, run(one, desk))

    assert files == {}


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
