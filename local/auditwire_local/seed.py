"""What a fresh stack is given before it serves: clusters that may send, and rule documents."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from auditwire.clusters import credential_digest
from auditwire.rules import rule_files
from auditwire_local.errors import LocalError
from auditwire_local.options import ClusterCredential

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_DEMO_SENDERS = {"demo": "kubernetes", "demo-ks": "kubesphere"}
_CREDENTIAL_BYTES = 32


def register_clusters(
    dynamodb: "DynamoDBClient", table: str, further: Mapping[str, ClusterCredential]
) -> dict[str, ClusterCredential]:
    """Put ``demo`` and ``demo-ks``, with random credentials, and further clusters into the clusters table.

    The table gets the SHA-256 of each credential; the credentials themselves are only in the answer.
    """
    demo = {
        name: ClusterCredential(secrets.token_urlsafe(_CREDENTIAL_BYTES), sender)
        for name, sender in _DEMO_SENDERS.items()
    }
    clusters = {**demo, **further}
    for name, cluster in clusters.items():
        dynamodb.put_item(
            TableName=table,
            Item={
                "credential": {"S": credential_digest(cluster.credential)},
                "cluster": {"S": name},
                "sender": {"S": cluster.sender},
                "enabled": {"BOOL": True},
            },
        )
    return clusters


def upload_rules(s3: "S3Client", bucket: str, folder: Path) -> list[str]:
    """Upload the rule documents below a folder to ``rules/`` and return their keys."""
    if not folder.is_dir():
        msg = f"{folder} is no folder of rule documents"
        raise LocalError(msg)
    keys = []
    for path in rule_files(folder):
        key = f"rules/{path.relative_to(folder).as_posix()}"
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        keys.append(key)
    return keys
