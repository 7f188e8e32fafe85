"""Captured traffic of real clusters through the running endpoint: in every batch size and the shape of every sender."""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from auditwire.senders.kind import SenderKind
from auditwire_cli.send.bodies import body
from auditwire_cli.send.shape import Shape
from auditwire_local import ClusterCredential, LocalSystem, Options
from captures import Capture, assert_equal_but_for_redactions, logs, own_bodies, own_logs
from local_road import EVENT_PATH
from rule_texts import one_rule
from waiting import HANG_SECONDS, until

SHAPES = (Shape.EVENT_LIST, Shape.KS3, Shape.KS4)
MAX_SINGLE = 50
"""How many events are sent one by one, for the time it takes."""

RULES = one_rule("keep", "AuditID exists", kind="archiving", rule_name="everything")


def combinations() -> Iterator[tuple[Capture, Shape, int]]:
    """Every log in every shape, whole; the first of them in small batches and one by one too."""
    for log in logs():
        yield from ((log, shape, 400) for shape in SHAPES)
    for shape in SHAPES:
        yield own_logs()[0], shape, 25
        yield own_logs()[0], shape, 1


def cluster_of(capture: Capture, *more: object) -> str:
    """A name of its own for everything that is sent."""
    return re.sub("[^a-z0-9]+", "-", "-".join([capture.name, *map(str, more)]).lower())[-63:].strip("-")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    rules = tmp_path_factory.mktemp("rules")
    repository = Path(__file__).parents[2] / "rules"
    for name in ("alerting-rule.yaml", "webhook.yaml"):
        (rules / name).write_text((repository / name).read_text())
    (rules / "keep.yaml").write_text(RULES)
    names = [cluster_of(*one) for one in combinations()] + [cluster_of(capture) for capture in own_bodies()]
    assert len(names) == len(set(names))
    clusters = {name: ClusterCredential(f"credential-of-{name}", SenderKind.ANY) for name in names}
    with LocalSystem.start(rules=rules, options=Options(clusters=clusters, batching_window=0)) as running:
        yield running


@pytest.mark.parametrize(
    ("log", "shape", "size"),
    list(combinations()),
    ids=lambda part: part.name if isinstance(part, Capture) else str(part),
)
def test_what_was_captured_is_archived_as_it_was_and_a_repeat_changes_nothing(
    system: LocalSystem, log: Capture, shape: Shape, size: int
) -> None:
    cluster = cluster_of(log, shape, size)
    lines = list(log.lines)
    if size == 1:
        lines = lines[:MAX_SINGLE]
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


@pytest.mark.parametrize("capture", own_bodies(), ids=lambda capture: capture.name)
def test_a_captured_body_is_taken_as_it_came(system: LocalSystem, capture: Capture) -> None:
    cluster = cluster_of(capture)
    sent = capture.events()
    before = system.status()

    post(system, cluster, capture.lines)

    after = system.status()
    assert after.archived - before.archived == after.received - before.received == len(sent)
    archived = [json.loads(line) for part in stored(system, cluster).values() for line in part]
    assert sorted(line["auditID"] for line in archived) == sorted(id_of(event) for event in sent)


def id_of(event: dict[str, Any]) -> str:
    return str(event.get("auditID", event.get("AuditID")))


def send(system: LocalSystem, cluster: str, lines: list[bytes], shape: Shape, size: int) -> None:
    """Post the lines as this cluster, in order; every answer must be an empty 200."""
    post(system, cluster, [body(lines[start : start + size], shape) for start in range(0, len(lines), size)])


def post(system: LocalSystem, cluster: str, bodies: Sequence[bytes]) -> None:
    """Post each body as this cluster; every answer must be an empty 200."""
    connection = HTTPConnection(urlsplit(system.url).netloc, timeout=HANG_SECONDS)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer credential-of-{cluster}"}
    for one in bodies:
        connection.request("POST", f"{EVENT_PATH}?timeout=30s", one, headers)
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


def order(event: dict[str, Any]) -> tuple[str, ...]:
    """A place in a fixed order: a captured file may hold one request several times."""
    stamp = event.get("stageTimestamp") or event.get("timestamp") or ""
    return (event["auditID"], event["stage"], datetime.fromisoformat(stamp).isoformat() if stamp else "")
