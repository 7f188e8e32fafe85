"""Credentials → cluster identity: who sent this batch, decided before its body is touched."""

from auditwire.clusters.cluster import DOCTOR_CLUSTER, UNREGISTERED, Cluster, is_cluster_name, is_label
from auditwire.clusters.credential import (
    Credential,
    CredentialKind,
    account_key,
    bucket_key,
    bucket_keys,
    certificate_digest,
    credential_digest,
    is_credential,
    is_email,
    log_group_key,
    log_group_of,
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
    "DOCTOR_CLUSTER",
    "UNREGISTERED",
    "Cluster",
    "ClustersError",
    "ClustersTable",
    "Credential",
    "CredentialKind",
    "Directory",
    "DirectoryError",
    "InvalidClusterNameError",
    "LastUse",
    "Listing",
    "Registration",
    "SentBy",
    "account_key",
    "bucket_key",
    "bucket_keys",
    "certificate_digest",
    "credential_digest",
    "is_cluster_name",
    "is_credential",
    "is_email",
    "is_label",
    "log_group_key",
    "log_group_of",
    "presented",
    "sender_version",
]
