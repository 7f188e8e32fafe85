"""Sending documents to the rules bucket as one change: all of them arrive, or everything stays as it was."""

import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auditwire.bundles.rules_bucket import (
    MARKER_KEY,
    MAX_MARKER_AGE,
    ChangedError,
    RulesBucketError,
    document_key,
    document_path,
)
from auditwire.documents.source import Source, digest_of
from auditwire_cli.errors import CommandError

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket

_REFRESH_SECONDS = 20.0

Documents = Mapping[str, bytes]
"""The content of documents by their path below rules/."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What is in the bucket before, and what shall be there afterwards."""

    before: Documents
    after: Documents

    @property
    def written(self) -> list[str]:
        """The paths of documents that are new or have new content."""
        return [path for path in sorted(self.after) if self.before.get(path) != self.after[path]]

    @property
    def deleted(self) -> list[str]:
        """The paths of documents that shall go."""
        return sorted(self.before.keys() - self.after.keys())

    @property
    def digest(self) -> str:
        """The digest that compile_rules will give to the documents."""
        return digest_of(sources_of(self.after))

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.written or self.deleted)


def sources_of(documents: Documents) -> list[Source]:
    """The documents as they are loaded: in UTF-8, with U+FFFD for bytes that are not."""
    return [Source(path, data.decode(errors="replace")) for path, data in sorted(documents.items())]


def documents_in(bucket: "RulesBucket") -> dict[str, bytes]:
    """The documents that are in the bucket now. Raises RulesBucketError."""
    documents = {}
    for listed in bucket.entries():
        path = document_path(listed.key)
        stored = bucket.read(listed.key) if path else None
        if path and stored:
            documents[path] = stored.data
    return documents


def marker_age(bucket: "RulesBucket", now: datetime) -> float | None:
    """The seconds since somebody began to publish; None when nobody is publishing."""
    for listed in bucket.entries(MARKER_KEY):
        if listed.key == MARKER_KEY:
            return max(0.0, (now - listed.modified).total_seconds())
    return None


def send(bucket: "RulesBucket", upload: Upload, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Write the documents into the bucket, while `rules/.publishing` keeps compile_rules waiting.

    Whatever ends this early, also Ctrl-C and SIGTERM, the documents are restored as they were, the marker is removed,
    and then it is raised. Raises CommandError while somebody else is publishing, RulesBucketError.
    """
    with _interruptible():
        marker = _Marker(bucket, clock)
        touched: list[str] = []
        try:
            for path in [*upload.written, *upload.deleted]:
                marker.keep_young()
                touched.append(path)
                _put(bucket, path, upload.after.get(path))
        except BaseException as error:
            with _undisturbed():
                try:
                    for path in touched:
                        marker.keep_young()
                        _put(bucket, path, upload.before.get(path))
                except RulesBucketError as second:
                    raise CommandError(
                        f"only some documents were sent, and the bucket could not be restored: {second}",
                        "publish again as soon as the bucket can be written to",
                    ) from error
            raise
        finally:
            with _undisturbed():
                bucket.delete(MARKER_KEY)


def _put(bucket: "RulesBucket", path: str, data: bytes | None) -> None:
    if data is None:
        bucket.delete(document_key(path))
    else:
        bucket.write(document_key(path), data)


class _Marker:
    """`rules/.publishing`: ours alone, and kept young for as long as the upload takes."""

    def __init__(self, bucket: "RulesBucket", clock: Callable[[], float]) -> None:
        self._bucket, self._clock = bucket, clock
        stored = bucket.read(MARKER_KEY)
        age = marker_age(bucket, datetime.now(UTC)) if stored else None
        if age is not None and age < MAX_MARKER_AGE.total_seconds():
            raise _busy(f"for {age:.0f} s")
        try:
            bucket.replace(MARKER_KEY, self._content(), stored.etag if stored else None)
        except ChangedError:
            raise _busy("for a moment") from None
        self._written = clock()

    def keep_young(self) -> None:
        """Write the marker again before it is so old that compile_rules ignores it."""
        if self._clock() - self._written > _REFRESH_SECONDS:
            self._bucket.write(MARKER_KEY, self._content())
            self._written = self._clock()

    def _content(self) -> bytes:
        return uuid.uuid4().hex.encode()


def _busy(how_long: str) -> CommandError:
    return CommandError(
        f"somebody else has been publishing {how_long}",
        f"try again in a minute; a rules/.publishing older than {MAX_MARKER_AGE.total_seconds():.0f} s is ignored",
    )


@contextmanager
def _interruptible() -> Iterator[None]:
    """Inside, SIGTERM acts like Ctrl-C, so that what was begun can be cleaned up."""
    with _handler(signal.SIGTERM, signal.default_int_handler):
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Inside, Ctrl-C and SIGTERM are ignored: cleaning up takes a moment."""
    with _handler(signal.SIGINT, signal.SIG_IGN), _handler(signal.SIGTERM, signal.SIG_IGN):
        yield


@contextmanager
def _handler(number: signal.Signals, handler: "signal._HANDLER") -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
