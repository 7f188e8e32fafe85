"""The pod specification that a request asks for, whatever the workload and the form of the request."""

from typing import Any, Final

from auditwire.events.json_patch import asked_for

VERBS: Final = frozenset(("create", "update", "patch"))
SUBRESOURCES: Final = frozenset(("", "ephemeralcontainers", "resize"))
"""The requests that can ask anything of pods."""

# Where the specification stands, by resource and its API groups; other groups may have other kinds of these names.
_OF_TEMPLATE: Final = ("spec", "template", "spec")
_LOCATIONS: Final = {
    "pods": (frozenset(("",)), ("spec",)),
    "podtemplates": (frozenset(("",)), ("template", "spec")),
    "cronjobs": (frozenset(("", "batch")), ("spec", "jobTemplate", "spec", "template", "spec")),
}

_KINDS: Final = (("containers", "container"), ("initContainers", "init"), ("ephemeralContainers", "ephemeral"))

# Kinds of Kubernetes itself that hold no pod specification.
_CORE_WITHOUT: Final = frozenset((
    "bindings", "componentstatuses", "configmaps", "endpoints", "events", "limitranges", "namespaces", "nodes",
    "persistentvolumeclaims", "persistentvolumes", "resourcequotas", "secrets", "serviceaccounts", "services",
))  # fmt: skip
_GROUPS_WITHOUT: Final = frozenset((
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io",
    "authorization.k8s.io", "autoscaling", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
    "events.k8s.io", "flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "policy",
    "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
))  # fmt: skip

_MAX_LEVELS: Final = 64
"""How deep a specification is looked through; no real one is as deep."""


def location_of(verb: str, resource: str, group: str, subresource: str) -> tuple[str, ...] | None:
    """The keys that lead to the pod specification in the body of such a request; None if it cannot ask for one."""
    is_decoded = isinstance(verb, str) and isinstance(resource, str)
    if not (is_decoded and isinstance(group, str) and isinstance(subresource, str)):
        return None  # an event that was built may hold anything
    if verb not in VERBS or subresource not in SUBRESOURCES or not resource:
        return None
    if resource in _CORE_WITHOUT if group == "" else group in _GROUPS_WITHOUT:
        return None
    groups, location = _LOCATIONS.get(resource, (frozenset(), _OF_TEMPLATE))
    return location if group in groups else _OF_TEMPLATE


def is_worth_decoding(location: tuple[str, ...], body: Any) -> bool:
    """Whether the text of a body (bytes or anything like them) may hold the specification: whoever asks for a template
    has to write the word, or escape one of its letters. Most bodies do neither."""
    if location != _OF_TEMPLATE:
        return True
    text = bytes(body)
    return b"template" in text or _has_escaped_letters(text)


def may_have_directives(body: Any) -> bool:
    """Whether the text of a body (bytes or anything like them) may hold a key that begins with ``$``, behind its quote
    or escaped: few do."""
    text = bytes(body)
    return (b"$" in text and b'"$' in text) or _has_escaped_letters(text)


def _has_escaped_letters(text: bytes) -> bool:
    return b"\\" in text and b"\\u" in text  # most have no backslash, and one character is found much sooner than two


def pod_spec_in(
    body: Any, location: tuple[str, ...], *, is_patch: bool, has_directives: bool = True
) -> dict[str, Any] | None:
    """The specification at this place of a decoded body, None for none.

    A list is a JSON patch. An object is read as it stands, whatever kind of patch it is: the event does not say. In a
    patch what is marked with ``$patch: delete`` is left out, and so is every key that begins with ``$``.
    """
    if is_patch and isinstance(body, list):
        asked = asked_for(body, location)
        return asked if isinstance(asked, dict) else None
    found = _object_at(body, location, is_patch=is_patch)
    if found is None or not (is_patch and has_directives):
        return found
    spec: dict[str, Any] = _without_directives(found)
    return spec


def containers_in(spec: dict[str, Any] | None) -> list[Any] | None:
    """All containers of a specification, each with its ``kind``; None if it says nothing about containers."""
    if spec is None:
        return None
    containers: list[Any] | None = None
    for key, kind in _KINDS:
        found = spec.get(key)
        if isinstance(found, list):
            kinds = [{**container, "kind": kind} for container in found if isinstance(container, dict)]
            containers = kinds if containers is None else containers + kinds
    return containers


def _object_at(body: Any, location: tuple[str, ...], *, is_patch: bool) -> dict[str, Any] | None:
    found: dict[str, Any] = {"": body}
    for key in ("", *location):
        below = found.get(key)
        if not isinstance(below, dict) or (is_patch and _is_deleted(below)):
            return None
        found = below
    return found


def _is_deleted(value: Any) -> bool:
    return isinstance(value, dict) and value.get("$patch") == "delete"


def _without_directives(value: Any, levels: int = _MAX_LEVELS) -> Any:
    """The value without what is deleted, and without the keys that say how to merge."""
    if levels and isinstance(value, dict):
        return {
            key: _without_directives(below, levels - 1)
            for key, below in value.items()
            if not key.startswith("$") and not _is_deleted(below)
        }
    if levels and isinstance(value, list):
        return [_without_directives(element, levels - 1) for element in value if not _is_directive(element)]
    return value


def _is_directive(element: Any) -> bool:
    """Whether an element is deleted, or says nothing but how to merge."""
    return _is_deleted(element) or (
        isinstance(element, dict) and bool(element) and all(key.startswith("$") for key in element)
    )
