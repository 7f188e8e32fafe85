"""Archives to search, in memory: objects as ingest stores them, an index of some of them, and what is not welcome."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson

from archive_table import RECEIVED, settled
from auditwire.archive import batch_digest, object_key, partition
from auditwire.archive.found import Found
from auditwire.archive.keys import kept_at, parse_object_key
from auditwire.events import encode_line, inflate
from auditwire.events.gzipping import gzip_lines
from auditwire.evidence.store import MemoryStore
from auditwire.search import Coverage, Engine, Page, Query, Summary, Wanted
from auditwire.search.index_builder import IndexBuilder
from local_road import exec_event

START = datetime(2026, 11, 21, 20, tzinfo=UTC)


@dataclass
class Archive:
    """An archive that grows. Everything arrives at ``now``."""

    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.store.clock = lambda: self.now

    def take(self, events: Sequence[dict[str, Any]], cluster: str = "prod") -> list[str]:
        """Stores a batch as ingest does, flags and all. The keys of its objects."""
        made = settled(*events, cluster=cluster)
        digest = batch_digest(cluster, orjson.dumps(events))
        keys = []
        for group in partition(made, RECEIVED):
            lines = []
            for at in group.members:
                event = made[at]
                about: dict[str, Any] = {"batch": digest, "archiving": [f"doc.{event.verb}"]}
                if event.verb == "create":
                    about["alerting"] = ["doc.Created"]
                if at in group.strays:
                    about["flags"] = ["other_hour"]
                lines.append(encode_line(event, about))
            keys.append(object_key(cluster, group.hour, group.t, digest))
            self.store.put(keys[-1], gzip_lines(lines))
        return keys

    def put_lines(self, lines: Iterable[bytes], cluster: str = "prod", hour: str = "2026-11-21T22") -> str:
        """Stores an object of any lines."""
        several = list(lines)
        t = f"{hour.replace('-', '')}0000.000000Z"
        key = object_key(cluster, hour, t, batch_digest(cluster, b"".join(several)))
        self.store.put(key, gzip_lines(several))
        return key

    def index(self, keys: Iterable[str]) -> list[str]:
        """Builds the index of some objects, as far as it can hold them."""
        with IndexBuilder(self.store.put) as builder:
            for key in keys:
                listed = next(self.store.listing(key))
                assert listed.modified
                builder.add(key, listed.size, int(listed.modified.timestamp()), self.lines(key))
            return builder.write(keys)

    def lines(self, key: str) -> list[bytes]:
        return inflate(self.store.objects[key], "gzip").removesuffix(b"\n").split(b"\n")

    def events(self) -> list[str]:
        """The keys of all objects with events."""
        return [key for key in self.store.objects if key.startswith("events/")]


@dataclass(frozen=True)
class Row:
    """An event as Python's own JSON reads it: what every engine is held against."""

    at: str
    key: str
    number: int
    line: bytes
    event: dict[str, Any]


def rows_of(archive: Archive) -> list[Row]:
    """All events in the order of their times and places."""
    rows = []
    for key in archive.events():
        place = parse_object_key(key)
        assert place
        for number, line in enumerate(archive.lines(key)):
            event = json.loads(line)
            at = kept_at(event["stageTimestamp"], event["_auditwire"].get("flags", ()), place.t)
            rows.append(Row(at, key, number, line, event))
    return sorted(rows, key=lambda row: (row.at, row.key, row.number))


def ask(engine: Engine, query: Query, page: Page | None = None) -> tuple[list[tuple[str, int, bytes]], Coverage]:
    """What an engine finds: where each event lies, and its line."""
    coverage = Coverage()
    found = [(hit.key, hit.number, hit.found.line) for hit in engine.rows(query, page or Page(), coverage)]
    return found, coverage


def count(engine: Engine, query: Query, wanted: Wanted | None = None) -> tuple[Summary, Coverage]:
    coverage = Coverage()
    return engine.summarise(query, wanted or Wanted(), coverage), coverage


USERS = ("mallory", "eve", "système", "a'b\"c", "nul\0l", "%_*", "", "A" * 300)
VERBS = ("get", "create", "delete", "deletecollection")
NAMESPACES = ("shop", "kube-system", "")
RESOURCES = (("pods", ""), ("deployments", "apps"), ("namespaces", ""), ("secrets", ""))


def odd_event(chance: random.Random, number: int) -> dict[str, Any]:
    """An event such as a client may cause: late, undated, with hostile names."""
    resource, group = chance.choice(RESOURCES)
    moment = START + timedelta(seconds=chance.choice((0, 1, 3599, 3600, 5000, 7201)), milliseconds=chance.randrange(3))
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    event = exec_event(
        number if chance.random() < 0.9 else 1,
        verb=chance.choice(VERBS),
        user={"username": chance.choice(USERS), "groups": chance.choice((["dev"], ["dev", "ops", "dev"], []))},
        sourceIPs=chance.choice((["192.0.2.7"], ["198.51.100.1", "192.0.2.9"], [])),
        objectRef={"resource": resource, "apiGroup": group, "namespace": chance.choice(NAMESPACES),
                   "name": chance.choice(("web", "shop", "", "web/exec")),
                   "subresource": chance.choice(("", "exec"))},
        responseStatus=chance.choice(({"code": 200}, {"code": 403, "reason": "Forbidden"}, {"metadata": {}}, None)),
        requestObject={"text": chance.choice(("needle", 'say "hi"', "é\0", "plain"))},
        annotations={"authorization.k8s.io/decision": chance.choice(("allow", "forbid"))},
        workspace=chance.choice(("ws", "")),
        stageTimestamp=stamp,
        requestReceivedTimestamp=chance.choice((stamp, "2026-11-21T20:00:00.000000Z", "")),
    )  # fmt: skip
    if chance.random() < 0.1:
        event = {key: value for key, value in event.items() if not key.endswith("Timestamp")}
    return event


def odd_lines(archive: Archive) -> None:
    """Objects that no sender can cause, and that somebody with the bucket can put there: a key twice, a number beyond
    all bounds, a line that says it is another's."""
    (line,) = archive.lines(archive.take([exec_event(77)])[0])
    twice = line.replace(b'"user":', b'"user":{"username":"first"},"user":', 1)
    endless = line.replace(b'"requestURI":', b'"annotations":{"n":"1"},"size":1e400,"requestURI":', 1)
    within = line.replace(b'"requestURI":', b'"requestObject":' + line + b',"requestURI":', 1)
    archive.put_lines([within, line, twice, endless, line.replace(b"mallory", rb"mallor\u0079")])
    archive.put_lines([line], cluster="2026")


@cache
def made_archive(seed: int, batches: int = 6) -> Archive:
    """An archive with everything in it that is odd; about half of it is in the index. Leave it as it is: others search
    it too."""
    chance = random.Random(seed)
    archive = Archive()
    keys: list[str] = []
    for batch in range(batches):
        events = [odd_event(chance, 100 * batch + number) for number in range(chance.randrange(1, 12))]
        keys += archive.take(events, chance.choice(("prod", "prod", "test")))
    odd_lines(archive)
    for _ in range(2):  # with objects that are in several files of the index
        archive.index([key for key in archive.events() if chance.random() < 0.5])
    if keys and chance.random() < 0.5:
        gone = chance.choice(keys)  # has expired, and the index names it still
        archive.store.objects.pop(gone, None)
    replaced = chance.choice(archive.events())
    archive.now += timedelta(hours=1)
    archive.store.put(replaced, archive.store.objects[replaced])
    return archive


__all__ = ["Archive", "Found", "Row", "ask", "count", "made_archive", "odd_event", "rows_of"]
