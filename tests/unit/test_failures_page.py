"""docs/failures.md and the failure matrix say the same: no cell without a line, no line without a test."""

import importlib.util
import re
from pathlib import Path
from typing import NamedTuple

from failure_matrix import CELLS, KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "failures.md").read_text()
TESTS = ROOT / "tests" / "integration" / "test_failures.py"
LINE = re.compile(r"\| (?P<kind>[\w]+) \| (?P<answer>\d{3}|-) \| (?P<outcome>.+) \| (?:`(?P<test>[a-z0-9-]+)`|-) \|")


class Line(NamedTuple):
    section: str
    kind: str
    answer: str
    outcome: str
    test: str


def lines() -> list[Line]:
    """The lines of every table that says what becomes of a batch, with their section's heading."""
    found: list[Line] = []
    section = ""
    for text in PAGE.splitlines():
        section = text if text.startswith("## ") else section
        if line := LINE.fullmatch(text):
            found.append(Line(section, line["kind"], line["answer"], line["outcome"], line["test"] or ""))
    return found


def test_every_cell_has_its_line_and_every_line_its_cell() -> None:
    told = {line.test: (line.kind, line.answer) for line in lines() if line.test}

    assert told == {name: (cell.kind, str(cell.answer)) for name, cell in CELLS.items()}
    assert len(told) == len([line for line in lines() if line.test])


def test_every_section_tells_of_every_kind_and_of_one_step() -> None:
    sections = {line.section: [other for other in lines() if other.section == line.section] for line in lines()}

    assert len(sections) == len({cell.step for cell in CELLS.values()})
    for section, told in sections.items():
        assert [line.kind for line in told] == list(KINDS), section
        assert len({CELLS[line.test].step for line in told if line.test}) == 1, section


def test_what_does_not_exist_has_a_reason_and_no_test() -> None:
    missing = [line for line in lines() if not line.test]

    assert missing
    assert all(line.answer == "-" and re.fullmatch(r"does not exist: .{20,}", line.outcome) for line in missing)
    assert not any(line.answer == "-" for line in lines() if line.test)


def test_the_numbers_are_those_of_the_matrix() -> None:
    faults = sum(cell.faults for cell in CELLS.values())

    assert f"A run has {len(CELLS)} tests and injects at least {faults} faults" in " ".join(PAGE.split())


def test_every_cell_is_run_once() -> None:
    spec = importlib.util.spec_from_file_location("failures", TESTS)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    marks = [mark for test in vars(module).values() for mark in getattr(test, "pytestmark", ())]
    run = [name for mark in marks if mark.name == "parametrize" for name in mark.kwargs["ids"]]

    assert sorted(run) == sorted(CELLS)
