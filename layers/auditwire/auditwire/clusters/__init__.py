"""Credentials → cluster identity: who sent this batch, decided before its body is touched."""

from auditwire.clusters.cluster import SENDERS, Cluster, Sender, is_cluster_name, is_label
from auditwire.clusters.credential import (
    CERTIFICATE_PREFIX,
    EVENT_PATH,
    Credential,
    certificate_digest,
    credential_digest,
    is_credential,
    presented,
)
from auditwire.clusters.directory import Directory
from auditwire.clusters.errors import ClustersError, DirectoryError, InvalidClusterNameError
from auditwire.clusters.last_use import SentBy
from auditwire.clusters.registration import LastUse, Registration
from auditwire.clusters.table import ClustersTable, Listing
from auditwire.clusters.version import APISERVER, sender_version

__all__ = [
    "APISERVER",
    "CERTIFICATE_PREFIX",
    "EVENT_PATH",
    "SENDERS",
    "Cluster",
    "ClustersError",
    "ClustersTable",
    "Credential",
    "Directory",
    "DirectoryError",
    "InvalidClusterNameError",
    "LastUse",
    "Listing",
    "Registration",
    "Sender",
    "SentBy",
    "certificate_digest",
    "credential_digest",
    "is_cluster_name",
    "is_credential",
    "is_label",
    "presented",
    "sender_version",
]
