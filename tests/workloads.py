"""The same pod specification asked for in every kind of workload and every form of request."""

from collections.abc import Iterator
from typing import Any, Final

from auditwire.events import Event
from made_events import event

KINDS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "pods": ("", ("spec",)),
    "podtemplates": ("", ("template", "spec")),
    "replicationcontrollers": ("", ("spec", "template", "spec")),
    "deployments": ("apps", ("spec", "template", "spec")),
    "daemonsets": ("apps", ("spec", "template", "spec")),
    "statefulsets": ("apps", ("spec", "template", "spec")),
    "replicasets": ("apps", ("spec", "template", "spec")),
    "jobs": ("batch", ("spec", "template", "spec")),
    "cronjobs": ("batch", ("spec", "jobTemplate", "spec", "template", "spec")),
}
"""The nine kinds of Kubernetes that make pods: API group, and where the specification stands."""

LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
FORMS: Final = ("create", "update", "patch", "JSON patch")


def nested(keys: tuple[str, ...], value: Any) -> Any:
    """The value below these keys."""
    for key in reversed(keys):
        value = {key: value}
    return value


def request(resource: str, form: str, spec: Any, *, group: str | None = None, subresource: str = "") -> Event:
    """A request of this form that asks for the specification in this kind of workload."""
    of_kind, location = KINDS.get(resource, ("", ("spec", "template", "spec")))
    body: Any = nested(location, spec)
    if form == "JSON patch":
        body = [{"op": "add", "path": "/" + "/".join(location), "value": spec}]
    made = event(verb=form.rpartition(" ")[2], resource=resource, subresource=subresource, body=body)
    ref = made.objectRef
    return made.with_changes(
        objectRef=type(ref)(
            resource=ref.resource, namespace=ref.namespace, name=ref.name, subresource=ref.subresource,
            apiGroup=of_kind if group is None else group,
        )
    )  # fmt: skip


def requests(spec: Any) -> Iterator[tuple[str, Event]]:
    """The specification in every kind and form, each with a name."""
    for resource in KINDS:
        for form in FORMS:
            yield f"{form} {resource}", request(resource, form, spec)
