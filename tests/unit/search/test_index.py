"""What the index holds, when it is believed, and that nothing is missed where it is not."""

import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from auditwire.archive.errors import ArchiveError
from auditwire.evidence.folder import FolderReader
from auditwire.evidence.store import MemoryStore
from auditwire.search import FIELDS, Coverage, Facet, Kind, Page, Query, Test, Wanted
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire.search.errors import OutOfTimeError
from auditwire.search.index_builder import MAX_ROWS_A_FILE, IndexBuilder, rows_of
from auditwire.search.index_check import check_index
from auditwire.search.index_note import Note, encode_note, index_key, indexed, place_of, read_note
from auditwire.search.index_reader import IndexReader
from auditwire.search.index_row import COLUMNS, MAX_ROW_BYTES
from auditwire.search.parquet import connect, write_parquet
from auditwire.search.scan import Scan
from local_road import exec_event
from sealed import World, outcome
from searched import Archive, ask, count, made_archive
from waiting import until


def at(number: int, time: str = "22:05:00", **changes: Any) -> dict[str, Any]:
    return exec_event(number, stageTimestamp=f"2026-11-21T{time}.000000Z", **changes)


@pytest.fixture
def archive() -> Archive:
    archive = Archive()
    archive.take([at(1), at(2, user={"username": "eve"}), at(3, "23:05:00")])
    archive.take([at(4, "22:10:00")])
    return archive


def ids(archive: Archive, query: Query | None = None, page: Page | None = None) -> tuple[str, Coverage]:
    """The last digits of the auditIDs that DuckDB finds, which are those that a scan finds."""
    found, coverage = ask(DuckDBEngine(archive.store), query or Query(), page)
    assert found == ask(Scan(archive.store), query or Query(), page)[0]
    return "".join(re.findall(r'"auditID":"[0-9-]*(\d)"', b"".join(line for _, _, line in found).decode())), coverage


def test_the_columns_are_the_fields_that_are_not_derived() -> None:
    assert set(COLUMNS) - {"key", "number"} == set(FIELDS) - {"object", "cluster"}
    kinds = {Kind.TEXT: "VARCHAR", Kind.LIST: "VARCHAR[]", Kind.NUMBER: "BIGINT", Kind.TIME: "BIGINT"}
    assert all(kinds[FIELDS[name].kind] == kind for name, kind in COLUMNS.items() if name in FIELDS)


def test_an_answer_says_what_it_rests_on(archive: Archive) -> None:
    archive.index(archive.events()[:2])

    found, coverage = ids(archive)

    assert (found, coverage.engine, coverage.indexed, coverage.scanned) == ("1243", "duckdb", 2, 1)
    assert (coverage.first_hour, coverage.last_hour, coverage.cut_off) == ("2026-11-21T22", "2026-11-21T23", "")
    assert coverage.bytes > 0


def test_without_an_index_everything_is_scanned(archive: Archive) -> None:
    found, coverage = ids(archive, Query(Test("user", ("mallory",))), Page(2, newest=True))

    assert (found, coverage.indexed, coverage.scanned, coverage.cut_off) == ("34", 0, 3, "limit")
    assert count(DuckDBEngine(archive.store), Query())[0].events == 4


def test_a_file_has_one_name_for_the_same_objects(archive: Archive) -> None:
    assert archive.index(archive.events()) == archive.index(archive.events()[::-1])


def test_an_object_that_is_replaced_is_scanned(archive: Archive) -> None:
    archive.index(archive.events())
    archive.now += timedelta(seconds=1)
    archive.store.put(archive.events()[0], archive.store.objects[archive.events()[0]])

    found, coverage = ids(archive)

    assert (found, coverage.indexed, coverage.scanned) == ("1243", 2, 1)


def test_an_object_that_has_expired_is_not_found(archive: Archive) -> None:
    archive.index(archive.events())
    del archive.store.objects[archive.events()[2]]

    assert ids(archive)[0] == "123"
    assert count(DuckDBEngine(archive.store), Query())[0].events == 3


def test_objects_in_several_files_count_once(archive: Archive) -> None:
    keys = archive.events()
    for part in (keys[:1], keys[:2], keys):
        archive.index(part)

    assert ids(archive)[0] == "1243"
    assert count(DuckDBEngine(archive.store), Query(), Wanted(facets=(Facet("user"),)))[0].events == 4


def forged(archive: Archive, tmp_path: Path, change: Any) -> str:
    """Replace the file of the index of the first object by one with other rows, and with the same note."""
    key = archive.events()[0]
    (file,) = archive.index([key])
    listed = next(archive.store.listing(key))
    note = encode_note(place_of(key), [indexed(key, listed.size, listed.modified, 2)])
    assert file == index_key(place_of(key), note)
    rows = rows_of(key, archive.lines(key))
    assert rows
    from isal import igzip

    (tmp_path / "rows.json.gz").write_bytes(igzip.compress(b"".join(map(change, rows))))
    write_parquet(tmp_path / "rows.json.gz", tmp_path / "forged.parquet", note)
    archive.store.put(file, (tmp_path / "forged.parquet").read_bytes())
    return file


@pytest.mark.parametrize(
    ("before", "after"), [(b'"user":"eve"', b'"user":"mallory"'), (b'"number":0', b'"number":7'), (b"05:00", b"06:00")]
)
def test_a_row_that_its_line_does_not_bear_out_is_not_believed(
    archive: Archive, tmp_path: Path, before: bytes, after: bytes
) -> None:
    file = forged(archive, tmp_path, lambda row: row.replace(before, after))

    found, coverage = ids(archive, Query(Test("user", ("mallory", "nobody"))))

    assert found == "143"
    (remark,) = coverage.remarks
    assert remark.startswith(f"{file} is not what {archive.events()[0]} says")
    assert coverage.scanned == 3


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 500 + b"PAR1", None], ids=str)
def test_a_damaged_file_of_the_index_is_not_believed(archive: Archive, content: bytes | None) -> None:
    files = archive.index(archive.events())
    good = archive.store.objects[files[0]]
    archive.store.put(files[0], good[: len(good) // 2] if content is None else content)

    found, coverage = ids(archive)

    assert found == "1243"
    assert coverage.remarks == [f"{files[0]} is no file of the index: what it stands for was scanned"]


def test_a_file_whose_pages_are_damaged_is_not_believed(archive: Archive) -> None:
    (file, _) = archive.index(archive.events())
    good = archive.store.objects[file]
    archive.store.put(file, good[:4] + b"\xff" * 400 + good[404:])

    found, coverage = ids(archive)

    assert found == "1243"
    assert coverage.remarks[0].startswith("the index could not be read, so everything was scanned: ")
    summary, coverage = count(DuckDBEngine(archive.store), Query(), Wanted(facets=(Facet("user"),)))
    assert (summary.events, coverage.scanned) == (4, 3)


def test_a_file_of_another_place_or_version_is_not_believed(archive: Archive) -> None:
    (file,) = archive.index(archive.events()[:1])
    moved = file.replace("hour=22", "hour=23")
    archive.store.put(moved, archive.store.objects.pop(file))

    assert ids(archive)[1].remarks == [f"{moved} is no file of the index: what it stands for was scanned"]
    note = encode_note("cluster=prod/date=2026-11-21/hour=22/", ())
    assert read_note(index_key("cluster=prod/date=2026-11-21/hour=22/", note), note.encode()) is not None
    later = note.replace('"version":1', '"version":2')
    assert read_note(index_key("cluster=prod/date=2026-11-21/hour=22/", later), later.encode()) is None
    assert Note("", ()).version == 1


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON",
        b'{"stageTimestamp":"2026-11-21T22","auditID":"9"}',
        b'{"stageTimestamp":"2026-11-21T22:05:00.000000Z","auditID":"9","responseStatus":{"code":99999999999999999999}}',
        b'{"stageTimestamp":"2026-11-21T22:05:00.000000Z","auditID":"9","userAgent":"' + b"x" * MAX_ROW_BYTES + b'"}',
    ],
    ids=["no JSON", "no time", "no code", "too long"],
)
def test_what_the_index_cannot_hold_is_scanned(archive: Archive, line: bytes) -> None:
    key = archive.put_lines([archive.lines(archive.events()[0])[0], line])

    assert archive.index([key]) == []
    assert archive.index(archive.events()) != []
    found, coverage = ask(DuckDBEngine(archive.store), Query())
    assert (found, coverage.unreadable) == (
        ask(Scan(archive.store), Query())[0],
        ask(Scan(archive.store), Query())[1].unreadable,
    )
    assert coverage.scanned == 1


def test_a_busy_hour_has_several_files(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditwire.search.index_builder.MAX_ROWS_A_FILE", 1)

    assert MAX_ROWS_A_FILE > 1
    assert len(archive.index(archive.events())) == 3
    assert ids(archive)[1].indexed == 3


def test_only_what_is_asked_for_is_written(archive: Archive, tmp_path: Path) -> None:
    first, *_, last = archive.events()
    with IndexBuilder(archive.store.put, tmp_path) as builder:
        for key in archive.events():
            assert builder.add(key, 1, 0, archive.lines(key))
        assert len(builder.write([last, "events/foreign"])) == 1
        assert builder.write([first]) == []
        assert not builder.add("events/foreign", 1, 0, [])
    assert list(tmp_path.iterdir()) == []


def test_a_copy_in_a_folder_is_searched_with_its_index(archive: Archive, tmp_path: Path) -> None:
    archive.index(archive.events())
    for key, content in archive.store.objects.items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content)

    found, coverage = ask(DuckDBEngine(FolderReader(tmp_path)), Query())

    assert found == ask(Scan(archive.store), Query())[0]
    assert (coverage.indexed, coverage.scanned) == (3, 0)


def test_damaged_objects_are_named_and_the_rest_is_found(archive: Archive) -> None:
    first, second, last = archive.events()
    archive.store.put(first, b"no gzip")
    archive.store.put(last, archive.store.objects[last][:-9])
    for engine in (Scan(archive.store), DuckDBEngine(archive.store)):
        found, coverage = ask(engine, Query())
        assert [key for key, _, _ in found if key == second] == [second]
        assert [place.partition(":")[0] for place in sorted(coverage.unreadable)] == sorted([first, last])


def test_what_the_index_points_to_and_nobody_can_read_is_named(archive: Archive) -> None:
    archive.index(archive.events())
    key = archive.events()[0]
    content = archive.store.objects[key]
    archive.store.objects[key] = content[:20] + b"\0" * (len(content) - 20)

    found, coverage = ask(DuckDBEngine(archive.store), Query())

    assert len(found) == 2
    assert [place.partition(":")[0] for place in coverage.unreadable] == [key]


def test_who_has_no_time_is_told_so(archive: Archive) -> None:
    archive.index(archive.events()[:2])
    for engine in (Scan(archive.store), DuckDBEngine(archive.store)):
        coverage = Coverage(may_go_on=lambda: False)
        assert list(engine.rows(Query(), Page(), coverage)) == []
        assert coverage.cut_off == "time"


@pytest.mark.parametrize("looks", range(4))
def test_time_that_is_over_while_listing_ends_an_answer_and_a_price(archive: Archive, looks: int) -> None:
    archive.index(archive.events())

    def within() -> Coverage:
        left = iter([True] * looks)
        return Coverage(may_go_on=lambda: next(left, False))

    engine = DuckDBEngine(archive.store)
    coverage = within()
    assert engine.summarise(Query(), Wanted(), coverage).events == 0
    assert (list(engine.rows(Query(), Page(), within())), coverage.cut_off) == ([], "time")
    with pytest.raises(OutOfTimeError):
        engine.price(Query(), within=within())
    assert engine.price(Query(), within=Coverage()).objects == engine.price(Query()).objects > 0


def test_notes_that_there_is_no_time_to_read_are_read_later() -> None:
    archive = Archive()
    archive.index(archive.take([at(hour, f"{hour:02}:05:00") for hour in range(24)]))
    coverage = Coverage(may_go_on=lambda: not over.is_set())
    over, reads = threading.Event(), list[str]()

    class Late(MemoryStore):
        def read_range(self, key: str, start: int, end: int) -> bytes:
            reads.append(key)
            if not over.is_set():
                over.set()
                until(lambda: coverage.cut_off == "time")
            return super().read_range(key, start, end)

    store = Late(objects=archive.store.objects, modified=archive.store.modified)
    engine = DuckDBEngine(store)
    assert list(engine.rows(Query(), Page(), coverage)) == []
    assert len(reads) <= 24

    found, later = ask(engine, Query())

    assert (len(found), later.indexed, later.scanned, later.remarks) == (24, 24, 0, [])


def test_a_place_that_cannot_be_listed_is_no_empty_one() -> None:
    class Unlisted(MemoryStore):
        def folders(self, prefix: str) -> Any:
            raise ArchiveError(f"{prefix}: could not be listed")

    for engine in (Scan(Unlisted()), DuckDBEngine(Unlisted())):
        with pytest.raises(ArchiveError):
            ask(engine, Query())


def checked(archive: Archive) -> list[tuple[str, str]]:
    reader = IndexReader(archive.store, memory="200MB", threads=1)
    return [(one.state, one.reason) for one in check_index(archive.store, reader, Query())]


def test_an_index_that_is_what_the_lines_say_matches() -> None:
    archive = Archive()
    assert checked(archive) == []
    odd = made_archive(31)
    odd_states = {state for state, _ in checked(odd)}
    assert odd_states <= {"matches", "stale"}
    archive.take([at(1), at(2)])
    archive.index(archive.events())
    assert checked(archive) == [("matches", "")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"user":"eve"', b'"user":"mallory"'),
        (b'"code":101', b'"code":null'),
        (b'"number":1', b'"number":7'),
        (b'"groups":["system:authenticated"]', b'"groups":[]'),
        (b"05:00", b"06:00"),
    ],
    ids=str,
)
def test_an_index_that_somebody_edited_differs(archive: Archive, tmp_path: Path, before: bytes, after: bytes) -> None:
    forged(archive, tmp_path, lambda row: row.replace(before, after))

    assert checked(archive) == [("differs", f"its rows are not the lines of {archive.events()[0]}")]


def test_an_index_without_some_rows_or_with_more_differs(archive: Archive, tmp_path: Path) -> None:
    forged(archive, tmp_path, lambda row: row if b'"number":0' in row else b"")
    assert checked(archive)[0][0] == "differs"
    archive.store.objects = {key: content for key, content in archive.store.objects.items() if "index/" not in key}
    forged(archive, tmp_path, lambda row: row + row.replace(b'"number":1', b'"number":2'))
    assert checked(archive)[0][0] == "differs"


def test_an_index_of_objects_that_are_gone_is_stale_and_a_damaged_one_differs(archive: Archive) -> None:
    (file, _) = archive.index(archive.events())
    gone = next(key for key in archive.events() if "hour=22" in key)
    del archive.store.objects[gone]
    assert sorted(state for state, _ in checked(archive)) == ["matches", "stale"]
    archive.store.put(file, b"PAR1")
    assert sorted(state for state, _ in checked(archive)) == ["differs", "matches"]


def edit_a_row(archive: Archive, folder: Path) -> None:
    forged(archive, folder, lambda row: row.replace(b'"user":"eve"', b'"user":"mallory"'))


def leave_out_a_row(archive: Archive, folder: Path) -> None:
    forged(archive, folder, lambda row: row if b'"number":0' in row else b"")


def add_a_row(archive: Archive, folder: Path) -> None:
    forged(archive, folder, lambda row: row + row.replace(b'"number":1', b'"number":2'))


def put_junk(archive: Archive, folder: Path) -> None:
    archive.store.put(archive.index(archive.events()[:1])[0], b"PAR1")


def copy_to_another_hour(archive: Archive, folder: Path) -> None:
    (file,) = archive.index(archive.events()[:1])
    archive.store.put(file.replace("hour=22", "hour=23"), archive.store.objects[file])


def delete_a_file(archive: Archive, folder: Path) -> None:
    del archive.store.objects[archive.index(archive.events()[:1])[0]]


@pytest.mark.parametrize(
    ("done", "states", "shown", "counted"),
    [
        (edit_a_row, {"differs"}, 4, 4),
        (leave_out_a_row, {"differs"}, 3, 3),
        (add_a_row, {"differs"}, 4, 6),
        (put_junk, {"differs"}, 4, 4),
        (copy_to_another_hour, {"differs", "matches"}, 4, 4),
        (delete_a_file, set(), 4, 4),
    ],
)
def test_what_can_be_done_to_the_index_and_what_comes_of_it(
    archive: Archive, tmp_path: Path, done: Any, states: set[str], shown: int, counted: int
) -> None:
    """The table of docs/evidence.md. Whatever is done, verifying sees the same archive."""
    world = World(archive.now, store=archive.store)
    world.after(hours=2).sealer().seal(world.order(everything=True))
    assert outcome(world.reports()) == 0

    done(archive, tmp_path)

    assert outcome(world.reports()) == 0
    assert {state for state, _ in checked(archive)} == states
    found, _ = ask(DuckDBEngine(archive.store), Query())
    assert len(found) == shown
    assert {line for _, _, line in found} <= {line for key in archive.events() for line in archive.lines(key)}
    assert count(DuckDBEngine(archive.store), Query())[0].events == counted


def test_a_database_reaches_nothing_but_its_folder(tmp_path: Path) -> None:
    with connect(tmp_path, memory="100MB") as connection:
        for sql in (
            "SELECT * FROM read_text('/etc/passwd')",
            "COPY (SELECT 1) TO '/tmp/out.csv'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
