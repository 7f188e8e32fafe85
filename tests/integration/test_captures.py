"""Captured traffic of real clusters through the running endpoint: in every batch size and the shape of every sender."""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import urlsplit

import pytest

from auditwire.senders.kind import SenderKind
from auditwire_cli.send.bodies import body
from auditwire_cli.send.shape import Shape
from auditwire_local import ClusterCredential, LocalSystem, Options
from captures import captured_files, captured_lines, requires_captures
from local_road import EVENT_PATH
from waiting import until

pytestmark = requires_captures

SHAPES = (Shape.EVENT_LIST, Shape.KS3, Shape.KS4)
SIZES = (400, 25, 1)
LARGE = 500
REDACTED = "[REDACTED]"

RULES = dedent("""\
    apiVersion: auditing.kubesphere.io/v1alpha1
    kind: Rule
    metadata: {name: keep, labels: {type: archiving}}
    spec:
      rules:
      - {name: everything, type: rule, priority: DEBUG, condition: 'Verb exists'}
    """)


def combinations() -> Iterator[tuple[Path, Shape, int]]:
    """Every file, shape and size; the first single events of a large file in one shape only, for the time it takes."""
    for file in captured_files():
        large = len(captured_lines(file)) > LARGE
        for shape in SHAPES:
            for size in SIZES:
                if not (large and size == 1 and shape is not Shape.EVENT_LIST):
                    yield file, shape, size


def cluster_of(file: Path, shape: Shape, size: int) -> str:
    return f"{file.stem}-{shape.value}-{size}".lower().replace("_", "-")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    rules = tmp_path_factory.mktemp("rules")
    repository = Path(__file__).parents[2] / "rules"
    for name in ("alerting-rule.yaml", "webhook.yaml"):
        (rules / name).write_text((repository / name).read_text())
    (rules / "keep.yaml").write_text(RULES)
    clusters = {
        cluster_of(*one): ClusterCredential(f"credential-of-{cluster_of(*one)}", SenderKind.ANY)
        for one in combinations()
    }
    with LocalSystem.start(rules=rules, options=Options(clusters=clusters, batching_window=0)) as running:
        yield running


@pytest.mark.parametrize(
    ("file", "shape", "size"), list(combinations()), ids=lambda part: part.stem if isinstance(part, Path) else str(part)
)
def test_what_was_captured_is_archived_as_it_was_and_a_repeat_changes_nothing(
    system: LocalSystem, file: Path, shape: Shape, size: int
) -> None:
    cluster = cluster_of(file, shape, size)
    lines = captured_lines(file)
    if size == 1:
        lines = lines[:LARGE]
    before = system.status()

    send(system, cluster, lines, shape, size)

    after = system.status()
    assert after.received - before.received == len(lines)
    assert after.archived - before.archived == len(lines)
    assert sum(after.quarantined.values()) == sum(before.quarantined.values())
    archived = stored(system, cluster)
    assert sum(map(len, archived.values())) == len(lines)
    expected = sorted((json.loads(line) for line in lines), key=order)
    found = sorted((json.loads(line) for part in archived.values() for line in part), key=order)
    for event, line in zip(expected, found, strict=True):
        about = line.pop("_auditwire")
        assert line.pop("cluster") == cluster
        assert_equal_but_for_redactions(canonical(event, shape), canonical(line, shape), redacted="flags" in about)

    until(lambda: not waiting(system))
    alerts = active(system)
    send(system, cluster, lines, shape, size)
    until(lambda: not waiting(system))

    assert stored(system, cluster) == archived
    assert active(system) == alerts


def send(system: LocalSystem, cluster: str, lines: list[bytes], shape: Shape, size: int) -> None:
    """Post the lines as this cluster, in order; every answer must be an empty 200."""
    connection = HTTPConnection(urlsplit(system.url).netloc, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer credential-of-{cluster}"}
    for start in range(0, len(lines), size):
        connection.request("POST", f"{EVENT_PATH}?timeout=30s", body(lines[start : start + size], shape), headers)
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"")
    connection.close()


def stored(system: LocalSystem, cluster: str) -> dict[str, list[bytes]]:
    """The lines of the cluster's objects, by key and version."""
    s3, bucket = system.client("s3"), system.outputs["ArchiveBucket"]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"events/cluster={cluster}/")
    versions = [version for page in pages for version in page.get("Versions", ())]
    return {
        f"{version['Key']} {version['VersionId']}": gzip.decompress(
            s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        ).splitlines()
        for version in versions
    }


def waiting(system: LocalSystem) -> int:
    """How many alerts are on their way."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    queue = system.outputs["AlertsQueueUrl"]
    attributes = system.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(map(int, attributes.values()))


def active(system: LocalSystem) -> set[str]:
    """What tells active alerts apart: their labels."""
    assert system.alert_receiver is not None
    return {json.dumps(alert["labels"], sort_keys=True) for alert in system.alert_receiver.active()}


def canonical(event: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """The event without what says nothing: nulls, and texts that are empty where another sender leaves them out.

    ks-apiserver's own keys and those it does not write are left out for its shapes.
    """
    kubesphere = shape is not Shape.EVENT_LIST
    dropped = {"kind", "apiVersion", "workspace", "devops", "message", "HostName", "HostIP"} if kubesphere else set()
    kept = {key: value for key, value in event.items() if value not in (None, "") and key not in dropped}
    for key in ("user", "impersonatedUser", "objectRef"):
        if isinstance(kept.get(key), dict):
            kept[key] = {name: value for name, value in kept[key].items() if value not in (None, "")}
    if not kept.get("objectRef"):
        kept.pop("objectRef", None)
    for key in ("requestReceivedTimestamp", "stageTimestamp"):
        if key in kept:
            kept[key] = datetime.fromisoformat(kept[key])
    return kept


def assert_equal_but_for_redactions(expected: Any, found: Any, *, redacted: bool) -> None:
    """The archived event is the captured one, but for redacted values and a time taken from an older field."""
    if redacted and found == REDACTED:
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        assert expected.keys() | {"stageTimestamp"} >= found.keys() >= expected.keys()
        for key, value in expected.items():
            assert_equal_but_for_redactions(value, found[key], redacted=redacted)
    elif isinstance(expected, list) and isinstance(found, list):
        assert len(expected) == len(found)
        for one, other in zip(expected, found, strict=True):
            assert_equal_but_for_redactions(one, other, redacted=redacted)
    else:
        assert found == expected


def order(event: dict[str, Any]) -> tuple[str, ...]:
    """A place in a fixed order: a captured file may hold one request several times."""
    stamp = event.get("stageTimestamp") or event.get("timestamp") or ""
    return (event["auditID"], event["stage"], datetime.fromisoformat(stamp).isoformat() if stamp else "")
