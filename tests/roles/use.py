"""What a system's functions did with their roles: what they were refused, and what of their permissions they used."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Self

from roles.permissions import Statement, allowed

if TYPE_CHECKING:
    from roles.calls import Call


FOLDER = "AUDITWIRE_ROLE_USE"
"""The environment variable with the folder for it, which processes that a test starts inherit."""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One thing a role allows: an action on a resource, with one of the values its condition accepts (or "")."""

    function: str
    sid: str
    action: str
    resource: str
    value: str

    def __str__(self) -> str:
        wanted = f" with {self.value}" if self.value else ""
        return f"{self.function}: {self.action} on {self.resource}{wanted} (statement {self.sid})"


@dataclass(frozen=True, slots=True, order=True)
class Refused:
    """A call that no statement of its function's role allows."""

    function: str
    action: str
    resource: str
    context: str

    def __str__(self) -> str:
        with_context = f" with {self.context}" if self.context else ""
        return f"{self.function}: {self.action} on {self.resource}{with_context}"


@dataclass(frozen=True, slots=True)
class RoleUse:
    """What the roles of one or more systems allow, what of it was used, and which calls they refuse."""

    granted: frozenset[Grant] = frozenset()
    used: frozenset[Grant] = frozenset()
    refused: frozenset[Refused] = frozenset()

    def __or__(self, other: Self) -> "RoleUse":
        return RoleUse(self.granted | other.granted, self.used | other.used, self.refused | other.refused)


def role_use(roles: Mapping[str, list[Statement]], calls: "Iterable[Call]", names: Mapping[str, str]) -> RoleUse:
    """Hold calls against the roles (function → statements).

    ``names`` says by which name an ARN goes in the result, so that results of systems with other ARNs compare.
    """
    granted = {grant: single for function, role in roles.items() for grant, single in _grants(function, role)}
    used, refused = set(), set()
    for call in calls:
        if not allowed(roles[call.function], call.action, call.resource, call.context):
            context = ", ".join(f"{key} {value}" for key, value in sorted(call.context.items()))
            refused.add(Refused(call.function, call.action, _named(call.resource, names), context))
        used |= {
            grant
            for grant, single in granted.items()
            if grant.function == call.function
            and grant not in used
            and allowed([single], call.action, call.resource, call.context)
        }
    named = {
        grant: Grant(grant.function, grant.sid, grant.action, _named(grant.resource, names), grant.value)
        for grant in granted
    }
    return RoleUse(frozenset(named.values()), frozenset(named[grant] for grant in used), frozenset(refused))


def write_role_use(use: RoleUse, folder: Path) -> None:
    """Put it into the folder as a file of its own."""
    text = json.dumps({name: sorted(map(list, map(astuple, getattr(use, name)))) for name in RoleUse.__slots__})
    partial = folder / f"{uuid.uuid4()}.partial"
    partial.write_text(text, encoding="utf-8")
    partial.rename(partial.with_suffix(".json"))


def read_role_uses(folder: Path) -> RoleUse:
    """Everything that was put into the folder, as one."""
    whole = RoleUse()
    for path in folder.glob("*.json"):
        read = json.loads(path.read_text(encoding="utf-8"))
        whole |= RoleUse(
            frozenset(Grant(*grant) for grant in read["granted"]),
            frozenset(Grant(*grant) for grant in read["used"]),
            frozenset(Refused(*call) for call in read["refused"]),
        )
    return whole


def _grants(function: str, role: Iterable[Statement]) -> Iterator[tuple[Grant, Statement]]:
    """Each thing a role allows, and the statement that allows this alone."""
    for statement in role:
        if statement.effect == "Allow":
            for action, resource, values in product(statement.actions, statement.resources, _values(statement)):
                conditions: dict[str, dict[str, tuple[str, ...]]] = {}
                for operator, key, value in values:
                    # Of all values that a call may carry together, this one is among them.
                    single = operator.replace("ForAllValues:", "ForAnyValue:")
                    conditions.setdefault(single, {})[key] = (value,)
                told = ", ".join(f"{key} {value}" for _, key, value in values)
                grant = Grant(function, statement.sid, action, resource, told)
                yield grant, Statement(statement.sid, "Allow", (action,), (resource,), conditions)


def _values(statement: Statement) -> Iterator[tuple[tuple[str, str, str], ...]]:
    """Each way to meet a statement's conditions: one (operator, key, value) for every key."""
    return product(
        *(
            [(operator, key, value) for value in accepted]
            for operator, keys in statement.conditions.items()
            for key, accepted in keys.items()
        )
    )


def _named(arn: str, names: Mapping[str, str]) -> str:
    """The ARN with the longest beginning that has a name replaced by that name."""
    for known in sorted(names, key=len, reverse=True):
        if arn.startswith(known):
            return names[known] + arn.removeprefix(known)
    return arn
