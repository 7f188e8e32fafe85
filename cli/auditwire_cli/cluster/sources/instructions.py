"""The instructions for each source: the one table of them."""

from collections.abc import Callable, Mapping
from typing import Final

from auditwire_cli.cluster.sources import clouds, shippers
from auditwire_cli.cluster.sources.source import Sending, Source

INSTRUCTIONS: Final[Mapping[Source, Callable[[Sending], str]]] = {
    Source.EKS: clouds.eks,
    Source.GKE: clouds.gke,
    Source.AKS: clouds.aks,
    Source.FIREHOSE: clouds.firehose,
    Source.S3: clouds.s3,
    Source.FLUENT_BIT: shippers.fluent_bit,
    Source.FLUENTD: shippers.fluentd,
    Source.VECTOR: shippers.vector,
    Source.LOGSTASH: shippers.logstash,
    Source.OTEL: shippers.otel,
    Source.OPENSHIFT: shippers.openshift,
    Source.SYSLOG_NG: shippers.syslog_ng,
}
"""What to run or to configure, so that events come from there."""
