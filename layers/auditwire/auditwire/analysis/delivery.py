"""What each kind of sender never sends, whatever its audit policy says."""

from dataclasses import dataclass
from typing import Final

from auditwire.events.level import Level


@dataclass(frozen=True, slots=True)
class Delivery:
    """A kind of sender: the stages and the fields of which its events have none, and the template of tests for it.

    ``level`` is the most that it records unless it is told otherwise.
    """

    name: str
    template: str
    stages_missing: frozenset[str] = frozenset()
    fields_missing: frozenset[str] = frozenset()
    level: Level = Level.REQUEST_RESPONSE


_USER_PARTS: Final = ("Username", "UID", "Groups", "Extra")

DELIVERIES: Final = {
    "kubernetes": Delivery("kubernetes", "kube"),
    "eks": Delivery("eks", "eks"),
    "aks": Delivery("aks", "aks"),
    # Cloud Audit Logs say who it was by one name, and have no entry for a request that only came in.
    "gke": Delivery(
        "gke",
        "gke",
        frozenset(("RequestReceived", "Panic")),
        frozenset((
            "User.UID", "User.Groups", "User.Extra", "ImpersonatedUser",
            *(f"ImpersonatedUser.{part}" for part in _USER_PARTS), "Workspace", "Devops", "Message",
        )),
    ),
    # ks-apiserver writes one event a request, when it is complete.
    "kubesphere": Delivery(
        "kubesphere",
        "kubesphere",
        frozenset(("RequestReceived", "ResponseStarted", "Panic")),
        frozenset(("Annotations", "ResponseStatus.Reason", "ResponseStatus.Message", "ResponseStatus.Status",
                   "ResponseStatus.Details")),
        Level.METADATA,
    ),
}  # fmt: skip
"""The kinds of sender by their names on the command line."""
