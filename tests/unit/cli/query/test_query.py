"""``auditwire query`` on a stack whose archive is a bucket: every way to search it, counts, and files."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from auditwire.search.bucket import BucketObjects
from auditwire.search.index_builder import IndexBuilder
from auditwire_cli.main import app
from local_road import exec_event
from searched import Archive

BUCKET = "archive-bucket"
TEMPLATE = json.dumps(
    {
        "Resources": {},
        "Outputs": {"ArchiveBucket": {"Value": BUCKET}},
    }
)
Run = Callable[..., Result]


def at(number: int, time: str, **changes: Any) -> dict[str, Any]:
    return exec_event(number, stageTimestamp=f"2026-11-21T{time}.000000Z", **changes)


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    archive = Archive()
    keys = archive.take(
        [
            at(1, "22:05:00"),
            at(2, "22:15:00", user={"username": "=eve"}, verb="create"),
            at(3, "23:05:00", requestObject={"env": "a needle"}),
        ]
    )
    archive.take([at(4, "22:06:00")], cluster="test")
    with mock_aws():
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        for key, content in archive.store.objects.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        boto3.client("cloudformation", "us-east-1").create_stack(StackName="auditwire", TemplateBody=TEMPLATE)

        def put(key: str, content: bytes) -> None:
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)

        with IndexBuilder(put) as builder:
            for listed in BucketObjects(s3, BUCKET).listing(keys[0]):
                assert listed.modified
                builder.add(listed.key, listed.size, int(listed.modified.timestamp()), archive.lines(listed.key))
            builder.write(keys)
        yield s3


@pytest.fixture
def run(bucket: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    def run(*words: str) -> Result:
        options = ["--region", "us-east-1", "--from", "2026-11-21"]
        return CliRunner().invoke(app, ["query", *words, *options], catch_exceptions=False)

    return run


def last_digits(done: Result) -> str:
    assert done.exit_code == 0, done.stderr
    return "".join(json.loads(line)["auditID"][-1] for line in done.stdout.splitlines())


@pytest.mark.parametrize("engine", ["auto", "scan", "duckdb"])
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), "3241"),
        (("--oldest-first",), "1423"),
        (("--cluster", "prod", "--user", "mallory"), "31"),
        (("--text", "needle"), "3"),
        (("--text", "needle", "--text", "mallory"), "3"),
        (("--text", "needle", "--user", "=eve"), ""),
        (("--limit", "2"), "32"),
        (("--verb", "create", "--code", "1xx"), "2"),
    ],
)
def test_every_engine_shows_the_same(run: Run, engine: str, words: tuple[str, ...], found: str) -> None:
    assert last_digits(run(*words, "--engine", engine, "--format", "json")) == found


def test_an_answer_says_what_it_rests_on(run: Run) -> None:
    done = run("--user", "mallory", "--limit", "1")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "1 event",
        "there are more than these 1; --limit shows more",
        "looked at 3 objects of 2026-11-21T22 to 2026-11-21T23: 1 by the index, 2 scanned",
    ]


def test_events_are_counted_by_fields(run: Run) -> None:
    done = run("--stats", "user, verb")
    assert done.stdout.splitlines() == [
        "USER     VERB    EVENTS",
        "mallory  get          3",
        "=eve     create       1",
    ]
    document = json.loads(run("--stats", "cluster", "--limit", "1", "--format", "json").stdout)
    assert document["events"] == 4
    assert document["stats"] == [{"values": {"cluster": "prod"}, "events": 3}]
    assert (document["covered"]["indexed"], document["covered"]["scanned"]) == (1, 2)


def test_events_are_counted_by_time(run: Run) -> None:
    done = run("--histogram", "30m", "--stats", "code")
    assert done.stdout.splitlines() == [
        "CODE  EVENTS",
        " 101       4",
        "TIME                  EVENTS",
        "2026-11-21T22:00:00Z       3  ########################################",
        "2026-11-21T22:30:00Z       0  -",
        "2026-11-21T23:00:00Z       1  ##############",
    ]
    document = json.loads(run("--histogram", "1d", "--user", "mallory", "--format", "json").stdout)
    assert document["histogram"] == [{"time": "2026-11-21T00:00:00Z", "events": 3}]


def test_events_are_exported(run: Run, tmp_path: Path) -> None:
    for name in ("all.jsonl", "all.csv", "all.parquet"):
        done = run("--export", name, "--limit", "1")
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr.splitlines()[0] == "4 events"
    lines = (tmp_path / "all.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["auditID"][-1] for line in lines] == ["3", "2", "4", "1"]
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["user"], row["object"], row["code"]) for row in rows][1] == ("'=eve", "pods/shop/web-2", "101")
    found = duckdb.read_parquet(str(tmp_path / "all.parquet")).project('"user", "number"').fetchall()
    assert found == [("mallory", 0), ("=eve", 1), ("mallory", 0), ("mallory", 0)]
    assert {path.name for path in tmp_path.iterdir()} == {"all.jsonl", "all.csv", "all.parquet"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--stats", "usr"), "--stats: there is no field 'usr'; there are time, received, cluster"),
        (("--stats", "time"), "--stats: time is a time; a histogram counts by it"),
        (("--histogram", "soon"), "--histogram: 'soon' is no interval; write it like 10m, 1h, 1d or 1M"),
        (("--histogram", "1s", "--from", "2026-01-01"), ""),
        (("--export", "x.txt"), "x.txt does not say what to write"),
        (("--export", "x.csv", "--stats", "user"), "--export writes events, not counts"),
        (("--text", ""), "--text is empty"),
    ],
)
def test_what_cannot_be_asked_is_refused(run: Run, words: tuple[str, ...], message: str) -> None:
    done = run(*words)
    assert done.exit_code == (2 if message else 0)
    assert done.stderr.startswith(f"auditwire: {message}" if message else "4 events")


def test_nothing_is_spent_without_a_yes(run: Run) -> None:
    asked = run("--max-cost", "0")
    assert asked.exit_code == 2
    assert asked.stderr.startswith("auditwire: nobody can answer: this reads up to 0.0 GB in 3 objects, for about")
    assert last_digits(run("--max-cost", "0", "--yes", "--format", "json")) == "3241"
    assert run("--max-cost", "0", "--engine", "scan").exit_code == 2


def test_athena_needs_its_tables(run: Run) -> None:
    done = run("--engine", "athena")
    assert done.exit_code == 2
    assert done.stderr.startswith("auditwire: the stack auditwire has no tables for Athena\n")


def test_a_file_that_is_there_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("mine")
    assert run("--export", "x.csv").exit_code == 2
    assert (tmp_path / "x.csv").read_text() == "mine"


def test_what_cannot_be_read_is_named_and_the_exit_code_says_so(run: Run, bucket: Any) -> None:
    key = "events/cluster=broken/date=2026-11-21/hour=22/20261121T220500.000000Z-" + "0" * 64 + ".jsonl.gz"
    bucket.put_object(Bucket=BUCKET, Key=key, Body=b"no gzip")
    try:
        done = run("--stats", "user")
    finally:
        bucket.delete_object(Bucket=BUCKET, Key=key)
    assert done.exit_code == 1
    assert f"s3://{BUCKET}/{key}: is damaged" in done.stderr
    assert "1 object could not be read whole: what is missing may be there" in done.stderr
