"""A cluster: its name, and which kind of sender its credential is registered for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from auditwire.clusters.errors import InvalidClusterNameError
from auditwire.senders.kind import SenderKind

MAX_LABEL_VALUE_LENGTH: Final = 128
MAX_LABELS: Final = 16

UNREGISTERED: Final = "unregistered"
"""What came by a cloud's road from a source that is registered for no cluster is kept under this name. No cluster can
have it."""
DOCTOR_CLUSTER: Final = "auditwire-doctor"
"""The reserved cluster of `auditwire doctor`, which nobody may register."""

_NAME = re.compile(r"[a-z0-9-]{1,63}")
# What Prometheus accepts as a label name. Names with two leading underscores are reserved for Prometheus.
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as its credential names it.

    ``name`` is ``[a-z0-9-]{1,63}``, so that it cannot be used to forge an archive key; other names raise
    InvalidClusterNameError. ``sender`` is for settings and counting, never a reason to refuse a body. ``labels`` are
    chosen by the operator.
    """

    name: str
    sender: SenderKind = SenderKind.ANY
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def __post_init__(self) -> None:
        if not is_cluster_name(self.name):
            message = f"{self.name[:80]!r} is not a cluster name: 1 to 63 of a-z, 0-9 and '-'"
            raise InvalidClusterNameError(message)


def is_cluster_name(name: str) -> bool:
    """Whether a name may be part of archive keys, labels and table rows."""
    return _NAME.fullmatch(name) is not None


def is_label(name: str, value: str) -> bool:
    """Whether a cluster may have this label: a legal Prometheus label name, and 1 to 128 printable characters."""
    return _LABEL.fullmatch(name) is not None and 0 < len(value) <= MAX_LABEL_VALUE_LENGTH and value.isprintable()
