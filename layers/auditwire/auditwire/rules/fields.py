"""The field table of the audit event: every name that a condition, alias or output may use, in any casing.

The names are those of KubeSphere's documentation and of audit.k8s.io/v1. When a rule is compiled, they are resolved
once to attributes of ``auditwire.events.Event``. Below bodies, annotations, extra and details, names are free and
exact.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final

from auditwire.condition.errors import Finding
from auditwire.condition.fields import Field, Kind
from auditwire.condition.syntax import Path, Segment, spell_path
from auditwire.documents.nearest import nearest
from auditwire.events import outcome, pod_spec


def _pod_spec_depends(event: Any, unknown: AbstractSet[str]) -> bool:
    """Whether the pod specification of an event depends on its body, where at most that is unknown."""
    ref = event.objectRef
    if unknown & {"objectRef", "verb"}:
        return True
    return pod_spec.location_of(event.verb, ref.resource, ref.apiGroup, ref.subresource) is not None


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A field of the event: its documented name, its type, and the path of its attribute."""

    name: str
    kind: Kind
    attribute: str


@dataclass(frozen=True, slots=True)
class _Object:
    """An object of the event: its own fields by lower-case name."""

    name: str
    attribute: str
    fields: dict[str, _Leaf]


_USER: Final = (
    ("Username", Kind.OPTIONAL_TEXT, "username"),
    ("UID", Kind.OPTIONAL_TEXT, "uid"),
    ("Groups", Kind.TEXTS, "groups"),
    ("Extra", Kind.JSON, "extra"),
)
_OBJECT_REF: Final = (
    "Resource", "Namespace", "Name", "UID", "APIGroup", "APIVersion", "ResourceVersion", "Subresource",
)  # fmt: skip
_RESPONSE_STATUS: Final = (
    ("Status", Kind.OPTIONAL_TEXT, "status"),
    ("Message", Kind.OPTIONAL_TEXT, "message"),
    ("Reason", Kind.OPTIONAL_TEXT, "reason"),
    ("Details", Kind.JSON, "details"),
    ("Metadata", Kind.JSON, "metadata"),
    ("Code", Kind.NUMBER, "code"),
)
_TOP_LEVEL: Final = (
    ("Level", Kind.TEXT, "level"),
    ("AuditID", Kind.TEXT, "auditID"),
    ("Stage", Kind.TEXT, "stage"),
    ("RequestURI", Kind.TEXT, "requestURI"),
    ("Verb", Kind.TEXT, "verb"),
    ("UserAgent", Kind.TEXT, "userAgent"),
    ("Cluster", Kind.TEXT, "cluster"),
    ("Workspace", Kind.TEXT, "workspace"),
    ("Devops", Kind.TEXT, "devops"),
    ("Message", Kind.TEXT, "message"),
    ("SourceIPs", Kind.TEXTS, "sourceIPs"),
    ("SourceIP", Kind.OPTIONAL_TEXT, "sourceIP"),
    ("Outcome", Kind.OPTIONAL_TEXT, "outcome"),
    ("OutcomeReason", Kind.OPTIONAL_TEXT, "outcomeReason"),
    ("PodSpec", Kind.JSON, "podSpec"),
    ("Containers", Kind.JSON, "containers"),
    ("RequestReceivedTimestamp", Kind.OPTIONAL_TEXT, "requestReceivedTimestamp"),
    ("StageTimestamp", Kind.OPTIONAL_TEXT, "stageTimestamp"),
    ("RequestObject", Kind.JSON, "requestBody"),
    ("ResponseObject", Kind.JSON, "responseBody"),
    ("Annotations", Kind.JSON, "annotations"),
)


def _object(name: str, attribute: str, fields: Any) -> _Object:
    leaves = (_Leaf(f"{name}.{field}", kind, f"{attribute}.{key}") for field, kind, key in fields)
    return _Object(name, attribute, {leaf.name.rpartition(".")[2].lower(): leaf for leaf in leaves})


_OBJECTS: Final = (
    _object("User", "user", _USER),
    _object("ImpersonatedUser", "impersonatedUser", _USER),
    _object(
        "ObjectRef", "objectRef", [(name, Kind.TEXT, name.replace("API", "api") if name[:3] == "API" else
                                    "uid" if name == "UID" else name[0].lower() + name[1:]) for name in _OBJECT_REF]
    ),
    _object("ResponseStatus", "responseStatus", _RESPONSE_STATUS),
    _object(
        "AuthenticationMetadata",
        "authenticationMetadata",
        [("ImpersonationConstraint", Kind.OPTIONAL_TEXT, "impersonationConstraint")],
    ),
)  # fmt: skip

_TABLE: Final[dict[str, _Leaf | _Object]] = {
    **{name.lower(): _Leaf(name, kind, attribute) for name, kind, attribute in _TOP_LEVEL},
    **{entry.name.lower(): entry for entry in _OBJECTS},
}

# Objects that an event may lack. Loading what is below them must not fail.
_OPTIONAL_OBJECTS: Final = frozenset(("impersonatedUser", "responseStatus", "authenticationMetadata"))

_QUICK: Final = {"sourceIP": "(event.sourceIPs[-1] if event.sourceIPs else None)"}
"""Properties of the event as they are spelled out where every event is asked for them."""

_PRESENT: Final = frozenset(("true",))

# Attributes that give members of the event in another form, or what follows from them.
_WORKLOAD: Final = frozenset(("requestObject", "objectRef", "verb"))
_MEMBERS: Final = {
    "requestBody": frozenset(("requestObject",)),
    "responseBody": frozenset(("responseObject",)),
    "sourceIP": frozenset(("sourceIPs",)),
    "outcome": outcome.MEMBERS,
    "outcomeReason": frozenset(("annotations", "responseStatus")),
    "podSpec": _WORKLOAD,
    "containers": _WORKLOAD,
}
_BODIES: Final = {
    "requestBody": "requestObject", "responseBody": "responseObject",
    "podSpec": "requestObject", "containers": "requestObject",
}  # fmt: skip
"""What is made of bodies, and the member with the text of the body."""
_DEPENDS: Final = {
    "outcome": outcome.outcome_depends,
    "outcomeReason": outcome.reason_depends,
    "podSpec": _pod_spec_depends,
    "containers": _pod_spec_depends,
}

# These values differ in nearly every event, or are worked out and not worth it where other fields rule out everything.
# The values of all other fields recur from event to event.
_NOT_WORTH_REMEMBERING: Final = frozenset((
    "Outcome", "OutcomeReason",
    "AuditID", "RequestURI", "Message", "RequestReceivedTimestamp", "StageTimestamp", "User.UID", "ObjectRef.Name",
    "ObjectRef.UID", "ObjectRef.ResourceVersion", "ResponseStatus.Message", "ImpersonatedUser.UID",
))  # fmt: skip

FIELD_NAMES: Final = tuple(
    name
    for entry in _TABLE.values()
    for name in (
        (entry.name,) if isinstance(entry, _Leaf) else (entry.name, *(leaf.name for leaf in entry.fields.values()))
    )
)
"""All documented names."""


class EventFields:
    """The ``FieldTable`` of ``auditwire.events.Event``."""

    def resolve(self, path: Path) -> Field | Finding:
        """The field that a path names.

        AW102 for a name that events do not have, AW112 for keys or an index of a field that has none.
        """
        head, *rest = path.segments
        entry = _TABLE.get(head.name.lower())
        if entry is None or head.is_quoted:
            return _unknown(path)
        if isinstance(entry, _Leaf):
            return _leaf_field(path, entry, head, tuple(rest))
        if head.index is not None:
            return _no_array(path, entry.name)
        if not rest:
            return Field(Kind.JSON, _object_loader(entry), (), None, entry.name, members=frozenset((entry.attribute,)))
        leaf = entry.fields.get(rest[0].name.lower())
        return (
            _unknown(path) if leaf is None or rest[0].is_quoted else _leaf_field(path, leaf, rest[0], tuple(rest[1:]))
        )


def documented(path: Path) -> Path:
    """The same path with the field's name as it is documented."""
    field = EventFields().resolve(path)
    names = field.name.split(".") if isinstance(field, Field) else []
    named = [replace(segment, name=name) for segment, name in zip(path.segments, names, strict=False)]
    segments = (*named, *path.segments[len(named) :])
    return Path(segments, spell_path(segments))


def _leaf_field(path: Path, leaf: _Leaf, own: Segment, rest: tuple[Segment, ...]) -> Field | Finding:
    if leaf.kind is not Kind.JSON and rest:
        return Finding("AW112", f"{leaf.name} has no fields of its own", f"compare {leaf.name} itself", path.offset)
    if leaf.kind in (Kind.TEXT, Kind.OPTIONAL_TEXT, Kind.NUMBER) and own.index is not None:
        return _no_array(path, leaf.name)
    parent = leaf.attribute.partition(".")[0]
    members = _MEMBERS.get(parent) or frozenset((parent,))
    repeats = leaf.kind in (Kind.TEXT, Kind.OPTIONAL_TEXT, Kind.NUMBER) and leaf.name not in _NOT_WORTH_REMEMBERING
    if "." in leaf.attribute and parent in _OPTIONAL_OBJECTS:
        expression = f"(None if event.{parent} is None else event.{leaf.attribute})"
        load, present = _optional_loader(leaf.attribute), ((_presence(parent), _PRESENT),)
        return Field(leaf.kind, load, rest, expression, leaf.name, repeats, members, None, present)
    depends = _DEPENDS.get(parent)
    expression = _QUICK.get(leaf.attribute) or f"event.{leaf.attribute}"
    needed = _ONLY_WHERE if parent in ("podSpec", "containers") else ()
    if parent in _BODIES:
        needed = ((_presence(_BODIES[parent]), _PRESENT), *needed)
    load = attrgetter(leaf.attribute)
    return Field(leaf.kind, load, rest, expression, leaf.name, repeats, members, depends, needed)


def _own_field(name: str) -> Field:
    """A field of the table by its documented name."""
    path = Path(tuple(Segment(part) for part in name.split(".")), name)
    found = EventFields().resolve(path)
    if isinstance(found, Finding):
        raise TypeError(found.message)
    return found


def _optional_loader(attribute: str) -> Callable[[Any], Any]:
    parent, _, key = attribute.partition(".")

    def load(event: Any) -> Any:
        owner = getattr(event, parent)
        return None if owner is None else getattr(owner, key)

    return load


def _presence(parent: str) -> Field:
    """Whether an event has an object or a body at all, as a field: what rules out every test of what is in it."""
    expression = f"(event.{parent} is not None)"
    # Of PodSpec nobody can say anything where the verb is unknown, not even that it is missing.
    members = _WORKLOAD if parent == "requestObject" else frozenset((parent,))
    return Field(
        Kind.JSON, lambda event: getattr(event, parent) is not None, (), expression, repeats=True, members=members
    )


def _object_loader(entry: _Object) -> Callable[[Any], Any]:
    keys = [leaf.attribute.rpartition(".")[2] for leaf in entry.fields.values()]
    attribute = entry.attribute

    def load(event: Any) -> dict[str, Any] | None:
        owner = getattr(event, attribute)
        # An empty text counts as absent: a Kubernetes event leaves out what KubeSphere sends empty.
        return None if owner is None else {key: getattr(owner, key) or None for key in keys}

    return load


def _no_array(path: Path, name: str) -> Finding:
    return Finding(
        "AW112", f"{name} is not an array, so it takes no index", f"write {name} without brackets", path.offset
    )


def _unknown(path: Path) -> Finding:
    written = ".".join(segment.name for segment in path.segments[:2])
    near = nearest(written, FIELD_NAMES)
    hint = f"did you mean {near}?" if near else "the fields are listed in docs/rules.md"
    return Finding("AW102", f"there is no field {path.text!r} in an audit event", hint, path.offset)


_ONLY_WHERE: Final = (
    (_own_field("Verb"), pod_spec.VERBS),
    (_own_field("ObjectRef.Subresource"), pod_spec.SUBRESOURCES),
)
"""Only these requests can ask anything of pods."""
