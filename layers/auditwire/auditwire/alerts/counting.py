"""Which cluster an alert is counted under. Every step uses the same answer, so that their counts can be compared.

A metric costs money for each value of a dimension. So a value is a cluster's name, checked once more, or one of two
fixed words that cannot be names of clusters.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from auditwire.clusters.cluster import is_cluster_name

if TYPE_CHECKING:
    from auditwire.alerts.message import Message

SYSTEM: Final = "_system"
"""Counts alerts about auditwire itself that concern no cluster."""

UNKNOWN: Final = "_unknown"
"""Counts alerts that name no cluster, or none that can exist."""

Counts = dict[str, Counter[str]]
"""Cluster (or one of the two words) → name of a metric → count."""

_OWN: Final = "auditwire."


def counted_under(labels: Mapping[str, str]) -> str:
    """The cluster under which an alert with these labels is counted, ``_system`` or ``_unknown``."""
    return _counted_under(labels.get("cluster", ""), labels.get("alertname", ""))


def message_counted_under(message: "Message") -> str:
    """The same for a message that is to be published, by its attributes."""
    return _counted_under(message.attributes.get("cluster", ""), message.attributes.get("rule", ""))


def count(counts: Counts, metric: str, clusters: Iterable[str]) -> None:
    """Adds one to a metric for each of the clusters."""
    for cluster in clusters:
        counts.setdefault(cluster, Counter())[metric] += 1


def _counted_under(cluster: str, name: str) -> str:
    if is_cluster_name(cluster):
        return cluster
    return SYSTEM if not cluster and name.startswith(_OWN) else UNKNOWN
