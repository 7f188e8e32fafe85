"""The export of what is sealed: every event once, whatever fails, comes late or is gone; and no seal waits for it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from auditwire.events import inflate
from auditwire.evidence.alerts import alerts_about_export
from auditwire.evidence.errors import EvidenceError
from auditwire.evidence.export_note import Position, note_key, write_position
from auditwire.evidence.exporting import Export, ExportDone, Exporting
from auditwire.evidence.seal import seal_key
from auditwire.evidence.sealing import Sealed
from auditwire.ocsf import layout
from auditwire.ocsf.destination import DestinationError
from auditwire.ocsf.layout import Place
from sealed import NOON, LocalKey, World, outcome


@dataclass
class Lake:
    """A foreign bucket. ``refuses`` says how many puts it refuses."""

    files: dict[str, bytes] = field(default_factory=dict)
    refuses: int = 0
    puts: int = 0

    def put(self, key: str, file: Path) -> None:
        self.puts += 1
        if self.refuses:
            self.refuses -= 1
            raise DestinationError(f"s3://lake/{key}: could not be stored: AccessDenied")
        self.files[key] = file.read_bytes()

    def places(self, tmp_path: Path) -> list[str]:
        """Where the events lie that were exported, each as often as it was."""
        found = []
        for number, (key, content) in enumerate(sorted(self.files.items())):
            (tmp_path / f"{number}.parquet").write_bytes(content)
            rows = duckdb.read_parquet(str(tmp_path / f"{number}.parquet"))
            for uid, moment in rows.select("metadata.uid", "time_dt").fetchall():
                found.append(uid)
                assert f"/eventDay={moment:%Y%m%d}/" in key
        return sorted(found)


@dataclass
class Siem:
    """A world whose seals are exported to a lake."""

    world: World = field(default_factory=World)
    lake: Lake = field(default_factory=Lake)

    def seal(
        self, may_go_on: Callable[[], bool] = lambda: True, *, exporting: bool = True
    ) -> tuple[Sealed, ExportDone]:
        """Seals what arrived before now, and exports it."""
        world = self.world
        if not exporting:
            return world.seal(), ExportDone()
        export = Export(self.lake, Place("ext/a/", "r", "1"))
        with Exporting(world.store, "prod", export) as exporter:
            done = world.sealer(followers=[exporter]).seal(world.order())
            return done, exporter.run(done, may_go_on, world.now)

    def hour(self, *events: int, **seal: Any) -> ExportDone:
        """Batches of so many events arrive; an hour later they are sealed and exported."""
        for number in events:
            self.world.after(seconds=1).arrive(number)
        self.world.after(hours=1)
        return self.seal(**seal)[1]

    def archived(self) -> list[str]:
        """Where every event lies."""
        return sorted(
            f"{key}#{number}"
            for key, content in self.world.store.objects.items()
            if key.startswith("events/")
            for number in range(inflate(content, "gzip").count(b"\n"))
        )

    def position(self) -> Any:
        return json.loads(self.world.store.objects[note_key("prod")])


@pytest.fixture
def siem() -> Siem:
    return Siem()


def test_every_event_is_exported_once_and_every_object_read_once(
    siem: Siem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = type(siem.world.store).read

    def counted(store: Any, key: str) -> Any:
        reads.append(key)
        return read(store, key)

    monkeypatch.setattr(type(siem.world.store), "read", counted)
    first = siem.hour(2, 3)
    siem.world.arrive(2, at=NOON - timedelta(days=1))
    second = siem.hour(1)

    assert (first.events, second.events, second.behind, second.failure) == (5, 3, 0.0, "")
    assert siem.lake.places(tmp_path) == siem.archived()
    of_events = [key for key in reads if key.startswith("events/")]
    assert sorted(of_events) == sorted(set(of_events))
    assert outcome(siem.world.reports()) == 0


def test_files_lie_as_security_lake_wants_them(siem: Siem) -> None:
    siem.hour(1)
    (key,) = siem.lake.files
    assert key.startswith("ext/a/region=r/accountId=1/eventDay=20261121/prod-0000000000-")


def test_an_hour_without_events_is_no_file(siem: Siem) -> None:
    siem.hour(1)
    assert siem.hour() == ExportDone()
    assert siem.position() == {"seal": siem.world.seal().last.seal.number + 1, "files": 0}  # type: ignore[union-attr]


def test_nothing_is_exported_before_anything_is_sealed(siem: Siem) -> None:
    assert siem.seal()[1] == ExportDone()
    assert siem.lake.puts == 0


def test_what_a_lake_refuses_is_sealed_all_the_same_and_exported_the_next_time(siem: Siem, tmp_path: Path) -> None:
    siem.lake.refuses = 1
    failed = siem.hour(2)

    assert "could not be stored" in failed.failure
    assert failed.behind == 0.0
    assert outcome(siem.world.reports()) == 0
    siem.lake.refuses = 1
    assert siem.hour(1).behind == 3_601.0

    done = siem.hour(3)

    assert (done.failure, done.events, done.behind) == ("", 6, 0.0)
    assert siem.lake.places(tmp_path) == siem.archived()


def test_a_file_that_was_written_when_noting_failed_is_replaced(
    siem: Siem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    siem.hour(1)
    put = type(siem.world.store).put

    def refuse(store: Any, key: str, content: bytes) -> None:
        if key.startswith("export/"):
            raise EvidenceError("the note cannot be written")
        put(store, key, content)

    with monkeypatch.context() as patch:
        patch.setattr(type(siem.world.store), "put", refuse)
        assert siem.hour(2).failure == "EvidenceError: the note cannot be written"
    puts = siem.lake.puts

    assert siem.hour().events == 2
    assert siem.lake.puts == puts + 1
    assert siem.lake.places(tmp_path) == siem.archived()


def test_a_busy_hour_has_several_files_and_goes_on_behind_those_that_are_written(
    siem: Siem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MAX_EVENTS", 3)
    left = iter([True, True, False])
    late = siem.hour(2, 2, 2, 2, may_go_on=lambda: next(left))

    assert (late.is_late, late.files, late.behind) == (True, 2, 0.0)
    assert siem.position() == {"seal": 0, "files": 2}
    done = siem.hour()
    assert (done.files, siem.lake.puts) == (2, 4)
    assert siem.lake.places(tmp_path) == siem.archived()


def test_what_is_too_large_for_one_file_has_several(
    siem: Siem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditwire.evidence.exporting.MAX_RECORDS_BYTES", 5_000)
    assert siem.hour(3, 3, 1).files == 3
    assert [key.rpartition("-")[2] for key in siem.lake.files] == ["0000.parquet", "1.parquet", "2.parquet"]
    assert siem.lake.places(tmp_path) == siem.archived()


def test_objects_for_which_there_was_no_room_are_read_again(
    siem: Siem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditwire.evidence.exporting.MAX_SPOOLED_BYTES", 500)
    assert siem.hour(2, 2, 2).events == 6
    assert siem.lake.places(tmp_path) == siem.archived()


def test_it_begins_with_the_first_seal_that_is_made_while_it_is_on_and_goes_on_after_a_pause(
    siem: Siem, tmp_path: Path
) -> None:
    siem.hour(2, exporting=False)
    before = siem.archived()
    siem.hour(1)
    siem.hour(1, exporting=False)
    assert siem.hour(1).events == 2
    assert siem.lake.places(tmp_path) == [place for place in siem.archived() if place not in before]


def test_an_older_archive_is_exported_from_the_seal_that_somebody_notes(siem: Siem, tmp_path: Path) -> None:
    siem.hour(2, exporting=False)
    siem.hour(1, exporting=False)
    write_position(siem.world.store, "prod", Position(0))

    assert siem.hour(1).events == 4
    assert siem.lake.places(tmp_path) == siem.archived()


def test_where_it_begins_is_noted_before_anything_can_fail(siem: Siem, tmp_path: Path) -> None:
    siem.world.after(seconds=1).arrive(2)
    siem.world.after(hours=2)
    with Exporting(siem.world.store, "prod", Export(siem.lake, Place("", "r", "1"))) as exporter:
        sealer = siem.world.sealer(followers=[exporter])
        sealer.seal(siem.world.order())
        # The process ends here.
    siem.hour(1)
    assert siem.lake.places(tmp_path) == siem.archived()


def test_the_key_may_change_meanwhile(siem: Siem, tmp_path: Path) -> None:
    siem.hour(1)
    siem.lake.refuses = 2
    siem.hour(1)
    siem.world.key = LocalKey()
    siem.hour(1)

    assert siem.hour(1).events == 3
    assert siem.lake.places(tmp_path) == siem.archived()


def test_a_seal_that_somebody_made_up_exports_nothing(siem: Siem, tmp_path: Path) -> None:
    siem.hour(2)
    store = siem.world.store
    store.put(seal_key("prod", 7), store.objects[seal_key("prod", 0)])
    siem.hour(1)
    assert siem.lake.places(tmp_path) == siem.archived()


@pytest.mark.parametrize(("content", "reason"), [(None, "gone"), (b"changed", "changed")])
def test_what_is_not_there_any_more_as_it_was_is_told_and_the_rest_exported(
    siem: Siem, content: bytes | None, reason: str
) -> None:
    siem.lake.refuses = 1
    lost = siem.world.after(seconds=1).arrive(3)
    siem.hour(1)
    if content is None:
        del siem.world.store.objects[lost]
    else:
        siem.world.store.objects[lost] = content

    done = siem.hour(1)

    assert (done.events, done.lost, done.failure) == (2, {reason: 3}, "")
    (alert,) = alerts_about_export(done, "prod", NOON)
    assert alert.labels["alertname"] == "auditwire.ExportIncomplete"
    assert alert.labels["reason"] == reason
    assert alert.annotations["message"] == f"3 events of cluster prod cannot be exported as OCSF: {reason}."


@pytest.mark.parametrize("damage", ["gone", "text", "objects"])
def test_a_seal_that_is_gone_or_changed_is_told_and_those_behind_it_are_exported(siem: Siem, damage: str) -> None:
    siem.lake.refuses = 2
    siem.hour(1)
    siem.hour(1)
    key, store = seal_key("prod", siem.position()["seal"]), siem.world.store
    if damage == "gone":
        del store.objects[key]
    else:
        member = "seal" if damage == "text" else "objects"
        document = json.loads(store.objects[key])
        document[member] = document[member].replace("cluster", "clustre", 1)
        store.objects[key] = json.dumps(document).encode()

    done = siem.hour(1)

    assert (done.lost, done.failure, done.events) == ({"seal_missing": 1}, "", 2)
    (alert,) = alerts_about_export(done, "prod", NOON)
    assert "1 seals of cluster prod" in alert.annotations["message"]
    assert siem.hour(1).lost == {}


def test_a_chain_that_begins_anew_is_told_and_exported(siem: Siem, tmp_path: Path) -> None:
    siem.hour(1)
    siem.lake.refuses = 1
    siem.hour(2)
    store = siem.world.store
    for key in [key for key in store.objects if key.startswith("seals/")]:
        del store.objects[key]

    done = siem.hour(1)

    assert (done.lost, done.failure) == ({"seal_missing": 1}, "")
    assert set(siem.lake.places(tmp_path)) == set(siem.archived())
    assert siem.hour(1).lost == {}


@pytest.mark.parametrize("note", [b"", b"no json", b'{"seal":-1}', b'{"seal":1,"more":2}', b"\xff"])
def test_a_note_that_is_none_stops_the_export_aloud_and_no_seal(siem: Siem, note: bytes) -> None:
    siem.hour(1)
    siem.world.store.put(note_key("prod"), note)

    done = siem.hour(1)

    assert "is no note of an export" in done.failure
    assert done.behind is None
    assert outcome(siem.world.reports()) == 0


@pytest.mark.parametrize("module", ["record.encode_record", "parquet.write_records", "parquet.connect_to"])
def test_no_fault_of_the_mapping_or_of_duckdb_delays_a_seal(
    siem: Siem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    def fail(*arguments: Any) -> Any:
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(f"auditwire.ocsf.{module}", fail)
        if module.endswith("encode_record"):
            patch.setattr("auditwire.ocsf.records_file.encode_record", fail)
        done = siem.hour(2)
    assert done.failure == "MemoryError: no room"
    assert outcome(siem.world.reports()) == 0
    siem.hour(1)
    assert siem.lake.places(tmp_path) == siem.archived()


def test_a_folder_without_room_is_no_reason_to_miss_anything(
    siem: Siem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> bool:
        raise OSError("no space left on device")

    monkeypatch.setattr("auditwire.ocsf.spool.Spool.add", full)
    siem.hour(2)
    assert siem.lake.places(tmp_path) == siem.archived()


def test_how_far_behind_it_is_counts_from_the_oldest_seal_that_waits(siem: Siem) -> None:
    siem.hour(1)
    siem.lake.refuses = 100
    behind = [siem.hour(1).behind for _ in range(3)]
    assert behind == [0.0, 3_601.0, 7_202.0]


def test_logged_is_what_became_of_it(siem: Siem) -> None:
    siem.lake.refuses = 1
    fields = siem.hour(1).log_fields()
    assert (fields["events"], fields["behind_seconds"], fields["handed_over"]) == (0, 0, False)
    assert fields["failure"].startswith("DestinationError: s3://lake/ext/a/")
