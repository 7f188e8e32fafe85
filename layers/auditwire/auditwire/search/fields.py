"""The fields of an archived event that can be filtered by, counted by and shown, in one table.

They are the columns of the index too. A text that an event does not have is empty; a number it does not have is None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final


class Kind(StrEnum):
    """What the values of a field are. A list is a list of texts; a test of it is true if it is true of any of them."""

    TEXT = "text"
    LIST = "list"
    NUMBER = "number"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name, what its values are, and what it means. ``get`` takes it from a Found."""

    name: str
    kind: Kind
    meaning: str
    get: Callable[[Any], Any]


def _field(name: str, kind: Kind, meaning: str, attribute: str = "") -> Field:
    return Field(name, kind, meaning, attrgetter(attribute or name))


_ALL: Final = (
    _field("time", Kind.TIME, "when it is kept: its stageTimestamp, or what the archive uses instead", "at"),
    _field("received", Kind.TIME, "requestReceivedTimestamp"),
    _field("cluster", Kind.TEXT, "the cluster under which it is archived"),
    _field("audit_id", Kind.TEXT, "auditID"),
    _field("stage", Kind.TEXT, "stage"),
    _field("level", Kind.TEXT, "level"),
    _field("verb", Kind.TEXT, "verb"),
    _field("user", Kind.TEXT, "user.username"),
    _field("groups", Kind.LIST, "user.groups"),
    _field("impersonated", Kind.TEXT, "impersonatedUser.username"),
    _field("source", Kind.LIST, "sourceIPs", "sources"),
    _field("agent", Kind.TEXT, "userAgent"),
    _field("uri", Kind.TEXT, "requestURI"),
    _field("object", Kind.TEXT, "RESOURCE[.GROUP][/NAMESPACE][/NAME], as query prints it"),
    _field("resource", Kind.TEXT, "objectRef.resource", "ref.resource"),
    _field("api_group", Kind.TEXT, "objectRef.apiGroup", "ref.apiGroup"),
    _field("namespace", Kind.TEXT, "objectRef.namespace", "ref.namespace"),
    _field("name", Kind.TEXT, "objectRef.name", "ref.name"),
    _field("subresource", Kind.TEXT, "objectRef.subresource", "ref.subresource"),
    _field("code", Kind.NUMBER, "responseStatus.code"),
    _field("status", Kind.TEXT, "responseStatus.status"),
    _field("reason", Kind.TEXT, "responseStatus.reason"),
    _field("decision", Kind.TEXT, "the annotation authorization.k8s.io/decision"),
    _field("workspace", Kind.TEXT, "workspace"),
    _field("rule", Kind.LIST, "the rules that matched when it was archived", "rules"),
    _field("alert", Kind.LIST, "those of them that were alerting rules", "alerts"),
    _field("flag", Kind.LIST, "what was done to it, or found in it, when it was archived", "flags"),
)

FIELDS: Final[Mapping[str, Field]] = MappingProxyType({field.name: field for field in _ALL})
"""Every field by its name."""


def field_of(name: str) -> Field:
    """The field of this name. Raises ValueError, which lists the names that there are."""
    field = FIELDS.get(name)
    if field is None:
        raise ValueError(f"there is no field {name[:80]!r}; there are {', '.join(FIELDS)}")
    return field
