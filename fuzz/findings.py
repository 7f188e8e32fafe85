"""What was found: told apart, made small, written down with the command that shows it again."""

import hashlib
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from fuzz.target import Target

FOLDER = Path(__file__).parent / "findings"

_MINIMISING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: which target, what kind (the place that raised, or ``slow``, ``memory``, ``crash``), on what input."""

    target: str
    kind: str
    detail: str
    data: bytes


def kind_of(error: BaseException) -> str:
    """The same for the same fault: the type of the error, and the innermost place in the library or in a check."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "auditwire" in frame.filename]
    frames = frames or list(traceback.extract_tb(error.__traceback__))
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {where}"


def kind_of_run(target: Target, data: bytes) -> str:
    """How a target ends on an input: empty when well, ``slow`` over its time, else ``kind_of`` what it raised."""
    before = time.thread_time()
    try:
        target.run(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        return kind_of(error)
    return "slow" if time.thread_time() - before > target.seconds else ""


def minimise(target: Target, finding: Finding) -> Finding:
    """The same finding on a smaller input: pieces are left out, halved in size until nothing can go."""
    data = finding.data
    ends = time.monotonic() + _MINIMISING_SECONDS
    size = max(1, len(data) // 2)
    while size and time.monotonic() < ends:
        at = 0
        while at < len(data) and time.monotonic() < ends:
            shorter = data[:at] + data[at + size :]
            if kind_of_run(target, shorter) == finding.kind:
                data = shorter
            else:
                at += size
        size //= 2
    return Finding(finding.target, finding.kind, finding.detail, data)


def write(finding: Finding) -> Path:
    """Put a finding into the folder of findings; the file's name names the target, so it can be run again."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{finding.target}-{hashlib.sha256(finding.data).hexdigest()[:10]}.bin"
    path.write_bytes(finding.data)
    text = f"{finding.kind}\nagain: .venv/bin/python -m fuzz --again {path.relative_to(FOLDER.parents[1])}\n\n"
    path.with_suffix(".txt").write_text(text + finding.detail + "\n", encoding="utf-8", errors="backslashreplace")
    return path
