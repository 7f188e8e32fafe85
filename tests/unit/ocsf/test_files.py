"""Files of records: what DuckDB reads of them is what the product's own decoder has read of the lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from auditwire.ocsf.parquet import ParquetError, connect_to, write_records
from auditwire.ocsf.record import MAX_RECORD_BYTES, record_of
from auditwire.ocsf.records_file import RecordsFile, lines_at
from auditwire.ocsf.spool import Spool
from ocsf_class import faults

KEY = f"events/cluster=prod/date=2026-11-21/hour=22/20261121T220000.000000Z-{'0' * 64}.jsonl.gz"
LINES = [
    orjson.dumps({"verb": "get", "stageTimestamp": "2026-11-21T22:05:00.000002Z", "user": {"username": "later"}}),
    orjson.dumps({"verb": "create", "stageTimestamp": "2026-11-21T22:05:00.000001Z", "sourceIPs": ["192.0.2.1"]}),
    rb'{"verb":"nul\u0000l","user":{"groups":["a","b"]},"requestObject":{"t":"\u0000\\\" ,1e400"},"n":1e400}',
    b'{"verb":"delete","verb":"list","responseStatus":{"code":9223372036854775808},"odd":"\xff"}',
    '{"verb":"é\u2028","requestObject":[1.0,12345678901234567890123]}'.encode(),
    b"no json",
    b'{"requestObject":"' + b"x" * (MAX_RECORD_BYTES // 2) + b'"}',
    b'{"requestObject":"' + b"x" * (MAX_RECORD_BYTES + 5) + b'"}',
]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect_to(tmp_path) as connection:
        yield connection


def rows(file: Path) -> list[dict[str, Any]]:
    found = duckdb.read_parquet(str(file))
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def plain(value: Any) -> Any:
    """A value without what is missing: Parquet has null there."""
    if isinstance(value, dict):
        return {name: made for name, each in value.items() if (made := plain(each)) is not None} or None
    if isinstance(value, list):
        return [plain(each) for each in value] or None
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if hasattr(value, "strftime") else value


def test_what_is_read_back_is_the_records_in_order_of_time(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    with RecordsFile(tmp_path / "records") as records:
        records.fill(lines_at(KEY, LINES), 1 << 40)
    assert records.count == len(LINES)

    write_records(connection, records.path, tmp_path / "file.parquet", len(LINES))

    found = rows(tmp_path / "file.parquet")
    assert [row["time_dt"] for row in found] == sorted(row["time_dt"] for row in found)
    assert [fault for row in found for fault in faults(row)] == []
    by_place = {row["metadata"]["uid"]: row for row in found}
    for number, line in enumerate(LINES[:-1]):
        place = f"{KEY}#{number}"
        expected = record_of(line, place, "20261121T220000.000000Z")
        assert plain(by_place[place]) == plain(json.loads(orjson.dumps(expected)))
    assert by_place[f"{KEY}#{len(LINES) - 1}"]["metadata"]["labels"] == ["shortened"]


def test_a_file_is_compressed_by_zstd(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    with RecordsFile(tmp_path / "records") as records:
        records.fill(lines_at(KEY, LINES[:2]), 1 << 40)
    write_records(connection, records.path, tmp_path / "file.parquet", 2)

    described = duckdb.execute("SELECT compression FROM parquet_metadata(?)", [str(tmp_path / "file.parquet")])
    assert set(described.fetchall()) == {("ZSTD",)}


def test_a_record_that_is_not_written_is_missed(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    with RecordsFile(tmp_path / "records") as records:
        records.fill(lines_at(KEY, LINES[:2]), 1 << 40)
    with pytest.raises(ParquetError, match="2 records were written instead of 3"):
        write_records(connection, records.path, tmp_path / "file.parquet", 3)


def test_a_file_is_full_whatever_senders_make_of_a_line(tmp_path: Path) -> None:
    lines = lines_at(KEY, LINES[:6])
    sizes = []
    for most in (1, 3_000, 1 << 40, 1 << 40):
        with RecordsFile(tmp_path / "records") as records:
            records.fill(lines, most)
        sizes.append(records.count)
    assert sizes == [1, 4, 1, 0]


def test_objects_are_held_while_there_is_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10)

    assert [spool.add("a", b"12345"), spool.add("b", b"678"), spool.add("c", b"901")] == [True, True, False]
    assert [spool.get("b"), spool.get("a"), spool.get("c")] == [b"678", b"12345", None]
    spool.keep(["a", "z"])
    assert [spool.get("a"), spool.get("b")] == [b"12345", None]
    assert spool.add("c", b"90123")
    assert (spool.get("c"), (tmp_path / "spool").stat().st_size) == (b"90123", 10)
    spool.close()
