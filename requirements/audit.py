"""Asks for known vulnerabilities of every locked package: python requirements/audit.py [--unreachable-is-ok]

pip-audit alone says "no known vulnerabilities" also where the service knew none of the packages, so what it found is
judged here by the package. Exit status 0: every package was asked about and none has a vulnerability; 1: some have, or
pip-audit failed by itself; 2: some could not be asked about, which --unreachable-is-ok takes for 0.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCKS = sorted([*HERE.glob("*.txt"), *HERE.parent.glob("layers/*/requirements.txt")])
UNREACHABLE_IS_OK = "--unreachable-is-ok"


@dataclass(frozen=True)
class Accepted:
    """A vulnerability that we live with until a day, and why."""

    until: date
    reason: str


# By its identifier. One that has ended, or that no package has any more, fails the audit.
ACCEPTED: Mapping[str, Accepted] = {}


@dataclass
class Findings:
    """What was found: lines for people, packages by name and version, identifiers of vulnerabilities."""

    asked: set[str] = field(default_factory=set)
    unasked: set[str] = field(default_factory=set)
    vulnerable: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def add(self, other: "Findings") -> None:
        """Take in what was found in another file; what was found twice counts once."""
        self.asked |= other.asked
        self.unasked |= other.unasked
        self.vulnerable += [line for line in other.vulnerable if line not in self.vulnerable]
        self.accepted += [line for line in other.accepted if line not in self.accepted]
        self.seen |= other.seen

    def idle(self, accepted: Mapping[str, Accepted]) -> list[str]:
        """Exceptions that no package needs; who could not ask about all cannot know."""
        idle = [] if self.unasked else sorted(accepted.keys() - self.seen)
        return [f"{name} is accepted, but no package has it: strike it" for name in idle]


def judge(report: Mapping[str, Any], today: date, accepted: Mapping[str, Accepted] = ACCEPTED) -> Findings:
    """pip-audit's report in JSON, by package. A package it skipped is one it could not ask about."""
    found = Findings()
    for package in report["dependencies"]:
        if "skip_reason" in package:
            found.unasked.add(package["name"])
            continue
        found.asked.add(f"{package['name']} {package['version']}")
        for vulnerability in package["vulns"]:
            names = {vulnerability["id"], *vulnerability.get("aliases", [])}
            found.seen |= names
            line = _line(package, vulnerability)
            known = next((accepted[name] for name in sorted(names) if name in accepted), None)
            if known and today <= known.until:
                found.accepted.append(f"{line}: accepted until {known.until}: {known.reason}")
            else:
                found.vulnerable.append(line if known is None else f"{line}: was accepted until {known.until}")
    return found


def _line(package: Mapping[str, Any], vulnerability: Mapping[str, Any]) -> str:
    mended = ", ".join(vulnerability["fix_versions"]) or "no version yet"
    return f"{package['name']} {package['version']}: {vulnerability['id']}, mended in {mended}"


# What pip-audit ends with where the service is not reached, is blocked or answers with an error.
_UNREACHABLE = re.compile(
    r"network may be blocking|ServiceError|requests\.exceptions\.\w*(Connect|Timeout|SSL|Proxy|Retry)"
)


def read(lock: str, output: str, errors: str, today: date) -> Findings:
    """What pip-audit found out about one lock file, from what it wrote to its two outputs."""
    try:
        return judge(json.loads(output), today)
    except json.JSONDecodeError:
        why = (errors.strip().splitlines() or ["it said nothing"])[-1]
    if _UNREACHABLE.search(why):
        return Findings(unasked={f"all of {lock} ({why})"})
    return Findings(vulnerable=[f"{lock}: pip-audit failed: {why}"])


def said(found: Findings) -> Iterator[str]:
    """The findings in sentences."""
    yield from (f"FOUND: {line}" for line in found.vulnerable)
    yield from found.accepted
    if found.unasked:
        some = ", ".join(sorted(found.unasked)[:5]) + (", …" if len(found.unasked) > 5 else "")
        yield f"NOT AUDITED, as the service gave no answer: {some}"
    yield f"{len(found.asked)} packages asked about, {len(found.unasked)} not, {len(found.vulnerable)} findings"


def status(found: Findings, *, unreachable_is_ok: bool) -> int:
    """The exit status. A finding counts, whatever else could not be asked about."""
    if found.vulnerable:
        return 1
    return 2 if found.unasked and not unreachable_is_ok else 0


def main(words: list[str]) -> int:
    """Asks, says what was found, gives the exit status."""
    found = Findings()
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner=off"]
    # One by one: the same package may be locked to two versions in two files.
    for lock in LOCKS:
        done = subprocess.run(  # noqa: S603 - our own words
            [*command, "--format=json", "-r", str(lock)], capture_output=True, text=True, check=False
        )
        found.add(read(f"{lock.parent.name}/{lock.name}", done.stdout, done.stderr, datetime.now(UTC).date()))
    found.vulnerable += found.idle(ACCEPTED)
    print(*said(found), sep="\n")
    return status(found, unreachable_is_ok=UNREACHABLE_IS_OK in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
