"""What there is to import: files, folders and objects, opened one by one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from auditwire_cli.errors import UsageError

_CHUNK = 1 << 20
_S3 = "s3://"


@dataclass(frozen=True, slots=True)
class Found:
    """A file or an object. ``state`` changes with its content, ``stored`` is when it was written."""

    name: str
    size: int
    state: str
    stored: datetime
    chunks: Callable[[], Iterator[bytes]]


def everything_at(place: str, s3: Callable[[], Any]) -> Iterator[Found]:
    """What is at a place: a file, a folder with everything below it, or s3://BUCKET/PREFIX; ``s3`` makes a client.

    Raises UsageError for a place that is nowhere, and errors of botocore.
    """
    if place.startswith(_S3):
        yield from _objects(s3(), *place.removeprefix(_S3).partition("/")[::2])
        return
    path = Path(place)
    if not path.exists():
        raise UsageError(f"there is no {place}", "give a file, a folder, or s3://BUCKET/PREFIX")
    for file in sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]:
        about = file.stat()
        state, stored = f"{about.st_size}-{about.st_mtime_ns}", datetime.fromtimestamp(about.st_mtime, UTC)
        yield Found(str(file), about.st_size, state, stored, partial(_read, file))


def _read(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None


def _objects(s3: Any, bucket: str, prefix: str) -> Iterator[Found]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Contents", ()):
            key, size = one["Key"], one["Size"]
            etag = one["ETag"].strip('"')
            yield Found(f"{_S3}{bucket}/{key}", size, etag, one["LastModified"], partial(_get, s3, bucket, key))


def _get(s3: Any, bucket: str, key: str) -> Iterator[bytes]:
    chunks: Iterator[bytes] = s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(_CHUNK)
    return chunks
