"""What a cold start pays for its rules: a bundle of 6, 60 and 300 rules, read and built.

    .venv/bin/python benchmarks/bundle.py

Prints a Markdown table. CPU time, the least of several runs, garbage collection off; the last column is the ratio to
`orjson.loads` of the same bytes in the same process.
"""

import gc
import time
from collections.abc import Callable

import orjson
from rule_packs import pack

from auditwire.rules import load_sources
from auditwire.rules.bundle import decode_bundle, encode_bundle

ROUNDS = 15


def milliseconds(action: Callable[[], object]) -> float:
    """The least CPU time of an action, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        action()
        times.append(time.process_time_ns() - start)
    return min(times) / 1e6


def main() -> None:
    """Measure and print."""
    print("| rules | bundle, kB | from documents, ms | from the bundle, ms | ratio to orjson.loads |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    gc.disable()
    for size in (6, 60, 300):
        sources = pack(size)
        rule_set = load_sources(sources).rule_set
        if rule_set is None:
            raise SystemExit("the generated rules do not load")
        data = encode_bundle(rule_set, sources)
        documents = milliseconds(lambda sources=sources: load_sources(sources))  # type: ignore[misc]
        bundle = milliseconds(lambda data=data: decode_bundle(data))  # type: ignore[misc]
        floor = milliseconds(lambda data=data: orjson.loads(data))  # type: ignore[misc]
        count = len(rule_set.archiving) + len(rule_set.alerting)
        print(f"| {count} | {len(data) / 1000:.0f} | {documents:.1f} | {bundle:.1f} | {bundle / floor:.0f} |")


if __name__ == "__main__":
    main()
