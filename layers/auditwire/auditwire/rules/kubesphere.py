"""The dialect ``kubesphere``: checks that documents mean the same in KubeSphere, and reports what does not (AW111)."""

from collections.abc import Iterator
from typing import Final

import yaml

from auditwire.condition.errors import Finding
from auditwire.condition.fields import Field, FieldTable
from auditwire.condition.parse import SyntaxFinding, parse_path
from auditwire.condition.portable import path_only_here, spelling_only_here
from auditwire.condition.syntax import Path, comparisons
from auditwire.rules.definitions import Definitions, report_finding
from auditwire.rules.document import PRECEDENCE_ANNOTATION, Entry, RuleDocument, Scalar
from auditwire.rules.exception_document import ExceptionDocument
from auditwire.rules.mentions import mentions
from auditwire.rules.rule_document import ENTRY_KEYS

# What KubeSphere has. Everything else is an extension, without being named anywhere.
_FIELDS: Final = frozenset((
    "Level", "AuditID", "RequestURI", "Verb", "Workspace", "Devops", "Message", "SourceIPs",
    "RequestReceivedTimestamp", "StageTimestamp", "RequestObject", "ResponseObject",
    "User", "User.Username", "User.UID", "User.Groups", "User.Extra",
    "ObjectRef", "ObjectRef.Resource", "ObjectRef.Namespace", "ObjectRef.Name", "ObjectRef.UID",
    "ObjectRef.APIVersion", "ObjectRef.ResourceVersion", "ObjectRef.Subresource",
    "ResponseStatus", "ResponseStatus.Status", "ResponseStatus.Message", "ResponseStatus.Reason",
    "ResponseStatus.Details", "ResponseStatus.Metadata", "ResponseStatus.Code",
))  # fmt: skip
_KEYS: Final = ("name", "type", "desc", "condition", "macro", "list", "alias", "enable", "output", "priority")
_KEYS_ONLY_HERE: Final = tuple(key for key in ENTRY_KEYS if key not in _KEYS)


def refuse_extensions(documents: list[RuleDocument], definitions: Definitions, fields: FieldTable) -> None:
    """Reports everything in these documents that only auditwire understands. Disabled rules are left out."""
    for document in documents:
        if document.precedence == "standard":
            document.report.at(
                _value_at(document.node, "metadata", "annotations", PRECEDENCE_ANNOTATION),
                "AW111",
                "KubeSphere does not read and, or and not with the standard precedence",
                "run auditwire rules fix --precedence standard, which writes the parentheses, and drop the annotation",
            )
        for entry in document.entries:
            if entry.enable or entry.type != "rule":
                _entry(document, entry, definitions, fields)
    for mention in mentions(documents):
        if mention.is_output and mention.entry.enable and definitions.find(mention.document, mention.name) is None:
            for finding in _of_path(mention.name, fields):
                report_finding(mention.document, mention.entry, mention.scalar, _at(finding, mention.offset))


def refuse_exceptions(exceptions: list[ExceptionDocument]) -> None:
    """Reports every exception: KubeSphere has none."""
    for exception in exceptions:
        exception.report.at(
            exception.as_rule.node,
            "AW111",
            "KubeSphere knows no exceptions",
            "keep them in a folder of their own, or check without --dialect kubesphere",
            rule=exception.rule,
        )


def _entry(document: RuleDocument, entry: Entry, definitions: Definitions, fields: FieldTable) -> None:
    for key in _KEYS_ONLY_HERE if entry.type == "rule" else ():
        node = _value_at(entry.node, key)
        if node is not entry.node:
            document.report.at(
                node,
                "AW111",
                f"KubeSphere's rules have no {key}",
                "leave it out, or check without --dialect kubesphere",
                rule=f"{document.name}.{entry.name}",
            )
    for scalar, findings in _texts(document, entry, definitions, fields):
        for finding in findings:
            report_finding(document, entry, scalar, finding)


def _texts(
    document: RuleDocument, entry: Entry, definitions: Definitions, fields: FieldTable
) -> Iterator[tuple[Scalar, list[Finding]]]:
    written = definitions.written.get(f"{document.name}.{entry.name}")
    if entry.condition is not None and written is not None:
        found = [
            finding
            for comparison in comparisons(written)
            if isinstance(comparison.field, Path)
            for finding in _of_field(comparison.field, fields)
        ]
        yield entry.condition, [*found, *spelling_only_here(entry.condition.text)]
    if entry.alias is not None:
        yield entry.alias, _of_path(entry.alias.text, fields)


def _of_path(text: str, fields: FieldTable) -> list[Finding]:
    try:
        path = parse_path(text)
    except SyntaxFinding:
        return []
    return [*_of_field(path, fields), *path_only_here(path)]


def _of_field(path: Path, fields: FieldTable) -> list[Finding]:
    field = fields.resolve(path)
    name = field.name if isinstance(field, Field) else ""
    if not name or name in _FIELDS:
        return []
    hint = "leave it out, or check without --dialect kubesphere"
    return [Finding("AW111", f"KubeSphere's rules have no field {name}", hint, path.offset)]


def _at(finding: Finding, offset: int) -> Finding:
    return Finding(finding.code, finding.message, finding.hint, offset, finding.severity)


def _value_at(node: yaml.Node, *keys: str) -> yaml.Node:
    """The node under these keys, or the last one on the way to it."""
    for key in keys:
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in entries if name.value == key), node)
    return node
