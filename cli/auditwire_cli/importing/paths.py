"""Dotted names of fields, as other systems write them, as paths of ours: which keys of bodies hold arrays."""

import re
from typing import Final

from auditwire.condition.fields import Field, Kind
from auditwire.condition.parse import SyntaxFinding, parse_path
from auditwire.condition.quoting import quote
from auditwire.condition.syntax import spell_path
from auditwire.documents.nearest import nearest
from auditwire.events.model import Event, ObjectRef, ResponseStatus, User
from auditwire.rules.fields import EventFields
from auditwire_cli.importing.clauses import UntranslatableError

ARRAYS: Final = frozenset((
    "containers", "initContainers", "ephemeralContainers", "volumes", "volumeMounts", "volumeDevices", "ports", "env",
    "envFrom", "rules", "resourceRules", "subjects", "webhooks", "tolerations", "items", "ownerReferences",
    "imagePullSecrets", "secrets", "hostAliases", "conditions", "ingress", "egress", "from", "to", "paths", "tls",
    "subsets", "addresses", "endpoints", "topologySpreadConstraints", "matchExpressions", "nodeSelectorTerms",
    "sysctls", "sources", "versions", "taints", "initContainerStatuses", "containerStatuses", "causes",
))  # fmt: skip
"""Keys of Kubernetes objects whose value is an array of objects."""

MAPS: Final = frozenset(("labels", "annotations", "matchLabels", "nodeSelector", "data", "stringData", "binaryData"))
"""Keys of Kubernetes objects whose value is a map with keys that people choose."""

_BODIES: Final = {"requestobject": "RequestObject", "responseobject": "ResponseObject"}
_FREE: Final = {
    "annotations": "Annotations",
    "user.extra": "User.Extra",
    "impersonateduser.extra": "ImpersonatedUser.Extra",
}
_OBJECTS: Final = {"user": User, "impersonatedUser": User, "objectRef": ObjectRef, "responseStatus": ResponseStatus}
_FIELDS: Final = EventFields()
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WITHOUT_FIELD: Final = ("kind", "apiVersion", "authenticationMetadata")
_NAMES: Final = [
    *(name for name in Event.__struct_encode_fields__ if name not in (*_OBJECTS, *_WITHOUT_FIELD)),
    *(f"{head}.{name}" for head, kind in _OBJECTS.items() for name in kind.__struct_encode_fields__),
]


def path_of(name: str) -> tuple[str, Kind]:
    """The path of a dotted name, in the documented spelling, and what it holds.

    Below bodies, keys that hold arrays of objects get ``[*]``. Below annotations and extra all that follows is one key.
    Raises UntranslatableError for a name that events do not have: elsewhere keys of another casing are other keys.
    """
    if not _is_spelled_as_in_events(name):
        raise _unknown(name)
    try:
        path = parse_path(_written(name))
    except SyntaxFinding:
        raise _unknown(name) from None
    field = _FIELDS.resolve(path)
    if not isinstance(field, Field):
        raise _unknown(name)
    rest = spell_path(field.rest)
    return f"{field.name}{'' if not rest or rest.startswith('[') else '.'}{rest}", field.kind


def _is_spelled_as_in_events(name: str) -> bool:
    head, *rest = name.split(".")
    if "[" in name or head not in Event.__struct_encode_fields__:
        return False
    return head not in _OBJECTS or not rest or rest[0] in _OBJECTS[head].__struct_encode_fields__


def _unknown(name: str) -> UntranslatableError:
    near = nearest(name, _NAMES)
    hint = f", did you mean {near}?" if near else ""
    return UntranslatableError(f"there is no field {name} in an audit event{hint}")


def _written(name: str) -> str:
    head, _, rest = name.partition(".")
    body = _BODIES.get(head.lower())
    if body is not None:
        return body + _below(rest.split(".")) if rest else body
    for prefix, path in _FREE.items():
        if name.lower().startswith(f"{prefix}."):
            return f"{path}[{quote(name[len(prefix) + 1 :])}]"
    return name


def _below(keys: list[str]) -> str:
    path = ""
    for position, key in enumerate(keys):
        if position and keys[position - 1] in MAPS:
            # What people name may hold dots: all that follows is one key.
            return f"{path}[{quote('.'.join(keys[position:]))}]"
        path += f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{quote(key)}]"
        if key in ARRAYS and position < len(keys) - 1:
            path += "[*]"
    return path
