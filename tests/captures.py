"""Captured audit traffic: what lies in ``tests/data/captures``, and logs of other clusters where there are any.

Those are files of JSON lines, one event each, in the folder that ``AUDITWIRE_CAPTURES`` names or beside the checkout.
They are not part of the repository, so no fact is tested with them alone; where there are none, the tests have so many
cases less.
"""

import gzip
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_OWN = Path(__file__).parent / "data" / "captures"
_BESIDE = Path(__file__).parents[2] / "shared" / "data" / "events"
REDACTED = "[REDACTED]"


@dataclass(frozen=True)
class Capture:
    """One file: ``lines`` without their line ends, each an event of a log or the body of a request."""

    name: str
    lines: tuple[bytes, ...] = field(repr=False)
    is_own: bool

    def events(self) -> list[dict[str, Any]]:
        """Every event, as the JSON library of Python reads it."""
        return [event for line in self.lines for event in _events_of(line)]


def own_logs() -> list[Capture]:
    """The log files that kube-apiserver wrote, as they lie in the repository."""
    return [_own(path) for path in sorted(_OWN.glob("*audit-log*.gz"))]


def own_bodies() -> list[Capture]:
    """The bodies that kube-apiserver and ks-apiserver posted."""
    return [_own(path) for path in sorted(_OWN.glob("*webhook-bodies*.gz"))]


def logs() -> list[Capture]:
    """The log files of the repository, and those of other clusters."""
    folder = Path(os.environ.get("AUDITWIRE_CAPTURES") or _BESIDE)
    return own_logs() + [_capture(path.stem, path.read_bytes()) for path in sorted(folder.glob("*.jsonl"))]


def each_of(captures: list[Capture]) -> pytest.MarkDecorator:
    """Runs a test for each of them, as ``capture``."""
    assert captures
    return pytest.mark.parametrize("capture", captures, ids=lambda capture: capture.name)


def assert_equal_but_for_redactions(expected: Any, found: Any, *, redacted: bool = True) -> None:
    """What was archived is what was captured, but for redacted values and a time taken from an older field."""
    if redacted and found == REDACTED:
        return
    if redacted and isinstance(found, str) and REDACTED in found:
        parts = map(re.escape, found.split(REDACTED))
        assert re.fullmatch(".+".join(parts), expected)
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


def _own(path: Path) -> Capture:
    return _capture(path.name.removesuffix(".jsonl.gz"), gzip.decompress(path.read_bytes()), is_own=True)


def _capture(name: str, content: bytes, *, is_own: bool = False) -> Capture:
    return Capture(name, tuple(line for line in content.splitlines() if line.strip()), is_own)


def _events_of(line: bytes) -> Iterator[dict[str, Any]]:
    """The events in a line: an event, a list of them under a name of its sender, or several events on end."""
    text, position, decoder = line.decode(), 0, json.JSONDecoder()
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        yield from value.get("items", value.get("Items", [value]))
