"""The section Rules of a template: what CloudFormation refuses before it makes anything."""

from collections.abc import Mapping
from typing import Any

from auditwire_local.errors import DeployError


def check_rules(document: Mapping[str, Any], values: Mapping[str, str]) -> None:
    """Raises DeployError, with its description, for every rule that these parameter values (as text) break."""
    lists = {
        name for name, parameter in document.get("Parameters", {}).items() if parameter["Type"] == "CommaDelimitedList"
    }
    known = {name: value.split(",") if name in lists else value for name, value in values.items()}
    broken = [
        assertion["AssertDescription"]
        for rule in document.get("Rules", {}).values()
        if _value(rule.get("RuleCondition", True), known)
        for assertion in rule["Assertions"]
        if not _value(assertion["Assert"], known)
    ]
    if broken:
        raise DeployError(" ".join(broken))


def _value(expression: Any, values: Mapping[str, Any]) -> Any:
    """The value of an expression in a rule. Raises DeployError for a function that is not known here."""
    if not isinstance(expression, dict):
        return expression
    [(name, argument)] = expression.items()
    if name == "Ref":
        return values[argument]
    arguments = [_value(item, values) for item in argument]
    match name, arguments:
        case "Fn::Equals", [one, other]:
            return one == other
        case "Fn::Not", [one]:
            return not one
        case "Fn::And", _:
            return all(arguments)
        case "Fn::Or", _:
            return any(arguments)
        case "Fn::EachMemberEquals", [members, wanted]:
            return all(member == wanted for member in members)
        case "Fn::Contains", [members, wanted]:
            return wanted in members
    msg = f"the local system does not know {name} in a rule of a template"
    raise DeployError(msg)
