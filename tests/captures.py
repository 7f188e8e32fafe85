"""Captured audit logs of real clusters, which are not part of the repository.

They lie beside a checkout, or where ``AUDITWIRE_CAPTURES`` says: files of JSON lines, one event each. Tests of them are
skipped by name where there are none.
"""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[2] / "shared" / "data" / "events"
FOLDER = Path(os.environ.get("AUDITWIRE_CAPTURES") or _BESIDE)


def captured_files() -> list[Path]:
    """The captured logs, by name; empty where there are none."""
    return sorted(FOLDER.glob("*.jsonl")) if FOLDER.is_dir() else []


def captured_lines(path: Path) -> list[bytes]:
    """The events of a captured log, each as its line."""
    return [line for line in path.read_bytes().splitlines() if line.strip()]


def all_captured_lines() -> list[bytes]:
    """The events of all captured logs."""
    return [line for path in captured_files() for line in captured_lines(path)]


requires_captures = pytest.mark.skipif(not captured_files(), reason="there are no captured audit logs on this machine")

each_capture = pytest.mark.parametrize(
    "capture",
    captured_files() or [pytest.param(None, marks=requires_captures)],
    ids=lambda path: path.stem if path else "none",
)
"""Runs a test once for every captured log, as ``capture: Path``."""
