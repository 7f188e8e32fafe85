"""Compiling the documents of the rules bucket into the bundle in force; if anything is wrong, nothing changes.

There are no locks, and the order of events does not matter. Every run reads everything, and replaces only the version
that it read at its start. If two runs overlap, the second finds a changed object and starts over. So what is in force
at the end is what is in the bucket at the end.
"""

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from auditwire.bundles.rules_bucket import (
    ACTIVE_KEY,
    MARKER_KEY,
    MAX_MARKER_AGE,
    MAX_OBJECT_BYTES,
    STATUS_KEY,
    ChangedError,
    Listed,
    RulesBucket,
    StoredObject,
    TooLargeError,
    bundle_key,
    document_path,
    tests_path,
)
from auditwire.bundles.rules_state import Active, SourceState, StateError, Status, listed_diagnostics
from auditwire.documents.diagnostics import Diagnostic, Severity, has_errors
from auditwire.documents.source import digest_of
from auditwire.rules import Source, load_sources
from auditwire.rules.bundle import BundleError, decode_bundle, encode_bundle

MAX_OBJECTS: Final = 5_000
"""The most objects of any kind below rules/."""
MAX_DOCUMENTS: Final = 500
MAX_DOCUMENT_BYTES: Final = 1 << 20
"""The largest document, in bytes."""
MAX_SET_BYTES: Final = 8 << 20
"""The largest set of documents, in bytes."""

ALERT_PATIENCE: Final = timedelta(seconds=60)
"""How long after a refusal other runs assume that its alert is on the way."""

_MAX_ATTEMPTS: Final = 10
_FIRST_WAIT_SECONDS: Final = 0.1
_MAX_WAIT_SECONDS: Final = 3.0

UploadOutcome = Literal["accepted", "refused", "unchanged", "waiting"]


class StillChangingError(Exception):
    """The documents changed during every attempt. The next change, or the schedule, starts the next run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The result of a run.

    ``accepted``: the documents are in force now. ``unchanged``: they were in force before. ``refused``: they have
    errors, and what was in force stays. ``waiting``: they are still being uploaded. ``digest`` names the documents that
    were read (None if there were none), ``active`` those in force (None: the default pack). ``announce``: nobody has
    been alerted about this refusal yet. After publishing such an alert, call ``confirm_announced``.
    """

    verdict: UploadOutcome
    digest: str | None
    active: str | None
    diagnostics: tuple[Diagnostic, ...] = ()
    announce: bool = False


def compile_rules(
    bucket: RulesBucket,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Compiled:
    """Brings the documents of the bucket into force if they have no errors, and writes status.json.

    ``now`` is the time with its zone, ``sleep`` waits seconds, ``jitter`` gives 0…1. Raises StillChangingError if the
    bucket changed during each of ten attempts, RulesBucketError if it cannot be read or written.
    """
    moved: str | None = None
    for attempt in range(_MAX_ATTEMPTS):
        if attempt:
            sleep(min(_FIRST_WAIT_SECONDS * 2 ** (attempt - 1), _MAX_WAIT_SECONDS) * (0.5 + jitter() / 2))
        look = _Look(bucket, now())
        try:
            compiled = look.compile()
        except ChangedError as error:
            moved, last = look.moved or moved, error
            continue
        if moved and (compiled.verdict, compiled.digest) == ("unchanged", moved):
            return replace(compiled, verdict="accepted")
        return compiled
    raise StillChangingError(f"the rules changed during each of {_MAX_ATTEMPTS} attempts: {last}") from last


def confirm_announced(bucket: RulesBucket, compiled: Compiled) -> None:
    """Notes in status.json that an alert about this refusal was published, so that no other follows.

    Without the note the next alert follows after a minute at the earliest. Raises RulesBucketError.
    """
    for _ in range(_MAX_ATTEMPTS):
        stored = bucket.read(STATUS_KEY)
        status = _status(stored)
        if stored is None or status is None or status.alerted:
            return
        if (status.verdict, status.digest) != ("refused", compiled.digest):
            return
        try:
            bucket.replace(STATUS_KEY, status.as_alerted().encode(), stored.etag)
        except ChangedError:
            continue
        return


class _Look:
    """One attempt: everything it has read, and what it has changed."""

    def __init__(self, bucket: RulesBucket, now: datetime) -> None:
        self._bucket = bucket
        self._now = now
        # Read before anything else, because at the end only these versions are replaced. So what is written is based on
        # newer documents.
        self._active_stored = bucket.read(ACTIVE_KEY)
        self._status_stored = bucket.read(STATUS_KEY)
        self._active = _active(self._active_stored)
        self._status = _status(self._status_stored)
        self.moved: str | None = None
        """The digest that this attempt brought into force."""

    def compile(self) -> Compiled:
        """Reads, checks and writes. Raises ChangedError if anything is no longer as it was read."""
        listing = self._bucket.entries(most=MAX_OBJECTS)
        if self._is_being_published(listing):
            return Compiled(verdict="waiting", digest=None, active=self._in_force())
        documents = [listed for listed in listing if document_path(listed.key) is not None]
        if not documents and self._active_stored is None and self._status_stored is None:
            # A fresh stack: the default pack is in force, and no document says otherwise.
            return Compiled(verdict="unchanged", digest=None, active=None)
        if finding := _too_much(listing, documents):
            return self._refuse(_digest_of_listing(documents), (), [finding])
        sources, states = self._read(documents)
        tests = self._read_tests(listing)
        self._check_unchanged(listing)
        digest = digest_of(sources)
        if not sources:
            return self._refuse(digest, states, [_no_documents()])
        bundle, diagnostics = _bundle_of(tuple(sources), tuple(tests))
        if bundle is None:
            return self._refuse(digest, states, diagnostics)
        return self._accept(digest, states, bundle, diagnostics)

    def _is_being_published(self, listing: Sequence[Listed]) -> bool:
        return any(listed.key == MARKER_KEY and self._now - listed.modified < MAX_MARKER_AGE for listed in listing)

    def _read(self, documents: Sequence[Listed]) -> tuple[list[Source], tuple[SourceState, ...]]:
        sources, states = [], []
        for listed in documents:
            stored = self._bucket.read(listed.key, if_match=listed.etag, limit=MAX_DOCUMENT_BYTES)
            path = document_path(listed.key)
            if stored is None or path is None:
                raise ChangedError(f"{listed.key} is gone")
            sources.append(Source(path, stored.data.decode(errors="replace")))
            states.append(SourceState(key=listed.key, sha256=hashlib.sha256(stored.data).hexdigest()))
        return sources, tuple(states)

    def _read_tests(self, listing: Sequence[Listed]) -> list[Source]:
        """Files of tests: nobody has to upload them, but a document among them would be missed."""
        tests = []
        for listed in listing:
            path = tests_path(listed.key)
            if path is None or listed.size > MAX_DOCUMENT_BYTES:
                continue
            stored = self._bucket.read(listed.key, limit=MAX_DOCUMENT_BYTES)
            if stored is not None:
                tests.append(Source(path, stored.data.decode(errors="replace")))
        return tests

    def _check_unchanged(self, before: Sequence[Listed]) -> None:
        """Accepts a listing only if a second one confirms it. Files may have been added between two pages of the
        first."""

        def relevant(listing: Sequence[Listed]) -> list[tuple[str, str, datetime]]:
            return [
                (listed.key, listed.etag, listed.modified)
                for listed in listing
                if listed.key == MARKER_KEY or document_path(listed.key) is not None
            ]

        if relevant(before) != relevant(self._bucket.entries(most=MAX_OBJECTS)):
            raise ChangedError("documents were added or removed while they were read")

    def _accept(
        self, digest: str, states: tuple[SourceState, ...], bundle: bytes, diagnostics: Sequence[Diagnostic]
    ) -> Compiled:
        key, sha256 = bundle_key(digest), hashlib.sha256(bundle).hexdigest()
        moves = self._active is None or (self._active.digest, self._active.sha256) != (digest, sha256)
        # Written even if it exists already: its time is when it last came into force, which a rollback uses.
        if moves or not self._is_intact(key, sha256):
            self._bucket.write(key, bundle)
        compiled = Compiled(verdict="unchanged", digest=digest, active=digest, diagnostics=tuple(diagnostics))
        if moves:
            seen = self._active_stored.etag if self._active_stored else None
            before = self._active
            active = before.followed_by(digest, sha256, self._now) if before else Active(digest, sha256, self._now)
            self._bucket.replace(ACTIVE_KEY, active.encode(), seen)
            self.moved, compiled = digest, replace(compiled, verdict="accepted")
        self._write_status(compiled, "accepted", states)
        return compiled

    def _refuse(self, digest: str, states: tuple[SourceState, ...], diagnostics: Sequence[Diagnostic]) -> Compiled:
        compiled = Compiled(verdict="refused", digest=digest, active=self._in_force(), diagnostics=tuple(diagnostics))
        before = self._status
        alerted = False
        if before is not None and (before.verdict, before.digest) == ("refused", digest):
            alerted = before.alerted
            if not alerted and self._now - before.time < ALERT_PATIENCE:
                # Another run has refused the same documents a moment ago, and is sending the alert.
                return compiled
        self._write_status(compiled, "refused", states, alerted=alerted)
        return replace(compiled, announce=not alerted)

    def _write_status(
        self,
        compiled: Compiled,
        verdict: Literal["accepted", "refused"],
        states: tuple[SourceState, ...],
        *,
        alerted: bool = False,
    ) -> None:
        status = Status(
            verdict=verdict,
            digest=compiled.digest or "",
            active=compiled.active,
            sources=states,
            time=self._now,
            errors=sum(found.is_error for found in compiled.diagnostics),
            warnings=sum(found.severity is Severity.WARNING for found in compiled.diagnostics),
            diagnostics=listed_diagnostics(compiled.diagnostics),
            alerted=alerted,
        )
        self._bucket.replace(STATUS_KEY, status.encode(), self._status_stored.etag if self._status_stored else None)

    def _is_intact(self, key: str, sha256: str) -> bool:
        try:
            stored = self._bucket.read(key)
        except TooLargeError:
            return False
        return stored is not None and hashlib.sha256(stored.data).hexdigest() == sha256

    def _in_force(self) -> str | None:
        return self._active.digest if self._active else None


# Every uploaded file starts a run, and so does the schedule: most runs find the documents that the last one found.
@lru_cache(maxsize=1)
def _bundle_of(sources: tuple[Source, ...], tests: tuple[Source, ...]) -> tuple[bytes | None, tuple[Diagnostic, ...]]:
    """The bundle of some documents, None where they have errors, and all findings."""
    loaded = load_sources([*sources, *tests])
    if loaded.rule_set is None or has_errors(loaded.diagnostics):
        return None, tuple(loaded.diagnostics)
    bundle = encode_bundle(loaded.rule_set, sources)
    try:
        # A bundle that cannot be read back never comes into force.
        decode_bundle(bundle)
    except BundleError as error:
        return None, (*loaded.diagnostics, error.diagnostic)
    if len(bundle) > MAX_OBJECT_BYTES:
        finding = _limit(f"the compiled rules have {len(bundle):,} bytes, the limit is {MAX_OBJECT_BYTES:,}")
        return None, (*loaded.diagnostics, finding)
    return bundle, tuple(loaded.diagnostics)


def _active(stored: StoredObject | None) -> Active | None:
    """The contents of active.json. None also if they cannot be read, so that the file is written anew."""
    try:
        return Active.decode(stored.data) if stored else None
    except StateError:
        return None


def _status(stored: StoredObject | None) -> Status | None:
    try:
        return Status.decode(stored.data) if stored else None
    except StateError:
        return None


def _too_much(listing: Sequence[Listed], documents: Sequence[Listed]) -> Diagnostic | None:
    """What is too many or too large, judged by the listing alone. Nothing of it is read."""
    if len(listing) >= MAX_OBJECTS:
        return _limit(f"there are at least {MAX_OBJECTS:,} objects below rules/", "keep only rule documents there")
    if len(documents) > MAX_DOCUMENTS:
        return _limit(f"there are {len(documents):,} documents, the limit is {MAX_DOCUMENTS:,}")
    for listed in documents:
        if listed.size > MAX_DOCUMENT_BYTES:
            path = document_path(listed.key) or ""
            return _limit(f"the document has {listed.size:,} bytes, the limit is {MAX_DOCUMENT_BYTES:,}", path=path)
    if (size := sum(listed.size for listed in documents)) > MAX_SET_BYTES:
        return _limit(f"the documents have {size:,} bytes in all, the limit is {MAX_SET_BYTES:,}")
    return None


def _limit(
    message: str, hint: str = "join rules into fewer documents, or split large ones", path: str = ""
) -> Diagnostic:
    return Diagnostic(code="AW405", severity=Severity.ERROR, message=message, hint=hint, path=path)


def _no_documents() -> Diagnostic:
    return Diagnostic(
        code="AW404",
        severity=Severity.ERROR,
        message="there are no documents below rules/, so the rules before them stay in force",
        hint="to archive and alert on nothing, upload a Webhook document alone; to go back, auditwire rules rollback",
    )


def _digest_of_listing(documents: Sequence[Listed]) -> str:
    """A name for documents that are too many or too large to be read."""
    return hashlib.sha256("".join(f"{one.key}\0{one.etag}\0" for one in documents).encode()).hexdigest()
