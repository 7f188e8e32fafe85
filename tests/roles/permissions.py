"""What the statements of a function's role allow.

moto's own enforcement is wrong for half of the services used here, so the deployed role's statements are evaluated as
data. The evaluator knows what the template uses and refuses the rest.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditwire_local import LocalSystem

_KNOWN_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}


class UnknownElementError(Exception):
    """An IAM statement uses an element that the evaluator does not know."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a role's policy; conditions are operator → key → accepted values."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]


def statements_of(system: "LocalSystem", function: str) -> list[Statement]:
    """The statements of a function's role (by the function's folder), read back from the deployed role."""
    role = system.function(function).configuration.role.rpartition("/")[2]
    iam = system.client("iam")
    return [
        statement
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
        for statement in parse_statements(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    ]


def parse_statements(document: Mapping[str, Any]) -> list[Statement]:
    """The statements of a policy document; UnknownElementError for an element the evaluator does not know."""
    return [_statement(statement) for statement in _listed(document["Statement"])]


def allowed(
    statements: Iterable[Statement], action: str, resource: str, context: Mapping[str, str] | None = None
) -> bool:
    """Whether a role with these statements may do this: some Allow applies and no Deny does."""
    applying = {
        statement.effect
        for statement in statements
        if _matches(statement.actions, action, re.IGNORECASE)
        and _matches(statement.resources, resource)
        and _met(statement.conditions, context or {})
    }
    return applying == {"Allow"}


def _statement(statement: Mapping[str, Any]) -> Statement:
    if unknown := sorted(statement.keys() - _KNOWN_ELEMENTS):
        msg = f"the evaluator does not know {', '.join(unknown)} of an IAM statement"
        raise UnknownElementError(msg)
    conditions = {
        operator: {key: tuple(_listed(values)) for key, values in keys.items()}
        for operator, keys in statement.get("Condition", {}).items()
    }
    if unknown := sorted(conditions.keys() - _OPERATORS.keys() - {"Null"}):
        msg = f"the evaluator does not know the condition {', '.join(unknown)} of an IAM statement"
        raise UnknownElementError(msg)
    return Statement(
        statement.get("Sid", ""),
        statement["Effect"],
        tuple(_listed(statement["Action"])),
        tuple(_listed(statement["Resource"])),
        conditions,
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(patterns: Iterable[str], value: str, flags: int = 0) -> bool:
    return any(_wildcard(pattern, flags).fullmatch(value) for pattern in patterns)


def _wildcard(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """IAM's pattern: ``*`` any text, ``?`` one character, everything else itself."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(expression, flags | re.DOTALL)


_OPERATORS: dict[str, Callable[[tuple[str, ...], str], bool]] = {
    "StringEquals": lambda accepted, value: value in accepted,
    "ForAnyValue:StringEquals": lambda accepted, value: bool(set(value.split(",")) & set(accepted)),
    "ForAllValues:StringEquals": lambda accepted, value: set(value.split(",")) <= set(accepted),
    "StringLike": _matches,
    "ArnEquals": _matches,
    "ArnLike": _matches,
    "Bool": lambda accepted, value: value.lower() in {str(item).lower() for item in accepted},
}


def _met(conditions: Mapping[str, Mapping[str, tuple[str, ...]]], context: Mapping[str, str]) -> bool:
    """Whether every condition holds; one on a key that the call does not carry never does, but for ``Null``."""
    return all(
        _holds(operator, accepted, context.get(key))
        for operator, keys in conditions.items()
        for key, accepted in keys.items()
    )


def _holds(operator: str, accepted: tuple[str, ...], value: str | None) -> bool:
    if operator == "Null":
        return str(value is None).lower() in accepted
    return value is not None and _OPERATORS[operator](accepted, value)
