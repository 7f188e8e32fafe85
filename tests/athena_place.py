"""An archive in the stand-in's S3, half of it in the index, with the tables that Athena searches it by."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from auditwire.search import Coverage
from auditwire.search.athena import Athena
from auditwire.search.bucket import BucketObjects
from auditwire.search.index_builder import IndexBuilder
from auditwire_local.athena import mended_athena
from searched import Archive
from template import source

BUCKET = "archive-bucket"
DATABASE = "search"
WORKGROUP = "work"


@contextmanager
def athena_place(archive: Archive) -> Iterator[BucketObjects]:
    """Inside, boto3 reaches the stand-in."""
    with mock_aws(), mended_athena(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3, glue = boto3.client("s3"), boto3.client("glue")
        s3.create_bucket(Bucket=BUCKET)
        for key in archive.events():
            s3.put_object(Bucket=BUCKET, Key=key, Body=archive.store.objects[key])
        place = BucketObjects(s3, BUCKET)
        chance = random.Random(21)

        def put(key: str, content: bytes) -> None:
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)

        for _ in range(2):
            with IndexBuilder(put) as builder:
                for each in list(place.listing("events/")):
                    if chance.random() < 0.5:
                        assert each.modified
                        builder.add(each.key, each.size, int(each.modified.timestamp()), archive.lines(each.key))
                builder.write(archive.events())
        glue.create_database(DatabaseInput={"Name": DATABASE})
        for name in ("LinesTable", "IndexTable"):
            glue.create_table(DatabaseName=DATABASE, TableInput=_table(name))
        boto3.client("athena").create_work_group(
            Name=WORKGROUP, Configuration={"BytesScannedCutoffPerQuery": 10_000_000}
        )
        yield place


class SlowAthena:
    """Athena, where each query runs for ten seconds before it has ended. ``now`` is the clock."""

    def __init__(self) -> None:
        self.client = boto3.client("athena")
        self.now, self.started, self.stopped = 0.0, dict[str, float](), list[str]()
        self.athena = Athena(cast("Any", self), WORKGROUP, DATABASE, sleep=self.sleep)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def start_query_execution(self, **given: Any) -> Any:
        answer = self.client.start_query_execution(**given)
        self.started.setdefault(answer["QueryExecutionId"], self.now)
        return answer

    def get_query_execution(self, **given: Any) -> Any:
        if self.now < self.started[given["QueryExecutionId"]] + 10:
            return {"QueryExecution": {"Status": {"State": "RUNNING"}}}
        return self.client.get_query_execution(**given)

    def stop_query_execution(self, **given: Any) -> None:
        self.stopped.append(given["QueryExecutionId"])

    def within(self, seconds: float, search: str) -> Coverage:
        end = self.now + seconds
        return Coverage(may_go_on=lambda: self.now < end, search=search)


def _table(name: str) -> dict[str, Any]:
    given: dict[str, Any] = source()["Resources"][name]["Properties"]["TableInput"]
    place = given["StorageDescriptor"]["Location"]["Fn::Sub"].replace("${ArchiveBucket}", BUCKET)
    return {**given, "StorageDescriptor": {**given["StorageDescriptor"], "Location": place}}
