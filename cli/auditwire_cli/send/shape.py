"""The shapes of a request body, by name."""

from enum import StrEnum


class Shape(StrEnum):
    """A shape of request bodies, by its name at the command line."""

    EVENT_LIST = "event-list"
    KS3 = "ks3"
    KS4 = "ks4"
    JSONL = "jsonl"
    ARRAY = "array"
    SINGLE = "single"

    @property
    def of_kubesphere(self) -> bool:
        """Whether ks-apiserver sends this shape, and not kube-apiserver or a log shipper."""
        return self in {Shape.KS3, Shape.KS4}


class Deliverer(StrEnum):
    """Who delivers events in a form of its own."""

    EKS = "eks"
    GKE = "gke"
    AKS = "aks"
    FLUENT_BIT = "fluent-bit"

    @property
    def delivers_one(self) -> bool:
        """Whether each event is a request of its own."""
        return self is Deliverer.GKE
