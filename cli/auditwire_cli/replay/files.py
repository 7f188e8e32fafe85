"""Files of events as chunks. JSON lines are not read here: each worker reads its part of the file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from auditwire_cli.replay.chunks import Items, PackedFiles, Part, Sized
from auditwire_cli.send.audit_log import AuditLog, begins_with_events, open_audit_log

CHUNK_BYTES: Final = 2 << 20
_FILES_A_CHUNK: Final = 50


def total_size(names: Sequence[str]) -> int | None:
    """How many bytes these files have; None where standard input or a pipe is among them."""
    paths = [Path(name) for name in names]
    return None if not all(path.is_file() for path in paths) else sum(path.stat().st_size for path in paths)


def chunks_of_files(names: Sequence[str]) -> Iterator[Sized]:
    """The events of files, in order, - for standard input. Raises as open_audit_log does."""
    for name in names:
        with open_audit_log(name) as log:
            if log.size is not None and begins_with_events(Path(name)):
                yield from _parts(Path(name), log.size)
            else:
                yield from _items(log)


def _parts(path: Path, size: int) -> Iterator[Sized]:
    for start in range(0, size, CHUNK_BYTES):
        end = min(size, start + CHUNK_BYTES)
        yield Sized(Part(path, start, end), end - start, path.name)


def _items(log: AuditLog) -> Iterator[Sized]:
    texts: list[bytes] = []
    size, before = 0, 0
    for text in log.texts():
        texts.append(text)
        size += len(text)
        if size >= CHUNK_BYTES:
            position = log.position()
            yield Sized(Items(texts), position - before, log.name)
            texts, size, before = [], 0, position
    if texts:
        yield Sized(Items(texts), log.position() - before, log.name)


def chunks_of_folder(folder: Path, first: str, last: str, cluster: str | None) -> Iterator[Sized]:
    """The objects of a copy of the archive, of the hours from ``first`` to ``last``."""
    from auditwire.archive.keys import extended, parse_object_key

    paths: list[Path] = []
    for path in sorted(folder.glob("events/cluster=*/date=*/hour=*/*.jsonl.gz")):
        place = parse_object_key(path.relative_to(folder).as_posix())
        if place is None or cluster not in (None, place.cluster):
            continue
        if place.hour < first[:13] or extended(place.t) >= last:
            continue
        paths.append(path)
    for at in range(0, len(paths), _FILES_A_CHUNK):
        some = paths[at : at + _FILES_A_CHUNK]
        yield Sized(PackedFiles(some), len(some), some[0].parent.parent.name)
