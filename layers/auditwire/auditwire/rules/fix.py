"""Adding the parentheses that settle ambiguous conditions (AW103), in the text of the file itself.

Only "(" and ")" are inserted. Comments, quotes and layout stay as they are. The result is read once more. It is only
accepted if all documents are unchanged, except for the conditions that were to change, and these mean exactly what was
chosen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import yaml

from auditwire.condition.parentheses import Insertion, insert, missing_parentheses
from auditwire.condition.parse import SyntaxFinding, parse
from auditwire.condition.precedence import Precedence, read
from auditwire.documents.diagnostics import Diagnostic
from auditwire.documents.document_source import Report, compose, indexes_in_source
from auditwire.documents.source import Source
from auditwire.rules import reader
from auditwire.rules.document import Entry, RuleDocument, Scalar
from auditwire.rules.rule_document import read_rule_document


@dataclass(frozen=True, slots=True)
class Mended:
    """A condition or macro that got parentheses. ``line`` and ``column`` count from 1, in the text before."""

    rule: str
    """The entry, as ``document.name``."""
    precedence: Precedence
    line: int
    column: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A source with its ambiguous conditions settled.

    ``undecided`` are findings (AW103) about conditions whose meaning nobody has chosen. ``failed`` are findings about
    conditions and files that had to be left as they are.
    """

    source: Source
    mended: tuple[Mended, ...] = ()
    undecided: tuple[Diagnostic, ...] = ()
    failed: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class _Edit:
    document: RuleDocument
    entry: Entry
    scalar: Scalar
    precedence: Precedence
    insertions: tuple[Insertion, ...]

    @property
    def after(self) -> str:
        return insert(self.scalar.text, self.insertions)


def fix_source(source: Source, precedence: Precedence | None = None) -> Fixed:
    """Adds parentheses to every ambiguous condition and macro of a source.

    A document's annotation ``auditwire.io/precedence`` says what its conditions mean. ``precedence`` (kubesphere or
    standard) says it for documents without the annotation. This function reports no other findings: what is not YAML,
    not a Rule document or not a condition stays as it is. Never raises an error.
    """
    line_end = "\r\n" if "\r\n" in source.text else "\n"
    text = source.text.replace("\r\n", "\n")
    report = Report(Source(source.path, text))
    edits: list[_Edit] = []
    undecided, failed = Report(report.source), Report(report.source)
    nodes = list(compose(report))
    for document, entry, scalar in _conditions(report, nodes):
        chosen = _chosen(document, precedence)
        try:
            if chosen is None:
                read(parse(scalar.text), Precedence.STRICT)
            elif insertions := missing_parentheses(scalar.text, chosen):
                edits.append(_Edit(document, entry, scalar, chosen, insertions))
        except SyntaxFinding as error:
            finding = error.finding
            if finding.code == "AW101":
                continue
            found = undecided if chosen is None else failed
            found.at(scalar.node, finding.code, finding.message, finding.hint, offset=finding.offset,
                     rule=f"{document.name}.{entry.name}")  # fmt: skip
    after = _inserted(text, edits)
    if not _is_as_intended(nodes, after, edits):
        message = "parentheses cannot be added to this file without changing something else"
        first = edits[0]
        failed.at(first.scalar.node, "AW103", message, "add them by hand", rule=_name(first))
        edits, after = [], text
    mended = tuple(
        Mended(_name(edit), edit.precedence, *report.place(edit.scalar.node, 0), edit.scalar.text, edit.after)
        for edit in edits
    )
    fixed = Source(source.path, after.replace("\n", line_end) if edits else source.text)
    return Fixed(fixed, mended, tuple(undecided.diagnostics), tuple(failed.diagnostics))


def _conditions(report: Report, nodes: list[yaml.Node]) -> Iterator[tuple[RuleDocument, Entry, Scalar]]:
    """Yields every condition and macro of the source. Errors in its documents are left to checking."""
    for node in nodes:
        fields = reader.mapping(report, node, "the document")
        if reader.plain_text(report, fields.get("kind"), "kind") != "Rule":
            continue
        document = read_rule_document(report, node, fields)
        for entry in document.entries if document else ():
            if document and entry.condition is not None:
                yield document, entry, entry.condition


def _chosen(document: RuleDocument, precedence: Precedence | None) -> Precedence | None:
    said = Precedence(document.precedence)
    return precedence if said is Precedence.STRICT else said


def _name(edit: _Edit) -> str:
    return f"{edit.document.name}.{edit.entry.name}"


def _inserted(text: str, edits: list[_Edit]) -> str:
    """The file with all parentheses inserted. A scalar that an alias repeats is edited once."""
    places: dict[tuple[int, int], str] = {}
    for edit in edits:
        offsets = [insertion.offset for insertion in edit.insertions]
        indexes = indexes_in_source(text, cast("yaml.ScalarNode", edit.scalar.node), offsets)
        for order, (index, insertion) in enumerate(zip(indexes, edit.insertions, strict=True)):
            places[index, order] = insertion.parenthesis
    return insert(text, [Insertion(index, parenthesis) for (index, _), parenthesis in sorted(places.items())])


def _is_as_intended(nodes: list[yaml.Node], after: str, edits: list[_Edit]) -> bool:
    """Whether the new text has the same documents as the old ``nodes``, except for the edited conditions."""
    wanted = {(id(edit.entry.node), "condition" if edit.entry.type == "rule" else "macro"): edit for edit in edits}
    new = list(compose(Report(Source("", after))))
    pairs = list(zip(nodes, new, strict=False))
    compared: set[tuple[int, int]] = set()
    alike = len(nodes) == len(new)
    while pairs and alike:
        old_node, new_node = pairs.pop()
        if (id(old_node), id(new_node)) in compared:  # aliases turn the tree into a graph
            continue
        compared.add((id(old_node), id(new_node)))
        if isinstance(old_node, yaml.ScalarNode) or isinstance(new_node, yaml.ScalarNode):
            alike = _outline(old_node) == _outline(new_node) and old_node.value == new_node.value
            continue
        alike = _outline(old_node) == _outline(new_node)
        for old_child, new_child in zip(old_node.value, new_node.value, strict=False):
            if isinstance(old_node, yaml.SequenceNode):
                pairs.append((old_child, new_child))
                continue
            (old_key, old_value), (new_key, new_value) = old_child, new_child
            edit = wanted.get((id(old_node), old_key.value))
            pairs.append((old_key, new_key))
            if edit is None:
                pairs.append((old_value, new_value))
            else:
                alike = alike and _outline(old_value) == _outline(new_value) and new_value.value == edit.after
    return alike


def _outline(node: yaml.Node) -> tuple[type, str, object]:
    """The kind of a node: its type, its tag, and the style of a scalar or the length of a collection."""
    return type(node), node.tag, node.style if isinstance(node, yaml.ScalarNode) else len(node.value)
