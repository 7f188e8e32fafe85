"""The kinds of source, and what their instructions need to know."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where the audit events of a cluster come from, if not straight from its API server."""

    EKS = "eks"
    GKE = "gke"
    AKS = "aks"
    FIREHOSE = "firehose"
    S3 = "s3"
    FLUENT_BIT = "fluent-bit"
    FLUENTD = "fluentd"
    VECTOR = "vector"
    LOGSTASH = "logstash"
    OTEL = "otel"
    OPENSHIFT = "openshift"
    SYSLOG_NG = "syslog-ng"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is put into the instructions for a source. ``endpoint`` is an address without a path, ``credential_file``
    the file that the credential is written to; the credential itself is never in any instructions."""

    cluster: str
    endpoint: str
    credential_file: str = ""
    region: str = ""
    stack: str = ""
    audience: str = ""
    service_account: str = ""
    log_group: str = ""
    function_arn: str = ""
    bucket: str = ""
    prefix: str = ""
    notifications: str = ""
