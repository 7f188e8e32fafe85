"""What subscription filters of CloudWatch Logs deliver to a function: log events of one stream.

The identity is the log group with its account, which CloudWatch Logs writes into each delivery and no sender chooses;
the function's permission says of which account and groups deliveries are taken. Nobody waits for an answer: a delivery
that could not be stored comes again.
"""

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from auditwire.archive import batch_digest
from auditwire.clusters import UNREGISTERED, Cluster, Credential, SentBy, log_group_key
from auditwire.events import BodyError, Reject, Skipped
from auditwire.events.inflating import inflate_unlabelled
from auditwire.ingest.account import Account
from auditwire.ingest.ingest import Answer, Batch, Ingest

UNKNOWN_LOG_GROUP: Final = "unknown_log_group"
"""The reason of a delivery whose log group is registered for no cluster."""

_MAX_INFLATED: Final = 256 * 1024 * 1024


class _Delivery(msgspec.Struct):
    messageType: str = ""
    owner: str = ""
    logGroup: str = ""


_DELIVERY = msgspec.json.Decoder(_Delivery)


def take_delivery(ingest: Ingest, event: Mapping[str, Any], *, received: datetime, deadline: float) -> Answer:
    """Processes one delivery, which is the event of the function.

    200 if everything is stored; anything else means that the delivery must come again. Raises DirectoryError, which
    means the same. A log group that no cluster is
    registered for goes to quarantine as that of the cluster UNREGISTERED, which raises an alert.
    """
    packed = str((event.get("awslogs") or {}).get("data") or "").encode(errors="replace")
    try:
        body = inflate_unlabelled(b64decode(packed, validate=True), limit=_MAX_INFLATED)
        about = _DELIVERY.decode(body)
    except (ValueError, BodyError, msgspec.DecodeError, RecursionError) as error:
        reason = error.reason if isinstance(error, BodyError) else "invalid_json"
        return _quarantine(ingest, packed, reason, "the delivery cannot be read", received, deadline)
    if about.messageType == "CONTROL_MESSAGE":
        return Answer(200, Account(UNREGISTERED, skipped=Counter({Skipped.CONTROL_MESSAGE: 1})))
    credential = Credential(log_group_key(about.owner, ingest.region, about.logGroup))
    cluster = ingest.directory.identify(credential)
    if cluster is None:
        return _quarantine(ingest, body, UNKNOWN_LOG_GROUP, "no cluster has this log group", received, deadline)
    answer = ingest.take_sliced(cluster, body, received, deadline)
    if answer.account is not None and answer.status == 200:
        version = answer.account.sender_version
        answer.account.last_use_failures = ingest.directory.note_use(
            credential, answer.account.received, lambda: SentBy("CloudWatch Logs", version), deadline
        )
    return answer


def cluster_of(ingest: Ingest, body: bytes) -> Cluster | None:
    """The cluster that a quarantined delivery belongs to, if its log group has been registered since."""
    try:
        about = _DELIVERY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return ingest.directory.identify(Credential(log_group_key(about.owner, ingest.region, about.logGroup)))


def _quarantine(ingest: Ingest, body: bytes, reason: str, detail: str, received: datetime, deadline: float) -> Answer:
    cluster = Cluster(UNREGISTERED)
    batch = Batch(cluster, body, batch_digest(cluster.name, body), received, Reject("body", reason, detail, body))
    return ingest.take(batch, deadline)
