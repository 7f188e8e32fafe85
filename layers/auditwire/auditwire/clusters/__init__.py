"""Credentials → cluster identity: who sent this batch, decided before its body is touched."""

from auditwire.clusters.cluster import SENDERS, Cluster, Sender, is_cluster_name
from auditwire.clusters.credential import EVENT_PATH, Credential, credential_digest, presented
from auditwire.clusters.directory import Directory
from auditwire.clusters.errors import ClustersError, DirectoryError, InvalidClusterNameError

__all__ = [
    "EVENT_PATH",
    "SENDERS",
    "Cluster",
    "ClustersError",
    "Credential",
    "Directory",
    "DirectoryError",
    "InvalidClusterNameError",
    "Sender",
    "credential_digest",
    "is_cluster_name",
    "presented",
]
