"""``python -m fuzz``: fuzz for some minutes, or run one finding again."""

import argparse
import sys
import time
from pathlib import Path

from fuzz.campaign import REPORT, Campaign, append_report
from fuzz.findings import kind_of_run
from fuzz.targets import TARGETS


def main() -> int:
    """Exit 0 when nothing was found, 1 when something was."""
    names = [target.name for target in TARGETS]
    parser = argparse.ArgumentParser(prog="fuzz", description="Mutation fuzzing of all that reads what others wrote.")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFFFFFF)
    parser.add_argument("--target", action="append", choices=names, help="only this one; may be repeated")
    parser.add_argument("--again", type=Path, help="run one file of fuzz/findings and show how it ends")
    given = parser.parse_args()
    if given.again:
        return _again(given.again)
    campaign = Campaign([target for target in TARGETS if not given.target or target.name in given.target])
    print(f"{len(campaign.targets)} targets, {given.processes} processes, {given.minutes:g} minutes, seed {given.seed}")
    campaign.run(given.minutes, given.processes, given.seed)
    total = append_report(campaign.report())
    print(f"{total:,} inputs in all runs of {REPORT}")
    return 1 if campaign.findings else 0


def _again(path: Path) -> int:
    target = next(target for target in TARGETS if path.name.startswith(f"{target.name}-"))
    data = path.read_bytes()
    if kind := kind_of_run(target, data):
        print(f"{target.name}: {kind}")
        target.run(data)
        return 1
    print(f"{target.name}: ends well")
    return 0


sys.exit(main())
