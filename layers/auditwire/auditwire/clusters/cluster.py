"""Who sent a batch: a cluster's name, and what kind of sender its credential stands for."""

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from auditwire.clusters.errors import InvalidClusterNameError

Sender = Literal["kubernetes", "kubesphere", "any"]
SENDERS: Final[tuple[Sender, ...]] = get_args(Sender)

_NAME = re.compile(r"[a-z0-9-]{1,63}")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as its credential names it.

    ``name`` is ``[a-z0-9-]{1,63}``, so that no archive key can be forged with it; anything else raises
    InvalidClusterNameError. ``sender`` is for settings and counting, never a reason to refuse a body.
    """

    name: str
    sender: Sender = "any"

    def __post_init__(self) -> None:
        if not is_cluster_name(self.name):
            message = f"{self.name[:80]!r} is no cluster name: 1 to 63 of a-z, 0-9 and '-'"
            raise InvalidClusterNameError(message)


def is_cluster_name(name: str) -> bool:
    """Whether a name may stand in archive keys, labels and table rows."""
    return _NAME.fullmatch(name) is not None
