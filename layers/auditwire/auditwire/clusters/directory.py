"""Which cluster a credential belongs to: the clusters table behind a cache of at most a minute."""

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.clusters.cluster import is_cluster_name
from auditwire.clusters.errors import DirectoryError
from auditwire.clusters.last_use import SentBy, UseLog
from auditwire.clusters.registration import Registration

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from auditwire.clusters.cluster import Cluster
    from auditwire.clusters.credential import Credential

MAX_CACHE_SECONDS: Final = 60.0
# kube-apiserver tries again ten seconds after a refusal. A credential that was registered meanwhile must work by then.
MAX_UNKNOWN_CACHE_SECONDS: Final = 10.0
_MAX_CACHED: Final = 1_024


@dataclass(frozen=True, slots=True)
class _CacheEntry:
    """A row that was read at this time, if it is enabled; of one that is not, the cluster."""

    read_at: float
    registration: Registration | None
    disabled: str = ""


class _Cache:
    """The most recently used answers, each for a limited time."""

    def __init__(self, ttl: float, size: int) -> None:
        self._ttl = ttl
        self._size = size
        self._entries: OrderedDict[str, _CacheEntry] = OrderedDict()

    def get(self, digest: str, now: float) -> _CacheEntry | None:
        entry = self._entries.get(digest)
        if entry is None:
            return None
        # A clock that was set back must not keep a revoked credential alive.
        if not 0 <= now - entry.read_at < self._ttl:
            del self._entries[digest]
            return None
        self._entries.move_to_end(digest)
        return entry

    def put(self, digest: str, entry: _CacheEntry) -> None:
        self._entries[digest] = entry
        self._entries.move_to_end(digest)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        self._entries.clear()

    def drop(self, digest: str) -> None:
        self._entries.pop(digest, None)


class Directory:
    """Finds the cluster that a credential belongs to.

    ``clock`` gives seconds and is read before each read of the table, so an answer is never older than ``ttl``. That is
    at most 60 seconds, within which a revocation takes effect; reads are consistent. The default is wall-clock time. A
    monotonic clock may stand still while an environment is frozen or restored from a snapshot, and does not help with
    expiry, which is checked at every use. Known and unknown credentials are cached separately, so that a flood of wrong
    ones cannot push out the right ones.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        clock: Callable[[], float] = time.time,
        ttl: float = MAX_CACHE_SECONDS,
        size: int = _MAX_CACHED,
    ) -> None:
        if not 0 < ttl <= MAX_CACHE_SECONDS:
            message = f"a credential may be cached for at most {MAX_CACHE_SECONDS:.0f} seconds, not {ttl}"
            raise ValueError(message)
        self._client = client
        self._table = table
        self._clock = clock
        self._known = _Cache(ttl, size)
        self._unknown = _Cache(min(ttl, MAX_UNKNOWN_CACHE_SECONDS), size)
        self._lock = Lock()
        self._uses = UseLog(client, table, clock)

    def identify(self, credential: "Credential | None") -> "Cluster | None":
        """The cluster that this credential belongs to; None if the credential is not valid, whatever the reason.

        Raises DirectoryError if the table cannot be read or a row cannot be used. That says nothing about the sender,
        so the answer is 5xx, and the sender repeats the batch.
        """
        if credential is None:
            return None
        cluster = self._find(credential.digest)
        # The claimed name is compared even if no row was found, so that both refusals take the same time.
        name = cluster.name if cluster else ""
        claimed = name if credential.cluster is None else credential.cluster
        same = hmac.compare_digest(claimed.encode(), name.encode())
        if credential.certificate is not None:
            beside = self._find(credential.certificate)
            same &= hmac.compare_digest((beside.name if beside else "").encode(), name.encode())
        return cluster if same else None

    def ended(self, credential: "Credential | None") -> str:
        """The cluster of a credential that has just been refused because it is expired, revoked, disabled or not valid
        yet; empty if nobody knows it. Reads no table, and is for counting only: the answer does not tell."""
        if credential is None:
            return ""
        now = self._clock()
        with self._lock:
            entry = self._known.get(credential.digest, now) or self._unknown.get(credential.digest, now)
        if entry is None or entry.registration is None:
            return entry.disabled if entry else ""
        return "" if entry.registration.holds(now) else entry.registration.cluster.name

    def renew(self) -> None:
        """Forgets what was cached, as at a start."""
        with self._lock:
            self._known.clear()
            self._unknown.clear()
            self._uses.renew()

    def note_use(self, credential: "Credential", events: int, sender: Callable[[], SentBy], latest: float) -> int:
        """Counts a batch of ``events`` that came with a valid credential. Returns how many writes have failed since the
        last call.

        Writes at most once a minute, and not after ``latest``; see UseLog. Raises no errors of AWS.
        """
        for key in {credential.digest, credential.certificate or credential.digest}:
            self._uses.note(key, events, sender, latest)
        with self._lock:
            for key in self._uses.take_gone():
                self._known.drop(key)
        return self._uses.take_failures()

    def _find(self, digest: str) -> "Cluster | None":
        now = self._clock()
        with self._lock:
            entry = self._known.get(digest, now) or self._unknown.get(digest, now)
        if entry is None:
            entry = self._read(digest, now)
            with self._lock:
                (self._unknown if entry.registration is None else self._known).put(digest, entry)
        registration = entry.registration
        return registration.cluster if registration is not None and registration.holds(now) else None

    def _read(self, digest: str, now: float) -> _CacheEntry:
        try:
            answer = self._client.get_item(
                TableName=self._table, Key={"credential": {"S": digest}}, ConsistentRead=True
            )
        except (BotoCoreError, ClientError) as error:
            message = f"the clusters table {self._table} could not be read: {error}"
            raise DirectoryError(message) from error
        row = answer.get("Item", {})
        stored = row.get("credential", {}).get("S", "")
        if not hmac.compare_digest(stored.encode(), digest.encode()):
            return _CacheEntry(now, None)
        if row.get("enabled", {}).get("BOOL") is True:
            return _CacheEntry(now, Registration.from_row(row))
        # A disabled row need not be readable. It is read again as soon as an unknown one.
        name = row.get("cluster", {}).get("S", "")
        return _CacheEntry(now, None, name if is_cluster_name(name) else "")
