"""Searching the archive bucket: reads every object of a cluster's hours and picks out the matches."""

import heapq
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.ahead import MAX_AHEAD, read_ahead
from auditwire.archive.errors import ArchiveError
from auditwire.archive.keys import EVENTS, events_of, extended, kept_at, parse_object_key
from auditwire.archive.needle import Needle
from auditwire.archive.search import Found, Reading, Search, found_in, inflated
from auditwire.aws.listing import objects_below

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CLUSTER = re.compile(r"events/cluster=([a-z0-9-]{1,63})/")


@dataclass(frozen=True, slots=True)
class _Object:
    key: str
    hour: str
    t: str


class BucketReader:
    """An ArchiveReader of one archive bucket. Holds only a few objects of each cluster in memory, whatever the size of
    the bucket.

    Reads all objects of the hours in question; of all hours if the search names no time.
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def find(self, search: Search, reading: Reading) -> Iterator[Found]:
        """See ArchiveReader.find."""
        clusters = self._clusters() if search.cluster is None else [search.cluster]
        with ThreadPoolExecutor(MAX_AHEAD) as pool:
            streams = [self._of_cluster(pool, cluster, search, reading) for cluster in clusters]
            yield from heapq.merge(*streams, key=lambda found: found.at)

    def _of_cluster(self, pool: ThreadPoolExecutor, cluster: str, search: Search, reading: Reading) -> Iterator[Found]:
        # Keys are in order of the earliest event of each object. So what is earlier than the next object can be yielded
        # at once, and only what overlaps has to wait.
        waiting: list[tuple[str, int, Found]] = []
        order, matches = count(), search.matcher()
        needle = Needle(search.text) if search.text else None
        for listed, content in read_ahead(pool, self._objects(cluster, search), self._content):
            reading(listed.hour)
            start = extended(listed.t)
            while waiting and waiting[0][0] < start:
                yield heapq.heappop(waiting)[2]
            at = partial(kept_at, t=listed.t)
            for line in needle.lines(content) if needle else content.splitlines():
                found = found_in(line, f"s3://{self._bucket}/{listed.key}", at)
                if matches(found):
                    heapq.heappush(waiting, (found.at, next(order), found))
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _clusters(self) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=EVENTS, Delimiter="/"
        )
        try:
            found = [_CLUSTER.fullmatch(each["Prefix"]) for page in pages for each in page.get("CommonPrefixes", [])]
        except (ClientError, BotoCoreError) as error:
            raise ArchiveError(f"s3://{self._bucket}/{EVENTS}: could not be listed: {error}") from error
        return [cluster[1] for cluster in found if cluster]

    def _objects(self, cluster: str, search: Search) -> Iterator[_Object]:
        """The objects that may contain matches, in order."""
        prefix = events_of(cluster)
        # The day and hour of "2026-11-21T22:05:..."; empty for "0", so that no key is left out.
        date, _, hour = search.first[:13].partition("T")
        start = f"{prefix}date={date}/hour={hour}"
        try:
            for each in objects_below(self._client, self._bucket, prefix, start_after=start):
                place = parse_object_key(each["Key"])
                if place is None:
                    continue
                if extended(place.t) >= search.last:
                    return
                yield _Object(each["Key"], place.hour, place.t)
        except (ClientError, BotoCoreError) as error:
            raise ArchiveError(f"s3://{self._bucket}/{prefix}: could not be listed: {error}") from error

    def _content(self, listed: _Object) -> bytes:
        place = f"s3://{self._bucket}/{listed.key}"
        try:
            packed = self._client.get_object(Bucket=self._bucket, Key=listed.key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise ArchiveError(f"{place}: could not be read: {error}") from error
        return inflated(packed, place)
