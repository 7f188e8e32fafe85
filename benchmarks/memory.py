"""How much memory a batch takes beside its body: 5 MB of events, 300 rules.

    .venv/bin/python benchmarks/memory.py

Prints a Markdown table. In a process of its own, warmed up with a small batch: the highest resident memory while a
request goes down the road of ingest, over what was resident when the invocation event with its body was there, divided
by the size of the body. Resident memory as the kernel counts it sees what no profiler of Python's allocator does:
buffers of the decoder and the compressor. Linux only, where the mark can be set back.
"""

import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, cast

from batch import KEPT, rules_keeping
from traffic import batches

from auditwire.alerts import MemoryPublisher
from auditwire.archive import MemoryArchive, batch_digest
from auditwire.bundles.active_rules import ActiveRules
from auditwire.clusters import Cluster, Directory
from auditwire.ingest.ingest import Batch, Ingest
from auditwire.ingest.request import Request
from auditwire.rules import RuleSet
from auditwire.senders.kind import SenderKind
from auditwire.senders.paths import EVENT_PATH

MEGABYTES: Final = 5
RULES: Final = 300
EVENT_BYTES: Final = 1_580
"""Of the traffic, on average."""

_STATUS: Final = Path("/proc/self/status")
MARK: Final = Path("/proc/self/clear_refs")


class Given:
    """A source of one rule set."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules

    def current(self) -> RuleSet:
        return self._rules


def peak_over_body(kept: str = "", *, megabytes: float = MEGABYTES, rules: int = RULES) -> float:
    """The peak over the body, in bodies, in a fresh process; ``kept`` is the condition of an archiving rule beside the
    detections."""
    command = [sys.executable, __file__, "--once", kept, str(megabytes), str(rules)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this very file
    return float(json.loads(done.stdout))


def _measure(kept: str, megabytes: float, rules: int) -> float:
    source = cast("ActiveRules", Given(rules_keeping(kept, rules)))
    _take(source, _invocation(40))
    event = _invocation(round(megabytes * 1e6 / EVENT_BYTES))
    size = len(event["body"])
    gc.collect()
    MARK.write_text("5", encoding="ascii")  # the high-water mark starts anew
    before = kilobytes("VmRSS")
    _take(source, event)
    return (kilobytes("VmHWM") - before) * 1024 / size


def _take(rules: ActiveRules, event: dict[str, Any]) -> None:
    """What the function does with an event, but for the credential and the network."""
    ingest = Ingest(cast("Directory", None), rules, MemoryArchive(), MemoryPublisher())
    request = Request.from_event(event)
    batch = Batch(
        Cluster("bench", SenderKind.KUBERNETES), request.body, batch_digest("bench", request.body), request.received
    )
    answer = ingest.take(batch, request.received.timestamp() + 60)
    if answer.status != 200 or answer.account is None or not answer.account.archived:
        raise SystemExit(f"the batch was not taken: {answer}")


def _invocation(size: int) -> dict[str, Any]:
    (body,) = batches(1, size)
    return {
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": 1_795_300_000_000},
        "rawPath": EVENT_PATH,
        "body": body.decode(),
    }


def kilobytes(name: str) -> int:
    """What the kernel counts of this process under a name, such as VmRSS."""
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--once"]:
        print(json.dumps(_measure(sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))))
        return
    print(f"| kept of {MEGABYTES} MB, {RULES} rules | peak over the body / body |")
    print("| --- | ---: |")
    for name, condition in KEPT.items():
        print(f"| {name} | {peak_over_body(condition):.2f} |")


if __name__ == "__main__":
    main()
