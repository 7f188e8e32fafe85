"""The rules bucket: its keys, and all ways to read and write it.

    rules/**.yaml, .yml      the documents, the source of everything          users write, auditwire rules publish
    rules/.publishing        many documents are being uploaded: wait          auditwire rules publish
    bundles/<digest>.json    accepted documents in compiled form              compile_rules
    active.json              which bundle is in force                         compile_rules, conditionally
    status.json              what the last run found in the documents         compile_rules, conditionally

There are no locks. A writer of active.json or status.json names the version that it read, and starts over if the object
is another version by now.

RulesBucketError             the bucket could not be read or written
├── ChangedError             the object is no longer the version that was read: read it again
└── TooLargeError            an object is larger than anything that belongs here
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.aws.conditional_put import conditional_put
from auditwire.aws.errors import status_of
from auditwire.aws.listing import objects_below
from auditwire.documents.source import is_test_file

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

RULES_PREFIX: Final = "rules/"
MARKER_KEY: Final = "rules/.publishing"
MAX_MARKER_AGE: Final = timedelta(seconds=60)
"""An older marker was left behind by an upload that broke off, and is ignored."""

ACTIVE_KEY: Final = "active.json"
STATUS_KEY: Final = "status.json"

MAX_OBJECT_BYTES: Final = 64 << 20
"""In bytes. Bundles are far smaller."""

_SUFFIXES: Final = (".yaml", ".yml")
_Answer = TypeVar("_Answer")


class RulesBucketError(Exception):
    """The rules bucket could not be read or written. The message names the object and the reason."""


class ChangedError(RulesBucketError):
    """An object is not, or no longer, the version that was asked for. Callers read it again."""


class TooLargeError(RulesBucketError):
    """An object is larger than the given limit, and was not read."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a listing. ``size`` is in bytes, ``modified`` by the clock of S3."""

    key: str
    etag: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's content and its version."""

    data: bytes
    etag: str


class RulesBucket(Protocol):
    """The bucket as its readers and writers use it. Every method may raise RulesBucketError."""

    def entries(self, prefix: str = RULES_PREFIX, *, most: int | None = None) -> list[Listed]:
        """All objects whose keys start with ``prefix``, by key, or the first ``most`` of them."""

    def read(self, key: str, *, if_match: str | None = None, limit: int = MAX_OBJECT_BYTES) -> StoredObject | None:
        """Reads an object; None if there is none.

        With ``if_match``, an ETag, raises ChangedError unless the object exists in this version. Raises TooLargeError
        for more than ``limit`` bytes.
        """

    def poll(
        self, key: str, etag: str | None, *, limit: int = MAX_OBJECT_BYTES
    ) -> StoredObject | Literal["absent", "unchanged"]:
        """Reads an object unless its ETag is ``etag``; then nothing is transferred."""

    def write(self, key: str, data: bytes) -> str:
        """Stores an object, whatever was there. Returns its ETag."""

    def replace(self, key: str, data: bytes, seen: str | None) -> str:
        """Stores an object, but only in place of the version ``seen`` (an ETag; None: only if there is none). Returns
        its ETag.

        Raises ChangedError if something else is there, or if another writer stays busy with the key.
        """

    def delete(self, key: str) -> None:
        """Removes an object, if there is one."""


def bundle_key(digest: str) -> str:
    """The key of the bundle of the documents with this digest."""
    return f"bundles/{digest}.json"


def document_key(path: str) -> str:
    """The key of a document, from its path in a folder of rules."""
    return f"{RULES_PREFIX}{path}"


def document_path(key: str) -> str | None:
    """The path of a document below ``rules/``; None for any other key.

    The same files count as in a folder on disk: ``*.yaml`` and ``*.yml``, nothing hidden, no tests of rules.
    """
    path = _path(key)
    return None if path is None or is_test_file(path) else path


def tests_path(key: str) -> str | None:
    """The path of a file of tests below ``rules/``; None for any other key."""
    path = _path(key)
    return path if path is not None and is_test_file(path) else None


def _path(key: str) -> str | None:
    if not key.startswith(RULES_PREFIX) or not key.endswith(_SUFFIXES):
        return None
    path = key.removeprefix(RULES_PREFIX)
    return None if any(part.startswith(".") for part in PurePosixPath(path).parts) else path


class _AbsentError(RulesBucketError):
    """There is no such object."""


class _UnchangedError(RulesBucketError):
    """The object is still the given version."""


class _RefusedError(RulesBucketError):
    """S3 answered 403."""


# The meaning of an answer's status. 409: two conditional writes met. 412: the condition does not hold.
_MEANING: Final = {
    304: _UnchangedError, 403: _RefusedError, 404: _AbsentError, 409: ChangedError, 412: ChangedError
}  # fmt: skip


class S3RulesBucket:
    """A RulesBucket in S3. Timeouts and retries of single requests are set in the client.

    ``sleep`` waits seconds before a put that met another writer is repeated.
    """

    def __init__(self, client: "S3Client", bucket: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._bucket = bucket
        self._sleep = sleep

    def entries(self, prefix: str = RULES_PREFIX, *, most: int | None = None) -> list[Listed]:
        """See RulesBucket.entries."""

        def pages() -> list[Listed]:
            return [
                Listed(entry["Key"], entry["ETag"], entry["Size"], entry["LastModified"])
                for entry in objects_below(self._client, self._bucket, prefix, most=most)
            ]

        return sorted(self._ask(prefix, pages), key=lambda listed: listed.key)

    def read(self, key: str, *, if_match: str | None = None, limit: int = MAX_OBJECT_BYTES) -> StoredObject | None:
        """See RulesBucket.read."""
        try:
            return self._get(key, limit, {"IfMatch": if_match} if if_match else {})
        except _AbsentError as error:
            if if_match:
                raise ChangedError(f"{self._place(key)} is gone") from error
            return None

    def poll(
        self, key: str, etag: str | None, *, limit: int = MAX_OBJECT_BYTES
    ) -> StoredObject | Literal["absent", "unchanged"]:
        """See RulesBucket.poll."""
        try:
            return self._get(key, limit, {"IfNoneMatch": etag} if etag else {})
        except _AbsentError:
            return "absent"
        except _UnchangedError:
            return "unchanged"

    def write(self, key: str, data: bytes) -> str:
        """See RulesBucket.write."""
        return self._ask(key, lambda: self._client.put_object(**self._put_request(key, data))["ETag"])

    def replace(self, key: str, data: bytes, seen: str | None) -> str:
        """See RulesBucket.replace."""
        request = self._put_request(key, data)
        if seen:
            request["IfMatch"] = seen
        else:
            request["IfNoneMatch"] = "*"
        answer = self._ask(key, lambda: conditional_put(self._client, request, self._sleep))
        if answer is None:
            raise ChangedError(f"{self._place(key)} is no longer the version that was read")
        return answer["ETag"]

    def delete(self, key: str) -> None:
        """See RulesBucket.delete."""
        self._ask(key, lambda: self._client.delete_object(Bucket=self._bucket, Key=key))

    def _put_request(self, key: str, data: bytes) -> "PutObjectRequestTypeDef":
        kind = "json" if key.endswith(".json") else "yaml"
        return {"Bucket": self._bucket, "Key": key, "Body": data, "ContentType": f"application/{kind}"}

    def _get(self, key: str, limit: int, condition: dict[str, Any]) -> StoredObject:
        def content() -> StoredObject:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, **condition)
            if answer["ContentLength"] > limit:
                raise TooLargeError(f"{self._place(key)} has {answer['ContentLength']:,} bytes, the limit is {limit:,}")
            return StoredObject(answer["Body"].read(), answer["ETag"])

        try:
            return self._ask(key, content)
        except _RefusedError as error:
            # Without permission to list, S3 answers 403 for a key that does not exist. With permission to list one
            # prefix, it promises neither 403 nor 404. A listing of that prefix tells absent from forbidden.
            if any(listed.key == key for listed in self.entries(key)):
                raise
            raise _AbsentError(str(error)) from error

    def _ask(self, key: str, request: Callable[[], _Answer]) -> _Answer:
        try:
            return request()
        except ClientError as error:
            raise _MEANING.get(status_of(error), RulesBucketError)(f"{self._place(key)}: {error}") from error
        except BotoCoreError as error:
            raise RulesBucketError(f"{self._place(key)}: {error}") from error

    def _place(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"


class MemoryRulesBucket:
    """A RulesBucket in memory, for tests and experiments. ETags and conditions work as in S3.

    ``before`` is called ahead of each request with its name (``entries``, ``read``, ``write``, ``delete``) and key. It
    may change the bucket, as another writer would, or raise an error.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.before: Callable[[str, str], None] = lambda request, key: None
        self._clock = clock
        self._objects: dict[str, tuple[Listed, bytes]] = {}
        self._lock = Lock()

    def entries(self, prefix: str = RULES_PREFIX, *, most: int | None = None) -> list[Listed]:
        """See RulesBucket.entries."""
        self.before("entries", prefix)
        with self._lock:
            return [self._objects[key][0] for key in sorted(self._objects) if key.startswith(prefix)][:most]

    def read(self, key: str, *, if_match: str | None = None, limit: int = MAX_OBJECT_BYTES) -> StoredObject | None:
        """See RulesBucket.read."""
        self.before("read", key)
        with self._lock:
            listed, data = self._objects.get(key, (None, b""))
        if if_match and (listed is None or listed.etag != if_match):
            raise ChangedError(f"{key} is not {if_match}")
        if len(data) > limit:
            raise TooLargeError(f"{key} has {len(data):,} bytes, the limit is {limit:,}")
        return StoredObject(data, listed.etag) if listed else None

    def poll(
        self, key: str, etag: str | None, *, limit: int = MAX_OBJECT_BYTES
    ) -> StoredObject | Literal["absent", "unchanged"]:
        """See RulesBucket.poll."""
        stored = self.read(key, limit=limit)
        if stored is None:
            return "absent"
        return "unchanged" if stored.etag == etag else stored

    def write(self, key: str, data: bytes) -> str:
        """See RulesBucket.write."""
        self.before("write", key)
        with self._lock:
            return self._store(key, data)

    def replace(self, key: str, data: bytes, seen: str | None) -> str:
        """See RulesBucket.replace."""
        self.before("write", key)
        with self._lock:
            there = self._objects.get(key)
            if (there[0].etag if there else None) != seen:
                raise ChangedError(f"{key} is not {seen}")
            return self._store(key, data)

    def delete(self, key: str) -> None:
        """See RulesBucket.delete."""
        self.before("delete", key)
        with self._lock:
            self._objects.pop(key, None)

    def _store(self, key: str, data: bytes) -> str:
        # As in S3, the ETag of an object that was put in one piece is the MD5 of its content.
        etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        self._objects[key] = Listed(key, etag, len(data), self._clock()), data
        return etag
