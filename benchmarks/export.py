"""What exporting records of OCSF takes, as ratios to sealing and indexing the same events.

    .venv/bin/python benchmarks/export.py [--events 100000]

Makes an archive of one cluster over a day in a folder, seals it, and writes its events to Parquet, file by file as
the seal function does, but for the network. CPU time of the whole process, DuckDB's threads included. Then a file of as
many events as one may have is written in a process of its own, for the memory that takes.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from archived import CLUSTER, archived
from search import BATCH, make, seal

from auditwire.archive.keys import events_of, object_key
from auditwire.evidence.exporting import MAX_RECORDS_BYTES
from auditwire.evidence.folder import FolderReader
from auditwire.evidence.reading import content_of, lines_of
from auditwire.evidence.store import read_whole
from auditwire.ocsf.layout import MAX_EVENTS, Exported, Part, parts_of
from auditwire.ocsf.parquet import connect_to, write_records
from auditwire.ocsf.records_file import RecordsFile, lines_at

HOURS: Final = 24


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--file", action="store_true")
    given = parser.parse_args()
    if given.file:
        print(_largest())
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        stored, count = make(place, given.events, HOURS)
        _, sealing = seal(place)
        mapping, writing, size = export(place, parts(place))
        print(f"{count:,} events, {stored / count:.0f} bytes an event as archived")
        print("| of an event | | over sealing and indexing |")
        print("| --- | ---: | ---: |")
        for name, seconds in (
            ("sealing and indexing", sealing),
            ("records made", mapping),
            ("files written", writing),
            ("the export", mapping + writing),
        ):
            print(f"| {name} | {seconds / count * 1e6:.1f} µs | {seconds / sealing:.2f} |")
        print(f"| bytes exported | {size / count:.0f} | {size / stored:.2f} of the archive |")
        command = [sys.executable, __file__, "--file"]
        print(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)  # noqa: S603 - this file


def parts(folder: Path) -> list[Part]:
    """The files of an archive, hour by hour, as if each hour had a seal."""
    reader, found = FolderReader(folder), []
    for day in reader.folders(events_of(CLUSTER)).prefixes:
        for hour in reader.folders(day).prefixes:
            objects = [
                Exported(each.key, each.size, content_of(read_whole(reader, each.key)).count(b"\n"))
                for each in reader.listing(hour)
            ]
            found += parts_of(objects)
    return found


def export(folder: Path, several: list[Part]) -> tuple[float, float, int]:
    """Writes these files: CPU seconds for making records and for writing them, and bytes."""
    reader, mapping, writing, size = FolderReader(folder), 0.0, 0.0, 0
    with tempfile.TemporaryDirectory() as beside, connect_to(Path(beside)) as connection:
        file = Path(beside) / "file.parquet"
        for part in several:
            begun = time.process_time()
            with RecordsFile(Path(beside) / "records") as records:
                for each in part.objects:
                    lines = lines_of(content_of(read_whole(reader, each.key)))
                    records.fill(lines_at(each.key, lines), MAX_RECORDS_BYTES)
            made = time.process_time()
            write_records(connection, records.path, file, records.count)
            mapping, writing = mapping + made - begun, writing + time.process_time() - made
            size += file.stat().st_size
    return mapping, writing, size


def _largest() -> str:
    """Writes a file of as many events as one may have."""
    key = object_key(CLUSTER, "2026-11-21T22", "20261121T220000.000000Z", "0" * 64)
    lines = (line for _, packed in archived(MAX_EVENTS // BATCH, BATCH) for line in lines_of(content_of(packed)))
    with tempfile.TemporaryDirectory() as folder, connect_to(Path(folder)) as connection:
        with RecordsFile(Path(folder) / "records") as records:
            records.fill(lines_at(key, lines), MAX_RECORDS_BYTES)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        write_records(connection, records.path, Path(folder) / "file.parquet", records.count)
    taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return f"writing a file of {records.count:,} events takes {taken:.0f} MB of memory"


if __name__ == "__main__":
    main()
