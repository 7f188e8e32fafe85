"""The shapes of a request body, by name."""

from enum import StrEnum


class Shape(StrEnum):
    """A body shape, by the name the command line gives it."""

    EVENT_LIST = "event-list"
    KS3 = "ks3"
    KS4 = "ks4"
    JSONL = "jsonl"
    ARRAY = "array"
    SINGLE = "single"

    @property
    def of_kubesphere(self) -> bool:
        """Whether ks-apiserver, and not kube-apiserver or a log shipper, sends this shape."""
        return self in {Shape.KS3, Shape.KS4}
