"""Writing counts as metrics of each cluster."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics


def measure_by_cluster(metrics: "Metrics", by_cluster: Mapping[str, Mapping[str, int]]) -> None:
    """Writes one line of metrics for each cluster, with the dimension ``cluster``.

    ``by_cluster`` is cluster → name of a metric → count. Metrics that were added to ``metrics`` before belong to no
    cluster and are written first.
    """
    if metrics.metric_set:
        metrics.flush_metrics()
    for cluster, counts in by_cluster.items():
        metrics.add_dimension("cluster", cluster)
        for name, count in counts.items():
            metrics.add_metric(name, "Count", count)
        metrics.flush_metrics()
