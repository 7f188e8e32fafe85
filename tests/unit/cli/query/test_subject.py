"""``auditwire subject`` and ``auditwire index`` on a stack whose archive is a bucket."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from auditwire_cli.main import app
from local_road import exec_event
from searched import Archive

BUCKET = "archive-bucket"
TEMPLATE = {
    "Parameters": {
        "ArchiveRetentionDays": {"Type": "String", "Default": "30"},
        "EvidenceLock": {"Type": "String", "Default": "compliance"},
    },
    "Resources": {},
    "Outputs": {"ArchiveBucket": {"Value": BUCKET}},
}
JANE = {"username": "jane", "uid": "u-1", "groups": ["dev"], "extra": {"scopes": ["a"]}}
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    archive = Archive()
    archive.take(
        [
            exec_event(1, user=JANE, userAgent="kubectl"),
            exec_event(2, user={"username": "root"}, impersonatedUser={"username": "jane"}, sourceIPs=["198.51.100.1"]),
            exec_event(3, requestObject={"owner": "jane"}),
            exec_event(4, user={"username": "janet"}),
        ]
    )
    archive.take([exec_event(5, user=JANE, userAgent="kubectl")], cluster="test")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        for key, content in archive.store.objects.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        boto3.client("cloudformation", "us-east-1").create_stack(
            StackName="auditwire", TemplateBody=json.dumps(TEMPLATE)
        )

        def run(*words: str) -> Result:
            return CliRunner().invoke(app, [*words, "--region", "us-east-1"], catch_exceptions=False)

        yield run


def test_the_data_of_a_user_is_listed_with_its_end(run: Run) -> None:
    done = run("subject", "jane", "--format", "json")
    assert done.exit_code == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    end = f"{datetime.now(UTC) + timedelta(days=31):%Y-%m-%d}"

    assert said["events"] == 3
    assert said["data"] == {
        "name": {"jane": 3},
        "uid": {"u-1": 2},
        "group": {"dev": 2},
        "extra": {"scopes=a": 2},
        "source address": {"192.0.2.7": 2, "198.51.100.1": 1},
        "user agent": {"kubectl": 2},
    }
    where = {"month": "2026-11", "objects": 1, "removed_from": end, "removed_until": end}
    assert said["where"] == [{"cluster": "prod", "events": 2, **where}, {"cluster": "test", "events": 1, **where}]
    assert said["lock"] == "compliance"


def test_it_is_shown_to_people(run: Run) -> None:
    done = run("subject", "jane", "--cluster", "test")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "WHAT", "name", "uid", "group", "extra", "source", "user", "CLUSTER", "test",
    ]  # fmt: skip
    assert done.stderr.splitlines() == [
        "1 event",
        "objects are locked (compliance): nothing can be erased before it expires",
    ]


def test_events_that_only_mention_a_user_are_found_when_asked_for(run: Run) -> None:
    said = json.loads(run("subject", "jane", "--mentioned", "--format", "json").stdout)
    assert said["events"] == 5
    assert said["data"]["name"] == {"jane": 3}
    assert run("subject", "nobody").stderr.splitlines()[0] == "0 events"
    assert run("subject", "").exit_code == 2


def test_an_archive_is_indexed_afterwards(run: Run) -> None:
    assert run("index", "--max-cost", "0").exit_code == 2
    done = run("index")
    assert (done.exit_code, done.stderr) == (0, "2 objects in 2 new files of the index\n")
    assert run("index").stderr == "0 objects in 0 new files of the index\n"
    assert run("index", "--check").stderr == "matches: 2 files\n"
    done = run("query", "--user", "jane", "--from", "2026-11-21")
    assert "looked at 2 objects of 2026-11-21T22: 2 by the index, 0 scanned" in done.stderr


def test_what_cannot_be_indexed_is_counted(run: Run) -> None:
    key = "events/cluster=prod/date=2026-11-21/hour=22/20261121T220500.000000Z-" + "0" * 64 + ".jsonl.gz"
    boto3.client("s3", "us-east-1").put_object(Bucket=BUCKET, Key=key, Body=b"no gzip")
    done = run("index")
    assert done.exit_code == 0
    assert done.stderr.endswith("2 objects in 2 new files of the index; 1 object cannot be indexed\n")
    assert run("subject", "jane").exit_code == 1


def test_an_index_that_differs_is_named(run: Run) -> None:
    assert run("index", "--check").stderr == "no index\n"
    run("index")
    s3 = boto3.client("s3", "us-east-1")
    key = s3.list_objects_v2(Bucket=BUCKET, Prefix="index/")["Contents"][0]["Key"]
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"PAR1")
    done = run("index", "--check")
    assert done.exit_code == 1
    assert done.stdout == f"{key}: it is damaged, or is no file of this place\n"
