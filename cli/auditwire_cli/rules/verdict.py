"""What compile_rules says about documents that were sent: waiting for the verdict, and showing it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from auditwire.bundles.rules_bucket import STATUS_KEY
from auditwire.bundles.rules_state import StateError, Status
from auditwire.documents.diagnostics import Diagnostic, Severity
from auditwire.documents.source import digest_of
from auditwire_cli.errors import CommandError, ExitCode
from auditwire_cli.rules.documents import short
from auditwire_cli.rules.upload import Documents, Upload, documents_in, sources_of
from auditwire_cli.terminal.progress import Occasionally

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket

_FIRST_PAUSE, _MAX_PAUSE = 0.1, 2.0
_SECONDS_BETWEEN_LINES = 10.0
_TOO_MUCH = "AW405"


class NoVerdictError(CommandError):
    """There was no verdict on the documents in time; exit code 3."""

    exit_code: ClassVar[ExitCode] = ExitCode.INCOMPLETE


@dataclass(frozen=True, slots=True)
class Seen:
    """A status.json, and the ETag of its version."""

    status: Status | None
    etag: str | None


def read_status(bucket: "RulesBucket") -> Seen:
    """What status.json says; the status is None where there is none, or none that this version can read."""
    stored = bucket.read(STATUS_KEY)
    try:
        return Seen(Status.decode(stored.data) if stored else None, stored.etag if stored else None)
    except StateError:
        return Seen(None, stored.etag if stored else None)


def await_verdict(
    bucket: "RulesBucket",
    upload: Upload,
    before: Seen,
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Status:
    """The verdict on exactly what was sent; ``before`` is status.json as it was before that.

    Raises NoVerdictError after ``seconds``, or as soon as other documents are in the bucket, RulesBucketError.
    """
    began = clock()
    occasionally = Occasionally(_SECONDS_BETWEEN_LINES, clock)
    asked = before.etag if upload else ""
    pause = _FIRST_PAUSE
    while True:
        seen = read_status(bucket)
        if seen.etag != asked and seen.status is not None:
            if _speaks_of(seen.status, bucket, upload):
                return seen.status
            asked = seen.etag
        elif seen.status is not None and (seen.status.digest, seen.status.active) == (upload.digest, upload.digest):
            return seen.status  # these documents were compiled last, so nobody will look at them again
        if clock() - began >= seconds:
            raise NoVerdictError(
                f"no verdict on {short(upload.digest)} after {seconds:.0f} s",
                "the documents are sent and will be compiled within five minutes; see `auditwire rules status`",
            )
        occasionally(f"still waiting, {clock() - began:.0f} s")
        sleep(pause)
        pause = min(pause * 1.5, _MAX_PAUSE)


def _speaks_of(status: Status, bucket: "RulesBucket", upload: Upload) -> bool:
    """Whether a new verdict is about what was sent. Raises NoVerdictError when something else is there now."""
    if status.digest == upload.digest:
        return True
    if digest_of(sources_of(documents_in(bucket))) != upload.digest:
        raise NoVerdictError("somebody else has changed the documents meanwhile", "see `auditwire rules status`")
    # Too many or too large documents are not read, and therefore have another digest.
    return any(found.get("code") == _TOO_MUCH for found in status.diagnostics)


def findings_of(status: Status, documents: Documents, folder: Path | None = None) -> list[Diagnostic]:
    """The findings of a verdict, with the source lines that they point at, and with paths as they are in ``folder``."""
    findings = []
    for value in status.diagnostics:
        known = {key: value[key] for key in ("code", "message", "hint", "path", "line", "column", "rule")}
        found = Diagnostic(severity=Severity(value["severity"]), **known)
        lines = documents.get(found.path, b"").decode(errors="replace").splitlines()
        source = lines[found.line - 1] if 0 < found.line <= len(lines) else ""
        path = str(folder / found.path) if folder and found.path else found.path
        findings.append(replace(found, source=source, path=path))
    return findings
