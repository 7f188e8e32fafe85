"""Policies inside of other documents: ConfigMaps, and the configuration of kOps, Talos, RKE and the like."""

from collections.abc import Iterator
from typing import Final

import yaml

_GROUP: Final = "audit.k8s.io/"
_MAX_LOOKED_AT: Final = 10_000


def policy_inside(node: yaml.Node) -> str:
    """Where in a document that is no policy itself one stands, as ``the text below data['policy.yaml']`` or ``what
    stands below cluster.apiServer.auditPolicy``; empty if there is none."""
    if not isinstance(node, yaml.MappingNode) or _value(node, "kind") == "Policy" or _value(node, "rules") is not None:
        return ""
    for path, value in _below(node):
        if isinstance(value, yaml.ScalarNode) and _GROUP in value.value and "level" in value.value:
            return f"the text below {path}"
        if isinstance(value, yaml.MappingNode) and _is_policy(value):
            return f"what stands below {path}"
    return ""


def kind_of_document(node: yaml.Node) -> str:
    """What a document says it is: its kind, or else its first key."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        return "document of another kind"
    return _value(node, "kind") or f"document that begins with {_name(node.value[0][0])!r}"


def _is_policy(node: yaml.MappingNode) -> bool:
    return _value(node, "kind") == "Policy" and str(_value(node, "apiVersion")).startswith(_GROUP)


def _below(root: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    """The values in a document with their paths, a bounded number of them: aliases may repeat them without end."""
    pending: list[tuple[str, yaml.Node]] = [("", root)]
    for _ in range(_MAX_LOOKED_AT):
        if not pending:
            return
        path, node = pending.pop()
        if path:
            yield path, node
        if isinstance(node, yaml.MappingNode):
            pending += [(_joined(path, _name(key)), value) for key, value in reversed(node.value)]
        elif isinstance(node, yaml.SequenceNode):
            pending += [(f"{path}[{at}]", value) for at, value in reversed(list(enumerate(node.value)))]


def _joined(path: str, key: str) -> str:
    if not key.replace("-", "").replace("_", "").isalnum():
        return f"{path}[{key!r}]"
    return f"{path}.{key}" if path else key


def _name(node: yaml.Node) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _value(node: yaml.MappingNode, name: str) -> str | None:
    """The text under a key; None if there is no such key, empty if it is no text."""
    return next((_name(value) for key, value in node.value if _name(key) == name), None)
