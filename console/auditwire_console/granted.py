"""A row of the viewers table: who is granted what.

| attribute | type | |
| --- | --- | --- |
| ``id`` | S, partition key | ``subject#``, ``email#`` (lower case), ``group#``, or ``token#`` with a SHA-256 in hex |
| ``name`` | S | how whoever it is is called |
| ``clusters`` | L of S | names; ``*`` alone is every cluster |
| ``namespaces``, ``workspaces`` | L of S | names |
| ``everything`` | BOOL | whether every event of the clusters is visible |
| ``host_cluster`` | S | the cluster that KubeSphere's API means by host; absent for all |
| ``added`` | S | when it was granted, as ``2027-02-21T00:00:00Z`` |

Every attribute but the first two may be absent, and then grants nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from auditwire_console.viewer import Grant, digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditwire_console.person import Person

EVERY: Final = "*"


class Kind(StrEnum):
    """How somebody is known."""

    EMAIL = "email"
    GROUP = "group"
    SUBJECT = "subject"
    TOKEN = "token"  # noqa: S105 - a word

    def key(self, name: str) -> str:
        """The key of the row of whoever is known by this name; of a token by its digest."""
        return f"{self}#{name}"


class DamagedError(ValueError):
    """A row that cannot be read, so that it grants nothing. The message says what is wrong, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A row. Only DynamoDB sees its key."""

    key: str
    name: str
    grant: Grant
    host_cluster: str = ""
    added: datetime | None = None

    @property
    def kind(self) -> Kind:
        """How whoever it is is known."""
        return Kind(self.key.partition("#")[0])

    def as_row(self) -> "dict[str, Any]":
        """The row as DynamoDB has it."""
        grant = self.grant
        clusters = [EVERY] if grant.clusters is None else sorted(grant.clusters)
        lists = {"clusters": clusters, "namespaces": sorted(grant.namespaces), "workspaces": sorted(grant.workspaces)}
        row: dict[str, Any] = {"id": {"S": self.key}, "name": {"S": self.name}}
        row |= {name: {"L": [{"S": value} for value in values]} for name, values in lists.items()}
        row["everything"] = {"BOOL": grant.everything}
        if self.host_cluster:
            row["host_cluster"] = {"S": self.host_cluster}
        if self.added is not None:
            row["added"] = {"S": self.added.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        return row

    @classmethod
    def from_row(cls, row: "Mapping[str, Any]") -> "Granted":
        """Reads a row. Raises DamagedError if anything in it is not what it should be, but for ``added``."""
        key = _text(row, "id")
        if key.partition("#")[0] not in tuple(Kind):
            raise DamagedError(f"its id begins with none of {', '.join(f'{kind}#' for kind in Kind)}")
        everything = row.get("everything", {"BOOL": False}).get("BOOL")
        if not isinstance(everything, bool):
            raise DamagedError("everything is neither true nor false")
        name = _text(row, "name")
        if not name:
            raise DamagedError("it has no name")
        clusters, namespaces, workspaces = (_names(row, each) for each in ("clusters", "namespaces", "workspaces"))
        if EVERY in clusters and len(clusters) > 1:
            raise DamagedError(f"{EVERY} stands beside names of clusters")
        grant = Grant(None if EVERY in clusters else clusters, namespaces, workspaces, everything)
        return cls(key, name, grant, _text(row, "host_cluster"), _time(row))


def key_of_token(token: str) -> str:
    """The key of the row of whoever has a token."""
    return Kind.TOKEN.key(digest_of(token))


def keys_of(person: "Person") -> tuple[str, ...]:
    """The keys of all rows that grant a person something, each once."""
    keys = [Kind.SUBJECT.key(person.subject)]
    if person.email:
        keys.append(Kind.EMAIL.key(person.email))
    keys += [Kind.GROUP.key(group) for group in person.groups]
    return tuple(dict.fromkeys(keys))


def _names(row: "Mapping[str, Any]", attribute: str) -> frozenset[str]:
    values = row.get(attribute, {"L": []}).get("L")
    if not isinstance(values, list) or not all(isinstance(each.get("S"), str) and each["S"] for each in values):
        raise DamagedError(f"{attribute} is no list of names")
    return frozenset(each["S"] for each in values)


def _text(row: "Mapping[str, Any]", attribute: str) -> str:
    text = row.get(attribute, {"S": ""}).get("S")
    if not isinstance(text, str):
        raise DamagedError(f"{attribute} is no text")
    return text


def _time(row: "Mapping[str, Any]") -> datetime | None:
    try:
        return datetime.fromisoformat(row.get("added", {}).get("S", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
