"""The archive of a stack as chunks: objects of the bucket, or events of the table."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.ahead import read_ahead
from auditwire.archive.errors import ArchiveError, UnreadableError
from auditwire.archive.keys import EVENTS, events_of, extended, parse_object_key
from auditwire.archive.objects import object_chunks
from auditwire.archive.search import Search
from auditwire.archive.search_table import TableReader
from auditwire.aws.listing import objects_below
from auditwire.events.timestamps import as_text
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.replay.chunks import Items, Packed, Sized, Unreadable
from auditwire_cli.replay.files import CHUNK_BYTES
from auditwire_cli.stack import Deployment

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PACKED_BYTES: Final = 512 << 10
_THREADS: Final = 16


@dataclass(frozen=True, slots=True)
class Window:
    """The events to replay: of one cluster or of all, from ``start`` on, before ``end``."""

    start: datetime
    end: datetime | None = None
    cluster: str | None = None

    @property
    def first(self) -> str:
        """``start`` as a text that sorts like times in the archive."""
        return as_text(self.start)

    @property
    def last(self) -> str:
        """``end`` in the same way; behind every time where there is none."""
        return as_text(self.end) if self.end else ":"


def chunks_of_archive(found: Deployment, window: Window, unreadable: Unreadable) -> Iterator[Sized]:
    """The events of the window, by cluster and hour. Raises CommandError for what cannot be read.

    An object of the bucket is taken as a whole if a part of it may be within the window.
    """
    if found.outputs.get("ArchiveTable"):
        yield from _of_table(found, window, unreadable)
    else:
        yield from _of_bucket(found.client("s3"), found.output("ArchiveBucket"), window, unreadable)


def _of_bucket(client: "S3Client", bucket: str, window: Window, unreadable: Unreadable) -> Iterator[Sized]:
    def content(listed: tuple[str, str]) -> bytes | UnreadableError:
        try:
            return b"".join(object_chunks(client, bucket, listed[0]))
        except UnreadableError as error:
            return error

    objects: list[tuple[str, bytes]] = []
    size = 0
    try:
        with ThreadPoolExecutor(_THREADS) as pool:
            for (key, hour), packed in read_ahead(pool, _keys(client, bucket, window), content):
                if isinstance(packed, UnreadableError):
                    unreadable(str(packed))
                    continue
                objects.append((f"s3://{bucket}/{key}", packed))
                size += len(packed)
                if size >= _PACKED_BYTES:
                    yield Sized(Packed(objects), len(objects), f"read up to {hour}")
                    objects, size = [], 0
    except (ArchiveError, ClientError, BotoCoreError) as error:
        raise CommandError(f"s3://{bucket}/{EVENTS}: could not be read: {error}") from None
    if objects:
        yield Sized(Packed(objects), len(objects))


def _keys(client: "S3Client", bucket: str, window: Window) -> Iterator[tuple[str, str]]:
    """The objects of the window, with their hours."""
    for cluster in _clusters(client, bucket) if window.cluster is None else [window.cluster]:
        prefix = events_of(cluster)
        date, _, hour = window.first[:13].partition("T")
        for each in objects_below(client, bucket, prefix, start_after=f"{prefix}date={date}/hour={hour}"):
            place = parse_object_key(each["Key"])
            if place is not None and extended(place.t) < window.last:
                yield each["Key"], place.hour


def _clusters(client: "S3Client", bucket: str) -> list[str]:
    pages: Any = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=EVENTS, Delimiter="/")
    prefixes = (each["Prefix"] for page in pages for each in page.get("CommonPrefixes", []))
    return [prefix.removeprefix(f"{EVENTS}cluster=").rstrip("/") for prefix in prefixes if "cluster=" in prefix]


def _of_table(found: Deployment, window: Window, unreadable: Unreadable) -> Iterator[Sized]:
    if window.cluster is None:
        raise UsageError("this stack archives in DynamoDB, where every cluster is read by itself", "give --cluster")
    reader = TableReader(
        found.client("dynamodb"), found.output("ArchiveTable"), found.client("s3"), found.output("ArchiveBucket")
    )
    search = Search(cluster=window.cluster, start=window.start, end=window.end, is_newest_first=False)
    lines: list[bytes] = []
    size = 0
    for each in reader.find(search, lambda _hour: None, lambda error: unreadable(str(error))):
        lines.append(each.line)
        size += len(each.line)
        if size >= CHUNK_BYTES:
            yield Sized(Items(lines), len(lines), f"read up to {each.at[:13]}")
            lines, size = [], 0
    if lines:
        yield Sized(Items(lines), len(lines))
