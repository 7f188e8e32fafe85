"""``auditwire rules replay`` over files and over a copy of the archive."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit_events import event_list, item, text_of
from auditwire.events import decode, encode_line
from auditwire_cli.replay.chunks import Items, Sized
from auditwire_cli.replay.sides import side_of_sources
from auditwire_cli.replay.workers import Sides, count_all
from auditwire_cli.rules.bundles import folder_sources
from rule_texts import document, rule

Run = Callable[..., Any]
USERS = ("ann", "bob", "eve|`<b>@all`")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No state file of a running system is found."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.yaml"
    path.write_text(document(rule('Verb = "get" and User.Username = "ann"')))
    return path


@pytest.fixture
def new(tmp_path: Path) -> Path:
    path = tmp_path / "new.yaml"
    path.write_text(document(rule('Verb = "get" and User.Username != "ann"')))
    return path


EVENTS = [text_of(item(user={"username": user}, auditID=f"{user}-{n}")) for user in USERS for n in range(3)]
SHAPES = {
    "lines": b"\n".join(EVENTS) + b"\n",
    "a list a line": event_list(EVENTS[:5]) + event_list(EVENTS[5:]),
    "gzip": gzip.compress(b"\n".join(EVENTS)),
    "array over lines": b"[\n" + b",\n".join(EVENTS) + b"\n]",
    "kubesphere": b"".join(EVENTS),
}


@pytest.mark.parametrize("option", ["--old", "--new"])
def test_a_word_that_is_no_folder_and_no_digest_is_named(auditwire: Run, new: Path, option: str) -> None:
    Path("events").write_bytes(SHAPES["lines"])

    result = auditwire("rules", "replay", "--events", "events", "--new", new, option, "nofolder")

    message = "nofolder is neither a folder of rule documents nor the digest of a bundle"
    assert (result.exit_code, result.stderr) == (2, f"auditwire: {message}\n")


@pytest.mark.parametrize("shape", SHAPES)
def test_events_in_any_shape_give_the_same_report(auditwire: Run, old: Path, new: Path, shape: str) -> None:
    Path("events").write_bytes(SHAPES[shape])

    result = auditwire("rules", "replay", "--events", "events", "--old", old, "--new", new, "--format", "json")

    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert report["events"] == 9
    assert report["alerts"] == {"old": 3, "new": 6, "gained": 6, "lost": 3, "changed": 0}
    (found,) = report["rules"]
    assert (found["rule"], found["comparable"]) == ("mine.r", True)
    assert [one["auditID"] for one in found["examples"]["lost"]] == ["ann-0", "ann-1", "ann-2"]
    assert report["noisiest"]["users"][0] == {"user": "bob", "old": 0, "new": 3}
    assert report["archive"] == {
        "dropped": 3, "added": 6, "reasons": {"no_rule": 3}, "levels": [],
        "requests": [{"request": "get pods", "count": 3}], "examples": report["archive"]["examples"],
    }  # fmt: skip


@pytest.mark.parametrize(("budget", "code"), [("6", 0), ("5", 1), ("0", 1)])
def test_more_new_alerts_than_the_budget_end_with_1(
    auditwire: Run, old: Path, new: Path, budget: str, code: int
) -> None:
    Path("events").write_bytes(SHAPES["lines"])

    result = auditwire("rules", "replay", "--events", "events", "--old", old, "--new", new, "--max-new-alerts", budget)

    assert result.exit_code == code
    assert f"{'over' if code else 'within'} the budget of {budget} new alert" in result.stdout


def test_several_files_may_follow_the_option(auditwire: Run, old: Path, new: Path) -> None:
    for name in ("a", "b", "c"):
        Path(name).write_bytes(SHAPES["lines"])

    words = ("--old", old, "--new", new, "--format", "json")
    result = auditwire("rules", "replay", "--events", "a", "b", "--events", "c", *words)

    assert json.loads(result.stdout)["events"] == 27


def test_items_that_are_no_events_are_counted(auditwire: Run, old: Path, new: Path) -> None:
    Path("events").write_bytes(EVENTS[0] + b'\n{"verb":"get"}\nnonsense\n')

    result = auditwire("rules", "replay", "--events", "events", "--old", old, "--new", new, "--format", "json")

    report = json.loads(result.stdout)
    assert report["events"] == 1
    assert sum(report["rejects"].values()) == 2
    assert "2 items are no events and were left out" in report["notes"]


def test_nothing_that_a_sender_wrote_is_markup(auditwire: Run, old: Path, new: Path) -> None:
    Path("events").write_bytes(SHAPES["lines"])

    result = auditwire("rules", "replay", "--events", "events", "--old", old, "--new", new, "--format", "markdown")

    assert result.exit_code == 0
    assert "| `eve\\|'<b>@all'` | 0 | 3 |" in result.stdout
    rest = [part for line in result.stdout.splitlines() for part in line.split("`")[::2]]
    assert not [part for part in rest if "<b>" in part or "@all" in part]


def copy_of_archive(folder: Path, alerting: list[str], stored: list[bytes]) -> Path:
    where = folder / "events/cluster=prod/date=2026-11-21/hour=22"
    where.mkdir(parents=True)
    noted = {"received": "2026-11-21T22:05:01.000000Z", "bundle": "f" * 64, "archiving": [], "alerting": alerting}
    lines = b"\n".join(encode_line(event, noted) for text in stored for event in decode(text).events)
    (where / f"20261121T220500.140001Z-{'a' * 64}.jsonl.gz").write_bytes(gzip.compress(lines))
    return folder


def test_rules_that_the_archive_cannot_give_again_are_not_comparable(auditwire: Run, tmp_path: Path) -> None:
    body = document(rule("RequestObject.spec.hostNetwork = true", name="net"))
    Path("old.yaml").write_text(body + "---\n" + document(rule('Verb = "get"'), name="other"))
    Path("new.yaml").write_text(document(rule('Verb = "get"'), name="other"))
    stored = [text_of(item()), text_of(item(level="Request", requestObject={"spec": {"hostNetwork": True}}))]
    folder = copy_of_archive(tmp_path / "backup", ["mine.net", "other.r"], stored)

    result = auditwire(
        "rules", "replay", "--folder", folder, "--since", "2026-11-21", "--old", "old.yaml", "--new", "new.yaml",
        "--format", "json",
    )  # fmt: skip

    report = json.loads(result.stdout)
    assert report["recorded"] == {
        "matches": 4, "repeated": 3, "notComparable": ["mine.net"],
        "notRepeated": [{"rule": "mine.net", "reason": "level", "count": 1}],
    }  # fmt: skip
    rows = {row["rule"]: row for row in report["rules"]}
    assert (rows["mine.net"]["old"], rows["mine.net"]["new"], rows["mine.net"]["lost"]) == (1, 0, 0)
    assert report["alerts"]["lost"] == 0
    assert any("these are archived events" in note for note in report["notes"])


def test_the_recorded_alerts_come_first(auditwire: Run, tmp_path: Path, old: Path, new: Path) -> None:
    folder = copy_of_archive(tmp_path / "backup", ["mine.r"], EVENTS)

    result = auditwire("rules", "replay", "--folder", folder, "--since", "2026-11-21", "--old", old, "--new", new)

    assert result.stdout.startswith("Recorded alerts\nthe archive recorded 9 matches of alerting rules")


@pytest.mark.parametrize(("words", "events"), [(["--since", "2026-11-21T22:30:00Z"], 9), (["--since", "2026-11-22"], 0),
                                               (["--since", "2026-11-21", "--to", "2026-11-21T22:00:00Z"], 0),
                                               (["--since", "2026-11-21", "--cluster", "other"], 0)])  # fmt: skip
def test_a_copy_of_the_archive_is_read_by_hours_and_clusters(
    auditwire: Run, tmp_path: Path, old: Path, new: Path, words: list[str], events: int
) -> None:
    folder = copy_of_archive(tmp_path / "backup", [], EVENTS)

    result = auditwire("rules", "replay", "--folder", folder, *words, "--old", old, "--new", new, "--format", "json")

    if events:
        assert json.loads(result.stdout)["events"] == events
    else:
        assert (result.exit_code, result.stderr.splitlines()[0]) == (1, "auditwire: there are no events to replay")


@pytest.mark.parametrize(
    "words",
    [
        ["--new", "new.yaml"],
        ["--new", "new.yaml", "--events", "x", "--archive"],
        ["--new", "new.yaml", "--events", "x", "--since", "1h"],
        ["--new", "gone.yaml", "--events", "new.yaml"],
        ["--new", "broken.yaml", "--events", "new.yaml"],
        ["--new", "new.yaml", "--folder", "."],
        ["--new", "new.yaml", "--events", "gone"],
    ],
)
def test_what_cannot_work_ends_with_2(auditwire: Run, new: Path, words: list[str]) -> None:
    Path("broken.yaml").write_text(document(rule('Vreb = "get"')))

    result = auditwire("rules", "replay", *words)

    assert (result.exit_code, result.stdout) == (2, "")


def test_without_a_stack_the_shipped_rules_are_compared(auditwire: Run, new: Path) -> None:
    Path("events").write_bytes(SHAPES["lines"])

    result = auditwire("rules", "replay", "--events", "events", "--new", new, "--format", "json")

    assert json.loads(result.stdout)["old"]["name"] == "the shipped rules"
    assert "using the shipped rules" in result.stderr


def test_processes_count_what_one_counts_in_the_same_order(old: Path, new: Path) -> None:
    before, after = (side_of_sources(folder_sources(path), "x")[1] for path in (old, new))
    sides = Sides(before, after)
    chunks = [Sized(Items([text]), 1) for text in EVENTS * 3]
    said: list[int] = []

    here = count_all(sides, iter(chunks), lambda done, _text: None, jobs=1)
    there = count_all(sides, iter(chunks), lambda done, _text: said.append(done), jobs=2)

    assert there.rules == here.rules
    assert there.events == here.events == 27
    assert said == list(range(1, 28))


def test_a_damaged_object_makes_the_answer_incomplete(auditwire: Run, tmp_path: Path, old: Path, new: Path) -> None:
    folder = copy_of_archive(tmp_path / "backup", [], EVENTS)
    (found,) = folder.rglob("*.jsonl.gz")
    found.with_name(f"20261121T220501.140001Z-{'b' * 64}.jsonl.gz").write_bytes(b"damaged")

    words = ("--since", "2026-11-21", "--old", old, "--new", new, "--format", "json")
    result = auditwire("rules", "replay", "--folder", folder, *words)

    report = json.loads(result.stdout)
    assert (result.exit_code, report["events"], report["unreadable"]) == (3, 9, 1)
    assert any(note.startswith("not complete: ") for note in report["notes"])


def test_tests_beside_rules_are_no_part_of_them(auditwire: Run, old: Path, new: Path) -> None:
    Path("events").write_bytes(SHAPES["lines"])
    folders = [Path("before"), Path("after")]
    for folder, text in zip(folders, (old, new), strict=True):
        folder.mkdir()
        (folder / "mine.yaml").write_bytes(text.read_bytes())
        (folder / "mine.test.yaml").write_text("tests: []\n")

    result = auditwire(
        "rules", "replay", "--events", "events", "--old", folders[0], "--new", folders[1], "--format", "json"
    )

    assert json.loads(result.stdout)["alerts"]["gained"] == 6
