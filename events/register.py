"""Register the sample clusters of clusters.json with a running `auditwire dev`, so that these events are let in.

    .venv/bin/python events/register.py STATE

STATE is the file that `auditwire dev --state STATE` wrote. The sample credentials are public: this refuses any
address but the local system's.
"""

import json
import sys
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from auditwire.clusters import credential_digest

CLUSTERS = Path(__file__).with_name("clusters.json")


def register(state: Path) -> list[str]:
    """Write the sample clusters to the table that the state file names; the names of the clusters.

    ValueError for a state file whose AWS is not on this machine or its private network.
    """
    system = json.loads(state.read_text(encoding="utf-8"))
    if not ip_address(urlsplit(system["aws_endpoint_url"]).hostname or "").is_private:
        raise ValueError(f"{state} names no local system")
    table = boto3.client(
        "dynamodb",
        endpoint_url=system["aws_endpoint_url"],
        region_name=system["region"],
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the local system takes any
    )
    clusters = json.loads(CLUSTERS.read_text(encoding="utf-8"))
    for name, cluster in clusters.items():
        table.put_item(
            TableName=system["outputs"]["ClustersTable"],
            Item={
                "credential": {"S": credential_digest(cluster["credential"])},
                "cluster": {"S": name},
                "sender": {"S": cluster["sender"]},
                "enabled": {"BOOL": True},
            },
        )
    return list(clusters)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print("registered", ", ".join(register(Path(sys.argv[1]))))
