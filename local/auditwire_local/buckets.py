"""moto's buckets, corrected: conditional writes are safe in several threads, and EventBridge hears what S3 would tell
it.

moto 5.2 first checks If-Match and If-None-Match and then stores, without a lock around both, so two conditional writes
at the same time can both succeed. And it does not report a deletion in a versioned bucket. Both are corrected while the
in-process AWS is open. Everything else about a bucket is moto's.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from typing import Any
from unittest.mock import patch

from moto.s3 import models, notifications
from moto.s3.responses import S3Response

ObjectEvent = dict[str, Any]
"""An event of S3, as EventBridge delivers it."""
Listener = Callable[[ObjectEvent], None]

CREATED = "Object Created"
DELETED = "Object Deleted"

# The reason that AWS gives for a creation, by the name of moto's notification.
_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "PostObject",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}
_listeners: list[Listener] = []
_sequence = count(1)


@contextmanager
def object_events(listener: Listener) -> Iterator[None]:
    """Inside, ``listener`` is told every creation and deletion in a bucket that reports to EventBridge, in order.

    It is called in the thread of the request, after the change.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def mended_buckets() -> Iterator[None]:
    """Inside, buckets are of this kind."""
    lock = RLock()
    put, delete = S3Response.put_object, S3Response.delete_object
    delete_in_bucket = models.S3Backend.delete_object

    def put_object(self: Any) -> Any:
        with lock:
            return put(self)

    def delete_object(self: Any) -> Any:
        with lock:
            return delete(self)

    def delete_and_tell(
        self: Any, bucket_name: str, key_name: str, version_id: Any = None, bypass: bool = False
    ) -> Any:
        bucket = self.get_bucket(bucket_name)
        there = key_name in bucket.keys
        answer = delete_in_bucket(self, bucket_name, key_name, version_id=version_id, bypass=bypass)
        # With versions a deletion always adds a marker. Without, deleting what does not exist changes nothing.
        if _reports(bucket) and (there or (bucket.is_versioned and version_id is None)):
            marker = bucket.is_versioned and version_id is None
            kind = "Delete Marker Created" if marker else "Permanently Deleted"
            versions = {"version-id": answer[1]["version-id"]} if "version-id" in answer[1] else {}
            detail = {"object": {"key": key_name, **versions}, "reason": "DeleteObject", "deletion-type": kind}
            _tell(DELETED, self.account_id, bucket, detail)
        return answer

    with ExitStack() as stack:
        stack.enter_context(patch.object(S3Response, "put_object", put_object))
        stack.enter_context(patch.object(S3Response, "delete_object", delete_object))
        stack.enter_context(patch.object(models.S3Backend, "delete_object", delete_and_tell))
        stack.enter_context(patch.object(notifications, "_send_event_bridge_message", _created))
        yield


def _created(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
    """Replaces moto's own message to EventBridge, which knows neither functions nor deletions."""
    reason = _REASONS.get(str(getattr(event_name, "value", event_name)).removeprefix("s3:"))
    if reason is not None:
        about = {"key": key.name, "size": key.size, "etag": key.etag.strip('"')}
        versions = {"version-id": key.version_id} if bucket.is_versioned else {}
        _tell(CREATED, account_id, bucket, {"object": {**about, **versions}, "reason": reason})


def _reports(bucket: Any) -> bool:
    configuration = bucket.notification_configuration
    return configuration is not None and configuration.event_bridge is not None


def _tell(detail_type: str, account: str, bucket: Any, detail: dict[str, Any]) -> None:
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.s3",
        "account": account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket.name},
            **detail,
            "object": {**detail["object"], "sequencer": f"{next(_sequence):016X}"},
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": account,
            "source-ip-address": "127.0.0.1",
        },
    }
    for listener in _listeners.copy():
        listener(event)
