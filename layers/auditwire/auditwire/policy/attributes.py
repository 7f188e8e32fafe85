"""The attributes of a request that a policy looks at, taken from the request's audit event."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from auditwire.events.model import Event
from auditwire.senders.kind import SenderKind


class AttributesError(Exception):
    """What was given does not describe a request."""


class Attributes(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One request at one stage.

    ``user`` is None for a request that was not authenticated, which is not the same as an empty name. For a request
    that is not for a resource, only ``verb``, ``path`` and the user count.
    """

    user: str | None = None
    groups: tuple[str, ...] = ()
    verb: str = ""
    resource_request: bool = False
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    path: str = ""
    stage: str = ""

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Attributes":
        """Attributes from their JSON values. Keys that are null or absent are empty. Raises AttributesError."""
        try:
            return msgspec.convert({key: value for key, value in plain.items() if value is not None}, cls)
        except msgspec.ValidationError as error:
            raise AttributesError(str(error)) from None


def attributes_of(event: Event) -> Attributes:
    """The request of an event, as kube-apiserver's policy saw it.

    - The user is the one who authenticated, not the impersonated one: in the handler chain auditing comes before
      impersonation (kubernetes/apiserver, pkg/server/config.go, DefaultBuildHandlerChain).
    - A create on a collection has no name yet when the policy is evaluated. The event's name is filled in from the body
      later (pkg/audit/request.go, LogRequestObject), so it does not count.
    - The path is the request URI without its query, with percent-escapes decoded. ks-apiserver sends it decoded.
    """
    about = event.objectRef
    user = event.user
    path = event.requestURI.partition("?")[0]
    if "%" in path and event.sender == SenderKind.KUBERNETES:
        path = unquote(path)
    return Attributes(
        user.username or None,
        tuple(user.groups) if user.groups else (),
        event.verb,
        about.resource != "",
        about.apiGroup,
        about.resource,
        about.subresource,
        "" if event.verb == "create" and not about.subresource else about.name,
        about.namespace,
        path,
        event.stage,
    )
