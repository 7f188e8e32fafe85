"""docs/evidence.md: its scripts do what they say, with openssl and its like alone, and its tables are the tests'."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from auditwire.evidence.finding import find_entry, find_event
from auditwire.evidence.receipt import make_receipt
from auditwire.evidence.seal import Books, Entry, Previous, Retention, Seal, SealFile, Totals, seal_key
from auditwire.evidence.states import ObjectState, SealState, SpanState
from sealed import World
from tampering import CASES, change_byte, change_seal, drop_last_event, intact

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")
SCRIPTS = {text.split()[2]: text for text in re.findall(r"```sh\n(#!/bin/sh\n.*?)```", PAGE, re.DOTALL)}
TOOLS = ("openssl", "jq", "xxd", "sha256sum")
VERDICTS = {0: "intact", 1: "tampered", 3: "incomplete"}

needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason=f"the scripts of docs/evidence.md need {', '.join(TOOLS)}"
)


class Copy:
    """An archive as files, beside the scripts of the page and the public key."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.world = folder, world
        for key, content in world.store.objects.items():
            path = folder / "copy" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / "seal.pem").write_bytes(world.key.pem)
        for name, text in SCRIPTS.items():
            (folder / name).write_text(text, encoding="utf-8")

    def run(self, script: str, what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", script, what, "seal.pem"], cwd=self.folder, capture_output=True, text=True, check=False
        )


def nothing(world: World) -> None:
    del world


@pytest.mark.slow
@needs_tools
@pytest.mark.parametrize(
    ("done", "holds"), [(nothing, True), (change_byte, False), (change_seal, False)], ids=["nothing", "object", "seal"]
)
def test_openssl_verifies_a_copy(tmp_path: Path, done: Callable[[World], None], holds: bool) -> None:
    world = intact()
    done(world)

    ended = Copy(tmp_path, world).run("seals.sh", "copy")

    assert (ended.returncode == 0) is holds, ended.stderr
    if holds:
        assert ended.stdout.splitlines()[:4] == [f"{seal_key('prod', number)} holds" for number in range(4)]


@pytest.mark.slow
@needs_tools
@pytest.mark.parametrize("number", range(3))
def test_openssl_verifies_a_receipt(tmp_path: Path, number: int) -> None:
    world = intact()
    audit_id = f"00000000-0000-4000-8000-{number + 1:012}"
    (hit,) = find_event(world.store, "prod", audit_id, start=None, end=None, reading=lambda key: None)
    found = find_entry(world.store, "prod", hit.listed)
    assert found is not None
    receipt = make_receipt(hit.lines, hit.number, found[1], found[0])
    copy = Copy(tmp_path, world)
    (tmp_path / "good.json").write_text(receipt.as_text(), encoding="utf-8")
    (tmp_path / "bad.json").write_text(receipt.as_text().replace("mallory", "nobody!"), encoding="utf-8")
    (tmp_path / "unsigned.json").write_text(receipt.as_text().replace("regular", "first").replace("prod", "test"))

    good, bad, unsigned = (copy.run("receipt.sh", f"{name}.json") for name in ("good", "bad", "unsigned"))

    assert good.returncode == 0, good.stderr
    assert good.stdout.splitlines()[-1] == f"The event was in {hit.listed.key} at 2026-11-21T13:00:00Z."
    assert bad.returncode != 0
    assert unsigned.returncode != 0


def test_the_scripts_are_short() -> None:
    assert set(SCRIPTS) == {"seals.sh", "receipt.sh"}
    assert all(len(text.splitlines()) <= 30 for text in SCRIPTS.values())


def test_every_manipulation_has_its_line() -> None:
    told = [line for line in PAGE.splitlines() if line.endswith(("| intact |", "| tampered |", "| incomplete |"))]

    assert told == [
        f"| {one.what} | {VERDICTS[one.outcome]} | {', '.join(f'`{state}`' for state in sorted(one.says)) or '-'}"
        f" | {VERDICTS[one.with_head]} |"
        for one in CASES.values()
    ]


def named_in(heading: str) -> set[str]:
    """What the first column of the table below a heading names."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return {name for line in table.splitlines()[2:] for name in re.findall(r"`([\w]+)`", line.split("|")[1])}


@pytest.mark.parametrize(
    ("heading", "states"), [("of a seal", SealState), ("of an object", ObjectState), ("of a span of time", SpanState)]
)
def test_every_state_is_explained(heading: str, states: object) -> None:
    assert named_in(heading) == set(get_args(states))


def test_the_format_is_the_one_that_is_written() -> None:
    names = {"start": "from", "end": "to"}
    assert named_in("member") == set(SealFile.__struct_fields__)
    assert named_in("member of `seal`") == {names.get(name, name) for name in Seal.__struct_fields__}
    assert named_in("member of a line in `objects`") == set(Entry.__struct_fields__)
    for struct in (Totals, Previous, Retention, Books):
        # The hour of the books is in the sentence.
        assert all(f"`{name}`" in PAGE or name == "hour" for name in struct.__struct_fields__), struct


def test_what_is_dropped_is_named() -> None:
    world = intact()
    drop_last_event(world)
    assert any("3 events" in getattr(one, "held", "") for one in world.reports())
