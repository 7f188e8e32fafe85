"""Documents as other programs write them: lists of kubectl, and kinds that are no documents of rules."""

from collections.abc import Iterator
from typing import Final

import yaml

from auditwire.documents.document_source import Report
from auditwire.policy.elsewhere import kind_of_document, policy_inside

_OWN: Final = ("Rule", "Webhook", "Exception")
_LISTS: Final = ("List", "RuleList", "WebhookList", "ExceptionList")
_GROUPS: Final = ("ClusterRuleGroup", "RuleGroup", "ClusterRuleGroupList", "RuleGroupList")


def items_of(node: yaml.Node) -> Iterator[yaml.Node]:
    """The documents in a node: the items of what ``kubectl get -o yaml`` writes, or the node itself."""
    items = _value(node, "items")
    if kind_of(node) in _LISTS and isinstance(items, yaml.SequenceNode):
        yield from items.value
    else:
        yield node


def report_foreign(report: Report, node: yaml.Node) -> bool:
    """Whether a document is of a kind that is not read here, but that one can do something about; that is reported."""
    kind = kind_of(node)
    if kind in _GROUPS:
        report.at(
            node,
            "AW206",
            f"this is a {kind} of KubeSphere 4, whose rules are written differently",
            f"run auditwire rules import kubesphere {report.source.path} --out DIR, which writes Rule documents",
        )
        return True
    inside = "" if kind in _OWN else policy_inside(node)
    if inside:
        report.at(
            node,
            "AW206",
            f"this is a {kind_of_document(node)}; the audit policy is {inside}",
            "save that as policy.yaml beside the rules",
        )
    return bool(inside)


def kind_of(node: yaml.Node) -> str:
    """The kind that a document names; empty for none."""
    kind = _value(node, "kind")
    return kind.value if isinstance(kind, yaml.ScalarNode) else ""


def _value(node: yaml.Node, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in pairs if isinstance(key, yaml.ScalarNode) and key.value == name), None)
