"""Macros, lists and aliases: expanding ``${name}`` and ``${document.name}``.

A definition is parsed and checked once, at its own place. Using it puts its tree, its items or its path in place of the
reference. Text is never pasted into text.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from auditwire.condition.compile import Dialect, check
from auditwire.condition.elements import ELEMENT_FIELDS, field_of_elements
from auditwire.condition.errors import Finding
from auditwire.condition.fields import FieldTable
from auditwire.condition.operands import unfit_operand
from auditwire.condition.parse import SyntaxFinding, parse, parse_path
from auditwire.condition.pattern_budget import PatternBudget
from auditwire.condition.precedence import MAX_DEPTH, Precedence, read
from auditwire.condition.syntax import (
    AnyOf,
    Chain,
    Comparison,
    Expression,
    Literal,
    Number,
    Operator,
    Path,
    Reference,
    Text,
    replace_leaves,
)
from auditwire.condition.unusable import unusable, unusable_indexes
from auditwire.documents.nearest import nearest
from auditwire.rules.document import Entry, RuleDocument, Scalar
from auditwire.rules.expansion import (
    BROKEN,
    MAX_CHAIN,
    MAX_EXPANDED_TOTAL,
    TOO_MUCH,
    Expansion,
    UnresolvedError,
    broken,
    depth_of,
    size_of,
    too_deep,
)

# Comparing names costs far more than anything else that is done with a wrong one.
_MAX_SUGGESTIONS: Final = 100

_REFERENCE_START: Final = "${"


@dataclass(frozen=True, slots=True)
class Definition:
    """A macro, list or alias, and its document."""

    document: RuleDocument
    entry: Entry

    @property
    def qualified(self) -> str:
        """``document.name``."""
        return f"{self.document.name}.{self.entry.name}"


_OUTSIDE: Final = Expansion(())


class Definitions:
    """All definitions of a set of documents."""

    def __init__(self, documents: list[RuleDocument], fields: FieldTable, dialect: Dialect) -> None:
        self._fields = fields
        self.dialect = dialect
        self._local = {
            document.name: {
                entry.name: Definition(document, entry) for entry in document.entries if entry.type != "rule"
            }
            for document in documents
        }
        self._global = {
            definition.qualified: definition for local in self._local.values() for definition in local.values()
        }
        self._room = MAX_EXPANDED_TOTAL
        self._suggestions = _MAX_SUGGESTIONS
        self._patterns_read, self._patterns_used = PatternBudget(), PatternBudget()
        self._macros: dict[tuple[str, bool], Expression | None] = {}
        """The macros by name and whether they stand inside of an ``any``, which says what their paths are about."""
        self._measures: dict[str, tuple[int, int]] = {}
        self._lists: dict[str, tuple[Literal, ...] | None] = {}
        self._paths: dict[str, Path | None] = {}
        self.written: dict[str, Expression] = {}
        """The conditions and macros without errors of their own, as written, by ``document.name``."""
        self.chains: dict[str, Chain] = {}
        """The same before they are read under a precedence."""
        self._reported: set[tuple[str, Finding]] = set()

    def check_all(self) -> None:
        """Reads every definition that no condition has used so far, and reports errors at their places."""
        for definition in self._global.values():
            if definition.entry.type == "macro":
                if (definition.qualified, True) not in self._macros:
                    self._macro(definition, _OUTSIDE)
            elif definition.entry.type == "list":
                self._items(definition, _OUTSIDE)
            else:
                self._path(definition)

    def condition(self, document: RuleDocument, entry: Entry) -> Expression | None:
        """The expanded condition of a rule; None after reporting what is wrong with it."""
        if self._room < 0:
            return None  # reported by the rule that used up the rest
        expression = self._expression(document, entry, _OUTSIDE)
        if expression is None or entry.condition is None:
            return expression
        self._room -= size_of(expression)
        findings = self._patterns_used.take(expression) if self._room >= 0 else [TOO_MUCH]
        for finding in findings:
            # The offset is within a macro, so the finding is about the rule as a whole.
            self._report(document, entry, entry.condition, replace(finding, offset=0))
        return None if findings else expression

    def output_field(self, document: RuleDocument, name: str) -> Path | tuple[Literal, ...] | Finding:
        """What ``${name}`` shows in an output: an alias's path, a list's items, or the field of that name."""
        definition = self.find(document, name)
        if definition is None:
            try:
                path = parse_path(name)
            except SyntaxFinding:
                return self._unknown(document, Reference(name))
            unresolved = self._fields.resolve(path)
            return path if not isinstance(unresolved, Finding) else self._unknown(document, Reference(name))
        if definition.entry.type == "macro":
            return Finding("AW106", f"${{{name}}} is a macro: an output shows fields, aliases and lists")
        shown = self._path(definition) if definition.entry.type == "alias" else self._items(definition, _OUTSIDE)
        return shown if shown is not None else broken(Reference(name))

    def find(self, document: RuleDocument, name: str) -> Definition | None:
        """A name of the document itself, or else ``document.name`` anywhere."""
        return self._local.get(document.name, {}).get(name) or self._global.get(name)

    def _unknown(self, document: RuleDocument, reference: Reference) -> Finding:
        meant = next((known for known in self._global if known.endswith("." + reference.name)), "")
        if not meant and self._suggestions:
            self._suggestions -= 1
            meant = nearest(reference.name, [*self._local.get(document.name, {}), *self._global]) or ""
        hint = f"did you mean ${{{meant}}}?" if meant else "define it as a macro, list or alias"
        return Finding("AW105", f"${{{reference.name}}} is not defined", hint, reference.offset)

    def _expression(self, document: RuleDocument, entry: Entry, within: Expansion) -> Expression | None:
        """The tree of a condition or macro. ``chain`` names the definitions being expanded, outermost first."""
        scalar = entry.condition
        if scalar is None:
            return None
        try:
            chain = parse(scalar.text)
            expression = read(chain, Precedence(document.precedence))
        except SyntaxFinding as error:
            self._report(document, entry, scalar, error.finding)
            return None
        findings = self._patterns_read.take(expression)
        fields = ELEMENT_FIELDS if within.in_element else self._fields
        findings = findings or [*check(expression, fields, self.dialect), *unusable(expression)]
        for finding in findings:
            self._report(document, entry, scalar, finding)
        try:
            resolved = self._resolve(document, expression, within.inside(f"{document.name}.{entry.name}"))
        except UnresolvedError as error:
            self._report(document, entry, scalar, error.finding)
            return None
        if findings:
            return None
        self.written[f"{document.name}.{entry.name}"] = expression
        self.chains[f"{document.name}.{entry.name}"] = chain
        return resolved

    def expand(self, document: RuleDocument, node: Expression) -> Expression:
        """An expression of a document, expanded. Raises ``UnresolvedError``."""
        return self._resolve(document, node, _OUTSIDE.inside(document.name))

    def expand_fields(self, document: RuleDocument, node: Expression) -> Expression:
        """An expression of a document with aliases and lists expanded, but not macros. Raises ``UnresolvedError``."""
        return self._resolve(document, node, _OUTSIDE.inside(document.name), macros=False)

    def is_of_elements(self, definition: Definition) -> bool:
        """Whether a macro is used inside of ``any`` only, so that its paths begin at an element."""
        name = definition.qualified
        return (name, True) in self._macros and (name, False) not in self._macros

    @property
    def all(self) -> Iterable[Definition]:
        """All definitions, in the order of the documents."""
        return self._global.values()

    def _resolve(
        self, document: RuleDocument, node: Expression, within: Expansion, *, macros: bool = True
    ) -> Expression:
        def resolve(leaf: Comparison | AnyOf | Reference) -> Expression:
            if isinstance(leaf, Comparison):
                return self._comparison(document, leaf, within)
            if isinstance(leaf, AnyOf):
                condition = self._resolve(document, leaf.condition, within.of_element(), macros=macros)
                return self._any(document, replace(leaf, condition=condition), within)
            is_macro = self._defined(document, leaf, within).entry.type == "macro"
            return leaf if is_macro and not macros else self._operand(document, leaf, within)

        return replace_leaves(node, resolve)

    def _any(self, document: RuleDocument, node: AnyOf, within: Expansion) -> AnyOf:
        within.take(1)
        if isinstance(node.field, Path):
            return node
        node = replace(node, field=self._field_path(document, node.field, within))
        unfit = field_of_elements(node, self._fields)
        if isinstance(unfit, Finding):
            raise UnresolvedError(unfit)
        return node

    def _operand(self, document: RuleDocument, reference: Reference, within: Expansion) -> Expression:
        """A reference in place of a test: a macro, or an alias as a bare field."""
        definition = self._defined(document, reference, within)
        if definition.entry.type == "list":
            raise UnresolvedError(
                Finding(
                    "AW106",
                    f"${{{reference.name}}} is a list, not a test",
                    f"write Field in ${{{reference.name}}}",
                    reference.offset,
                )
            )
        if definition.entry.type == "alias":
            return Comparison(self._field_path(document, reference, within), Operator.TRUTH, offset=reference.offset)
        expression = self._macro(definition, within)
        if expression is None:
            raise UnresolvedError(broken(reference))
        size, depth = self._measure(definition, expression)
        if depth > MAX_DEPTH:
            raise UnresolvedError(too_deep(reference))
        within.take(size)
        return expression

    def _comparison(self, document: RuleDocument, node: Comparison, within: Expansion) -> Comparison:
        within.take(1 + len(node.operands))
        field = node.field
        if isinstance(field, Reference):
            field = self._field_path(document, field, within)
        operands = tuple(
            literal for operand in node.operands for literal in self._operands_of(document, operand, within)
        )
        comparison = replace(node, field=field, operands=operands)
        unfit = unfit_operand(comparison)
        if unfit is not None:
            raise UnresolvedError(unfit)
        return comparison

    def _field_path(self, document: RuleDocument, reference: Reference, within: Expansion) -> Path:
        """The path of an alias."""
        definition = self._defined(document, reference, within)
        name = f"${{{reference.name}}}"
        if definition.entry.type != "alias":
            message = f"{name} is a {definition.entry.type}: only a field or an alias can be compared"
            raise UnresolvedError(Finding("AW106", message, "", reference.offset))
        if within.in_element:
            message = f"{name} is a field of the event, which cannot be reached inside of any"
            raise UnresolvedError(Finding("AW106", message, "write the key of the element", reference.offset))
        path = self._path(definition)
        if path is None:
            raise UnresolvedError(broken(reference))
        return path

    def _operands_of(
        self, document: RuleDocument, operand: Literal | Reference, within: Expansion
    ) -> tuple[Literal, ...]:
        if not isinstance(operand, Reference):
            return (operand,)
        definition = self._defined(document, operand, within)
        if definition.entry.type != "list":
            raise UnresolvedError(
                Finding("AW106", f"${{{operand.name}}} is a {definition.entry.type}, not a list", "", operand.offset)
            )
        items = self._items(definition, within)
        if items is None:
            raise UnresolvedError(broken(operand))
        within.take(len(items))
        return items

    def _defined(self, document: RuleDocument, reference: Reference, within: Expansion) -> Definition:
        definition = self.find(document, reference.name)
        if definition is None:
            raise UnresolvedError(self._unknown(document, reference))
        if definition.qualified in within.chain:
            path = " → ".join((*within.chain[within.chain.index(definition.qualified) :], definition.qualified))
            raise UnresolvedError(Finding("AW107", f"the definition contains itself: {path}", "", reference.offset))
        if len(within.chain) > MAX_CHAIN:
            raise UnresolvedError(too_deep(reference))
        return definition

    def _macro(self, definition: Definition, within: Expansion) -> Expression | None:
        key = definition.qualified, within.in_element
        if key not in self._macros:
            self._macros[key] = self._expression(definition.document, definition.entry, within)
        return self._macros[key]

    def _measure(self, definition: Definition, expression: Expression) -> tuple[int, int]:
        if definition.qualified not in self._measures:
            self._measures[definition.qualified] = size_of(expression), depth_of(expression)
        return self._measures[definition.qualified]

    def _items(self, definition: Definition, within: Expansion) -> tuple[Literal, ...] | None:
        if definition.qualified not in self._lists:
            self._lists[definition.qualified] = self._read_items(definition, within)
        return self._lists[definition.qualified]

    def _read_items(self, definition: Definition, within: Expansion) -> tuple[Literal, ...] | None:
        document, entry = definition.document, definition.entry
        literals: list[Literal] = []
        complete = True
        expansion = within.inside(definition.qualified)
        for item in entry.items:
            if not (item.text.startswith(_REFERENCE_START) and item.text.endswith("}")):
                literals.append(Number(item.text) if item.is_number else Text(item.text))
                continue
            reference = Reference(item.text[2:-1])
            try:
                inner = self._defined(document, reference, expansion)
                if inner.entry.type != "list":
                    raise UnresolvedError(
                        Finding(
                            "AW106",
                            f"${{{reference.name}}} is not a list but {_with_article(inner.entry.type)}",
                            "a list holds values and other lists",
                        )
                    )
                nested = self._items(inner, expansion)
                if nested is None:
                    raise UnresolvedError(broken(reference))
                expansion.take(len(nested))
                literals += nested
            except UnresolvedError as error:
                self._report(document, entry, Scalar(item.text, item.node), error.finding)
                complete = False
        return tuple(literals) if complete else None

    def _path(self, definition: Definition) -> Path | None:
        if definition.qualified not in self._paths:
            self._paths[definition.qualified] = self._read_path(definition)
        return self._paths[definition.qualified]

    def _read_path(self, definition: Definition) -> Path | None:
        scalar = definition.entry.alias
        if scalar is None:
            return None
        try:
            path = parse_path(scalar.text)
        except SyntaxFinding as error:
            self._report(definition.document, definition.entry, scalar, error.finding)
            return None
        field = self._fields.resolve(path)
        findings = [field] if isinstance(field, Finding) else unusable_indexes(path)
        for finding in findings:
            self._report(definition.document, definition.entry, scalar, finding)
        return None if findings else path

    def _report(self, document: RuleDocument, entry: Entry, scalar: Scalar, finding: Finding) -> None:
        # A macro that is used both inside and outside of `any` is read twice.
        name = f"{document.name}.{entry.name}"
        if (name, finding) not in self._reported:
            self._reported.add((name, finding))
            report_finding(document, entry, scalar, finding)


def report_finding(document: RuleDocument, entry: Entry, scalar: Scalar, finding: Finding) -> None:
    """Reports a finding at its character of the scalar. A ``BROKEN`` one has been reported already."""
    if finding.code == BROKEN:
        return
    document.report.at(
        scalar.node,
        finding.code,
        finding.message,
        finding.hint,
        severity=finding.severity,
        offset=finding.offset,
        rule=f"{document.name}.{entry.name}",
    )


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
