"""What the worst bodies cost: kinds of body that nobody sends who means well, each as large as a function can get it.

    .venv/bin/python benchmarks/bodies.py [KIND...]

Prints a Markdown table. Every body is handed to a fresh process as the invocation event of API Gateway, compressed
where it would not fit into the 6 MB of an invocation. CPU is that of the whole request without its clients, memory the
highest resident memory over that of an idle function, by the kernel's count. The rules are those that ship.
"""

import gc
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, cast

from memory import MARK, Given, kilobytes
from traffic import batches

from auditwire.alerts import MemoryPublisher
from auditwire.archive import MemoryArchive, batch_digest
from auditwire.bundles.active_rules import ActiveRules
from auditwire.clusters import Cluster, Directory
from auditwire.events.bounds import MAX_INFLATED, MAX_ITEMS, MAX_VALUES
from auditwire.events.gzipping import gzip_bytes
from auditwire.ingest.ingest import Answer, Batch, Ingest
from auditwire.ingest.request import Request
from auditwire.rules import load_rule_set
from auditwire.senders.kind import SenderKind
from auditwire.senders.paths import EVENT_PATH

MAX_CPU_SECONDS: Final = 1.0
MAX_MEGABYTES: Final = 400

_MAX_INVOCATION: Final = 6_000_000
_FULL: Final = MAX_INFLATED - 4_096
_ITEMS: Final = MAX_ITEMS - 1
_SECRET: Final = {"resource": "secrets", "namespace": "shop", "name": "s", "apiVersion": "v1"}
_POD: Final = {"resource": "pods", "namespace": "shop", "name": "p", "apiVersion": "v1"}
_RULES: Final = Path(__file__).parents[1] / "rules"
_TIME_MS: Final = 1_795_300_000_000


def event(number: int = 0, **changes: Any) -> dict[str, Any]:
    """An event that the rules archive."""
    return {
        "level": "RequestResponse",
        "auditID": f"00000000-0000-4000-8000-{number:012d}",
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/shop/configmaps/c",
        "verb": "update",
        "user": {"username": f"user-{number}", "groups": ["system:authenticated"]},
        "sourceIPs": ["192.0.2.7"],
        "userAgent": "kubectl/v1.34.1",
        "objectRef": {"resource": "configmaps", "namespace": "shop", "name": "c", "apiVersion": "v1"},
        "responseStatus": {"code": 200},
        "stageTimestamp": "2026-11-21T22:05:00.100000Z",
    } | changes


def text_of(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def listed(items: Iterable[bytes]) -> bytes:
    """An EventList of items, as many as there is room for."""
    kept, size = [], 0
    for item in items:
        size += len(item) + 1
        if size > _FULL:
            break
        kept.append(item)
    return b'{"kind":"EventList","items":[' + b",".join(kept) + b"]}"


def with_body(body: bytes, **changes: Any) -> bytes:
    """One event with this requestObject."""
    return text_of(event(**changes))[:-1] + b',"requestObject":' + body + b"}"


def every(make: Callable[[int], dict[str, Any]], items: int = 1) -> bytes:
    """As many events as one body may have, of those that count as so many items."""
    return listed(text_of(make(number)) for number in range(_ITEMS // items))


def _cut_lines() -> bytes:
    head = '{"kind":"Event","level":"RequestResponse","auditID":"%d","stage":"ResponseComplete","verb":"patch",'
    tail = '"objectRef":{"resource":"secrets"},"requestObject":{"data":{"a":"' + "QUJD" * 1_500
    lines = ({"log": head % number + tail + "[Truncated...]\n", "stream": "stdout"} for number in range(_ITEMS // 2))
    return listed(map(text_of, lines))


def _envelopes() -> bytes:
    log = {
        "messageType": "DATA_MESSAGE",
        "owner": "1",
        "logGroup": "/aws/eks/p/cluster",
        "logStream": f"kube-apiserver-audit-{'0' * 32}",
        "subscriptionFilters": ["a"],
        "logEvents": [{"id": "1", "timestamp": _TIME_MS, "message": text_of(event()).decode()}],
    }
    data = b64encode(gzip.compress(text_of(log))).decode()
    records = [{"data": data} for _ in range(_ITEMS // 2)]
    return text_of({"requestId": "r", "timestamp": _TIME_MS, "records": records})


def _exec(number: int) -> dict[str, Any]:
    ref = {"resource": "pods", "namespace": f"n-{number}", "name": f"p-{number}", "subresource": "exec"}
    return event(number, verb="create", objectRef=ref)


def _without_body(number: int) -> dict[str, Any]:
    return event(number, verb="create", objectRef=_POD, annotations={"audit.k8s.io/truncated": "true"})


def _noise(count: int) -> str:
    return random.Random(count).randbytes(count // 2).hex()  # noqa: S311 - the same noise every time


KINDS: Final[dict[str, Callable[[], bytes]]] = {
    "one huge key": lambda: with_body(b'{"%b":1}' % (b"k" * (_FULL - 1_000))),
    "one huge string": lambda: with_body(b'"%b"' % (b"s" * (_FULL - 1_000))),
    "one huge string of escapes": lambda: with_body(b'"%b"' % (rb"\u00e9" * ((_FULL - 1_000) // 6))),
    "a huge Secret": lambda: with_body(
        b'{"kind":"Secret","data":{%b}}' % b",".join(b'"k%d":"%b"' % (n, b"QUJD" * 7) for n in range(400_000)),
        objectRef=_SECRET,
    ),
    "one wide object": lambda: with_body(b"{%b}" % b",".join(b'"%d":0' % n for n in range(MAX_VALUES // 2))),
    "one long list": lambda: with_body(b"[%b]" % b",".join([b"1"] * (MAX_VALUES - 1_000))),
    "deep": lambda: listed([with_body(b'{"a":' * 450 + b"1" + b"}" * 450)] * 1_900),
    "tiny events": lambda: every(
        lambda number: {"level": "Metadata", "auditID": str(number), "stage": "s", "verb": "v"}
    ),
    "of many hours": lambda: every(
        lambda n: event(n, stageTimestamp=f"{2000 + n // 1000}-01-{1 + n % 28:02}T{n % 24:02}:00:00.000000Z")
    ),
    "all alert": lambda: every(_exec),
    "all alert, with bodies": lambda: every(lambda n: _exec(n) | {"requestObject": {"note": "x" * 2_400}}),
    "all bad": lambda: every(lambda number: event(number, verb=[number])),
    "all the same": lambda: every(lambda number: event()),
    "all cut": _cut_lines,
    "all without their bodies": lambda: every(_without_body, items=2),
    "many envelopes": _envelopes,
    "lines, every other bad": lambda: b"\n".join(
        text_of(event(n)) if n % 2 else b'{"level":"Metadata","auditID":"cu' for n in range(_ITEMS)
    ),
    "printed lines": lambda: b"x\n" + b"\n".join(json.dumps(event(n), indent=1).encode() for n in range(6_000)),
    "many keys": lambda: every(lambda n: event(n) | {f"k{at}": at for at in range(70)}),
    "KubeSphere's casing": lambda: every(lambda n: {key[0].upper() + key[1:]: each for key, each in event(n).items()}),
    "all Secrets": lambda: every(
        lambda n: (
            event(n, objectRef=_SECRET) | {"requestObject": {"data": {"a": "QUJD" * 500}, "stringData": {"b": "c"}}}
        )
    ),
    "all cannot be judged": lambda: every(
        lambda n: event(n, objectRef=_POD, verb="create", requestObject={"spec": {"hostNetwork": [n]}})
    ),
    "noise": lambda: with_body(text_of(_noise(8_000_000))),
    "400 events of 6 MB": lambda: listed(with_body(text_of({"a": _noise(14_000)}), number=n) for n in range(400)),
    "10 MB of lines": lambda: b"".join(
        line + b"\n" for body in batches(20) for line in map(text_of, json.loads(body)["items"])
    )[:10_000_000].rpartition(b"\n")[0],
    "over a bound: 20 million items": lambda: b"[" + b",".join([b"{}"] * ((_FULL - 2) // 3)) + b"]",
    "over a bound: million keys": lambda: text_of({f"{n:x}": 0 for n in range(900_000)}),
    "over a bound: inflates to 1 GB": lambda: b" " * (1 << 30),
}
"""A body of each kind. Those over a bound are refused as a whole, which must not cost more."""


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--once"]:
        print(json.dumps(_measure(Path(sys.argv[2]))))
        return
    print("| body | MB | events | answered | CPU | memory |")
    print("| --- | ---: | ---: | --- | ---: | ---: |")
    for kind in sys.argv[1:] or KINDS:
        found = measured(kind)
        is_fine = found["cpu"] <= MAX_CPU_SECONDS and found["megabytes"] <= MAX_MEGABYTES
        print(
            f"| {kind} | {found['body'] / 1e6:.1f} | {found['events']:,} | {found['became']} "
            f"| {found['cpu']:.2f} s | {found['megabytes']:.0f} MB |{'' if is_fine else ' **over**'}"
        )


def measured(kind: str) -> dict[str, Any]:
    """What the body of a kind costs in a fresh process."""
    body = KINDS[kind]()
    invocation: dict[str, Any] = {
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": _TIME_MS},
        "rawPath": EVENT_PATH,
    }
    if len(body) > _MAX_INVOCATION:
        packed = b64encode(gzip_bytes(body)).decode()
        invocation |= {"headers": {"content-encoding": "gzip"}, "isBase64Encoded": True, "body": packed}
    else:
        invocation["body"] = body.decode()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(invocation, file)
        file.flush()
        command = [sys.executable, __file__, "--once", file.name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this very file
    is_too_large = len(invocation["body"]) > _MAX_INVOCATION
    found: dict[str, Any] = json.loads(done.stdout) | {"body": len(body)}
    return found | ({"became": f"{found['became']} (too large for Lambda)"} if is_too_large else {})


def _measure(invocation: Path) -> dict[str, Any]:
    source = cast("ActiveRules", Given(load_rule_set([_RULES])))
    (small,) = batches(1, 40)
    idle = {"requestContext": {"http": {"method": "POST"}, "timeEpoch": _TIME_MS}, "rawPath": EVENT_PATH}
    _take(source, idle | {"body": small.decode()})
    gc.collect()
    MARK.write_text("5", encoding="ascii")  # the high-water mark starts anew: it came from the process before
    resident = kilobytes("VmRSS")
    started = time.process_time()
    answer = _take(source, json.loads(invocation.read_text()))
    cpu = time.process_time() - started
    account = answer.account
    if answer.status != 200 or account is None:
        raise SystemExit(f"the batch was not taken: {answer}")
    quarantined = ", ".join(account.quarantined)
    return {
        "cpu": cpu,
        "megabytes": (kilobytes("VmHWM") - resident) / 1024,
        "events": account.received - sum(account.quarantined.values()),
        "became": ", ".join(filter(None, [f"{account.archived:,} archived" if account.archived else "",
                                          f"{account.alerted:,} alerted" if account.alerted else "", quarantined])),
    }  # fmt: skip


def _take(rules: ActiveRules, invocation: dict[str, Any]) -> Answer:
    """What the function does with an invocation, but for the credential and the network."""
    ingest = Ingest(cast("Directory", None), rules, MemoryArchive(), MemoryPublisher())
    request = Request.from_event(invocation)
    body, fault = request.inflated()
    batch = Batch(Cluster("bench", SenderKind.KUBERNETES), body, batch_digest("bench", body), request.received, fault)
    return ingest.take(batch, request.received.timestamp() + 60)


if __name__ == "__main__":
    main()
