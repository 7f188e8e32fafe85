"""What a new stack gets before it serves: clusters that may send, and rule documents."""

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from auditwire.bundles.rules_bucket import MARKER_KEY, STATUS_KEY, S3RulesBucket, document_key
from auditwire.clusters import Cluster, ClustersTable, Registration, credential_digest
from auditwire.rules import rule_files
from auditwire.senders.kind import SenderKind
from auditwire_local.errors import LocalError
from auditwire_local.options import ClusterCredential

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_DEMO_SENDERS = {"demo": SenderKind.KUBERNETES, "demo-ks": SenderKind.KUBESPHERE}
_CREDENTIAL_BYTES = 32


def register_clusters(
    dynamodb: "DynamoDBClient",
    table: str,
    further: Mapping[str, ClusterCredential],
    kept: Mapping[str, str] | None = None,
) -> dict[str, ClusterCredential]:
    """Put ``demo`` and ``demo-ks``, with the credentials ``kept`` of them or random ones, and further clusters into the
    clusters table.

    The table gets the SHA-256 of each credential; only the result has the credentials themselves.
    """
    demo = {
        name: ClusterCredential((kept or {}).get(name) or secrets.token_urlsafe(_CREDENTIAL_BYTES), sender)
        for name, sender in _DEMO_SENDERS.items()
    }
    clusters = {**demo, **further}
    for name, given in clusters.items():
        cluster = Cluster(name, given.sender)
        now = datetime.now(UTC).replace(microsecond=0)
        ClustersTable(dynamodb, table).add(
            Registration(credential=credential_digest(given.credential), cluster=cluster, created=now)
        )
    return clusters


def upload_rules(s3: "S3Client", bucket: str, folder: Path) -> list[str]:
    """Upload the rule documents of a folder to ``rules/`` as one change, and return their keys."""
    if not folder.is_dir():
        msg = f"{folder} is not a folder of rule documents"
        raise LocalError(msg)
    keys = []
    s3.put_object(Bucket=bucket, Key=MARKER_KEY, Body=b"")
    for path in rule_files(folder):
        key = document_key(path.relative_to(folder).as_posix())
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        keys.append(key)
    s3.delete_object(Bucket=bucket, Key=MARKER_KEY)
    return keys


def await_verdict(s3: "S3Client", bucket: str, seconds: float) -> None:
    """Wait until compile_rules has read the uploaded rules. Raises LocalError where that takes longer than
    ``seconds``."""
    rules = S3RulesBucket(s3, bucket)
    deadline = time.monotonic() + seconds
    while rules.read(STATUS_KEY) is None:
        if time.monotonic() >= deadline:
            msg = f"the uploaded rules were not compiled in {seconds:.0f} s; the log of compile_rules says why"
            raise LocalError(msg)
        time.sleep(0.02)
