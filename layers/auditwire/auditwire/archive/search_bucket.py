"""Searching the archive bucket: reads every object of a cluster's hours and picks out the matches."""

import heapq
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.ahead import MAX_AHEAD, read_ahead
from auditwire.archive.errors import ArchiveError, UnreadableError
from auditwire.archive.found import Found, found_in
from auditwire.archive.keys import EVENTS, events_of, extended, kept_at, parse_object_key
from auditwire.archive.needle import Needle
from auditwire.archive.objects import object_chunks
from auditwire.archive.search import Reading, Search, Unreadable
from auditwire.archive.stored_lines import inflated_blocks
from auditwire.aws.listing import objects_below

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CLUSTER: Final = re.compile(r"events/cluster=([a-z0-9-]{1,63})/")
_DATE: Final = re.compile(r".*/date=([0-9]{4}-[0-9]{2}-[0-9]{2})/")
_HOUR: Final = re.compile(r".*/hour=([0-9]{2})/")


@dataclass(frozen=True, slots=True)
class _Object:
    key: str
    hour: str
    t: str


@dataclass(slots=True)
class _Contents:
    """The matches in an object, and what of it could not be read."""

    found: list[Found] = field(default_factory=list)
    damage: UnreadableError | None = None


class BucketReader:
    """An ArchiveReader of one archive bucket. Holds some MiB of a few objects of each cluster in memory, and the
    matches of an hour, or as many of them as are wanted.

    Reads all objects of the hours in question; of all hours if the search names no time.
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def find(self, search: Search, reading: Reading, unreadable: Unreadable) -> Iterator[Found]:
        """See ArchiveReader.find."""
        clusters = self._clusters() if search.cluster is None else [search.cluster]
        with ThreadPoolExecutor(MAX_AHEAD) as pool:
            streams = [self._of_cluster(pool, cluster, search, reading, unreadable) for cluster in clusters]
            yield from heapq.merge(*streams, key=lambda found: found.at, reverse=search.is_newest_first)

    def _of_cluster(
        self, pool: ThreadPoolExecutor, cluster: str, search: Search, reading: Reading, unreadable: Unreadable
    ) -> Iterator[Found]:
        contents = read_ahead(pool, self._objects(cluster, search), partial(self._matches, search))
        # An object holds events of its hour only, so nothing of other hours can come between them.
        for hour, objects in groupby(contents, key=lambda each: each[0].hour):
            found: list[Found] = []
            for _, content in objects:
                reading(hour)
                if content.damage:
                    unreadable(content.damage)
                found += content.found
                found = _best(found, search)
            yield from search.in_order(found)

    def _clusters(self) -> list[str]:
        found = map(_CLUSTER.fullmatch, self._folders(EVENTS))
        return [cluster[1] for cluster in found if cluster]

    def _objects(self, cluster: str, search: Search) -> Iterator[_Object]:
        """The objects that may contain matches, hour by hour in the order of the search."""
        for prefix in self._hours(events_of(cluster), search):
            try:
                for each in objects_below(self._client, self._bucket, prefix):
                    place = parse_object_key(each["Key"])
                    if place is None:
                        continue
                    if extended(place.t) >= search.last:
                        break
                    yield _Object(each["Key"], place.hour, place.t)
            except (ClientError, BotoCoreError) as error:
                raise self._unlisted(prefix, error) from error

    def _hours(self, prefix: str, search: Search) -> Iterator[str]:
        """The prefixes of all hours between the times of the search that have objects."""
        first, last = search.first[: len("2026-11-21T22")], search.last
        order = reversed if search.is_newest_first else iter
        for day in order(self._folders(prefix)):
            date = _DATE.fullmatch(day)
            if not date or not first[: len("2026-11-21")] <= date[1] <= last:
                continue
            for folder in order(self._folders(day)):
                hour = _HOUR.fullmatch(folder)
                if hour and first <= f"{date[1]}T{hour[1]}" <= last:
                    yield folder

    def _folders(self, prefix: str) -> list[str]:
        """The prefixes one level below, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        try:
            return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
        except (ClientError, BotoCoreError) as error:
            raise self._unlisted(prefix, error) from error

    def _unlisted(self, prefix: str, error: Exception) -> ArchiveError:
        return ArchiveError(f"s3://{self._bucket}/{prefix}: could not be listed: {error}")

    def _matches(self, search: Search, listed: _Object) -> _Contents:
        place = f"s3://{self._bucket}/{listed.key}"
        matches, at = search.matcher(), partial(kept_at, t=listed.t)
        lines = Needle(*search.texts).lines if search.texts else bytes.splitlines
        contents = _Contents()
        try:
            for block in inflated_blocks(object_chunks(self._client, self._bucket, listed.key), place):
                for line in lines(block):
                    try:
                        found = found_in(line, place, at)
                    except UnreadableError as error:
                        contents.damage = contents.damage or error
                        continue
                    if matches(found):
                        contents.found.append(found)
                contents.found = _best(contents.found, search)
        except UnreadableError as error:
            contents.damage = error
        return contents


def _best(found: list[Found], search: Search) -> list[Found]:
    """Leaves out what is too much, now and then."""
    return search.in_order(found) if search.limit and len(found) > 2 * search.limit else found
