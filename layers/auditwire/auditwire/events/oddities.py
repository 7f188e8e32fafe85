"""What an event says in a way of its own, put right when it is read: bodies that its sender left out, and a group that
stands in front of the version."""

from typing import Final

import msgspec

from auditwire.events.model import Event, Flag, ObjectRef

TRUNCATED: Final = "audit.k8s.io/truncated"
"""The annotation of an event that was too large for kube-apiserver's own limit, so that it took both bodies out."""

SKIPPED: Final = msgspec.Raw(b'"skipped-too-big-size-object"')
"""What AKS writes instead of a large body."""

_BODIES: Final = ("requestObject", "responseObject")


def note_bodies_left_out(event: Event) -> None:
    """Note which bodies of an event its sender had and left out: nobody can say what was in them."""
    is_truncated = event.annotations is not None and event.annotations.get(TRUNCATED) == "true"
    missing = set()
    for name in _BODIES:
        body = getattr(event, name)
        if is_truncated if body is None else body == SKIPPED:
            missing.add(name)
    if missing:
        event.unknown_paths |= missing
        event.flag(Flag.BODIES_SKIPPED)


def split_group(event: Event) -> None:
    """The ``group/version`` that audit.k8s.io/v1alpha1 has as objectRef.apiVersion, as the two fields of later
    versions."""
    reference = event.objectRef
    group, _, version = reference.apiVersion.rpartition("/")
    event.objectRef = ObjectRef(
        resource=reference.resource,
        namespace=reference.namespace,
        name=reference.name,
        uid=reference.uid,
        apiGroup=reference.apiGroup or group,
        apiVersion=version,
        resourceVersion=reference.resourceVersion,
        subresource=reference.subresource,
    )
    event.edited |= {"objectRef"}


def note_oddities(event: Event) -> None:
    """Everything of this module, where an event calls for it; hardly one does."""
    annotations, request, response = event.annotations, event.requestObject, event.responseObject
    if (
        (annotations is not None and TRUNCATED in annotations)
        or (request is not None and request == SKIPPED)
        or (response is not None and response == SKIPPED)
    ):
        note_bodies_left_out(event)
    if "/" in event.objectRef.apiVersion:
        split_group(event)
