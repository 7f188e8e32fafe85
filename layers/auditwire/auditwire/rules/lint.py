"""Warnings about documents that load: unused, shadowed and repeated names, and rules that cannot do anything.

Each check looks at everything that is loaded together, and reports at the place of the problem.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from auditwire.condition.canonical import canonical
from auditwire.condition.contradiction import Conflict, Work, contradictions, is_always_true
from auditwire.condition.elements import ELEMENT_FIELDS
from auditwire.condition.errors import Finding
from auditwire.condition.fields import Field, FieldTable, Kind
from auditwire.condition.lint import doubtful
from auditwire.condition.parse import SyntaxFinding, parse_path
from auditwire.condition.syntax import Expression, Path, Reference
from auditwire.documents.diagnostics import Severity
from auditwire.documents.nearest import nearest
from auditwire.events.level import Level
from auditwire.rules import reader
from auditwire.rules.definitions import Definition, Definitions, report_finding
from auditwire.rules.document import Entry, RuleDocument, Scalar
from auditwire.rules.expansion import UnresolvedError
from auditwire.rules.mentions import Mention, mentions
from auditwire.rules.settings import Settings
from auditwire.rules.unheard import unheard_of_in_kubernetes
from auditwire.rules.unsaid import unsaid_in_patches
from auditwire.rules.webhook_document import WebhookDocument

# If more names than this are unresolved, unused definitions mean nothing.
_MAX_MISSPELT: Final = 50


@dataclass(frozen=True, slots=True)
class Subject:
    """What the checks look at: documents with their definitions, and the settings if a document has any."""

    documents: list[RuleDocument]
    definitions: Definitions
    fields: FieldTable
    settings: Settings
    webhook: WebhookDocument | None
    exceptions: list[RuleDocument]
    """The conditions of exceptions, each as a rule."""

    def rules(self) -> Iterator[tuple[RuleDocument, Entry]]:
        """The enabled rules in order."""
        for document in self.documents:
            yield from ((document, entry) for entry in document.entries if entry.type == "rule" and entry.enable)

    def purposes(self, document: RuleDocument) -> list[str]:
        """The purposes for which the selectors pick a document."""
        selectors = {"archiving": self.settings.archiving_selector, "alerting": self.settings.alerting_selector}
        return [purpose for purpose, selector in selectors.items() if selector.selects(document.labels)]


def lint(subject: Subject) -> None:
    """Reports all warnings and notes: AW113 to AW121, AW125, AW126, AW215 to AW220.

    If documents have errors, reports what can be found.
    """
    found = list(mentions([*subject.documents, *subject.exceptions]))
    _texts(subject)
    _unused(subject, found)
    _shadowed(subject, found)
    _duplicates(subject)
    _without_effect(subject)
    _trimmed(subject, found)


def _texts(subject: Subject) -> None:
    """Checks conditions and macros at their own places."""
    work = Work()
    definitions = subject.definitions
    of_exceptions = [(document, entry) for document in subject.exceptions for entry in document.entries]
    macros = [
        (one.document, one.entry, ELEMENT_FIELDS if definitions.is_of_elements(one) else subject.fields)
        for one in definitions.all
        if one.entry.type == "macro"
    ]
    for document, entry, fields in [*macros, *((*rule, subject.fields) for rule in [*subject.rules(), *of_exceptions])]:
        written = subject.definitions.written.get(f"{document.name}.{entry.name}")
        if written is None or entry.condition is None:
            continue
        try:
            expression = subject.definitions.expand_fields(document, written)
            findings = doubtful(expression, fields)
            findings += unheard_of_in_kubernetes(expression, fields)
            findings += _as_a_whole(replace(subject, fields=fields), document, expression, work)
            if entry.type == "rule":
                findings += unsaid_in_patches(subject.definitions.expand(document, written), fields)
        except (UnresolvedError, RecursionError):
            continue  # reported at the definition
        for finding in findings:
            report_finding(document, entry, entry.condition, finding)


def _as_a_whole(subject: Subject, document: RuleDocument, expression: Expression, work: Work) -> Iterator[Finding]:
    expand = _macro_reader(subject, document)
    for conflict in contradictions(expression, subject.fields, expand, work):
        if not conflict.is_of_macro:
            yield _impossible(conflict)
    if is_always_true(expression, subject.fields, expand, work):
        yield Finding(
            "AW115",
            "the condition is true for every event",
            "write Verb exists if you mean every event",
            0,
            Severity.WARNING,
        )


def _macro_reader(subject: Subject, document: RuleDocument) -> Callable[[Reference], Expression]:
    return lambda reference: subject.definitions.expand(document, reference)


def _impossible(conflict: Conflict) -> Finding:
    what = "this alternative" if conflict.is_part else "the condition"
    return Finding(
        "AW114",
        f"{what} can never be true: {conflict.reason}",
        "did you mean or, or another field?" if "exclude" in conflict.reason else "",
        conflict.offset,
        Severity.WARNING,
    )


def _unused(subject: Subject, found: list[Mention]) -> None:
    used: set[str] = set()
    unresolved: set[str] = set()
    for mention in found:
        definition = subject.definitions.find(mention.document, mention.name)
        if definition is None:
            unresolved |= {mention.name, mention.name.rpartition(".")[2]}
        elif definition.entry.name != mention.entry.name or definition.document is not mention.document:
            used.add(definition.qualified)
    has_rules = any(entry.type == "rule" for document in subject.documents for entry in document.entries)
    if len(unresolved) > _MAX_MISSPELT or not has_rules:
        return  # documents with definitions only are meant for rules that are not here
    for definition in subject.definitions.all:
        entry = definition.entry
        # If the name is misspelled where it is used, that has been reported there.
        if definition.qualified in used or nearest(entry.name, unresolved):
            continue
        _report(
            definition,
            "AW215",
            f"the {entry.type} {entry.name} is never used",
            f"remove it, or write ${{{entry.name}}} where you want to use it",
        )


def _shadowed(subject: Subject, found: list[Mention]) -> None:
    """Reports names that mean one thing where a reader may expect another."""
    reported: set[str] = set()
    for mention in found:
        definition = subject.definitions.find(mention.document, mention.name)
        if definition is None or definition.qualified in reported:
            continue
        field = _field_of(subject, mention.name) if mention.is_output else None
        if field is not None and not _is_alias_of(subject, definition, field):
            reported.add(definition.qualified)
            _report(
                definition,
                "AW217",
                f"the {definition.entry.type} {definition.entry.name} hides the field {field.name} in outputs",
                "give it a name of its own",
            )
    owners: dict[str, Definition] = {one.qualified: one for one in subject.definitions.all}
    for definition in subject.definitions.all:
        hidden = owners.get(definition.entry.name)
        if hidden is not None and hidden.document is not definition.document:
            _report(
                definition,
                "AW217",
                f"in {definition.document.name}, {definition.entry.name} hides {hidden.entry.name} of the document "
                f"{hidden.document.name}",
                "give it a name without dots",
            )


def _field_of(subject: Subject, name: str) -> Field | None:
    """The field that a name in an output stands for, if it has a value of its own."""
    path = _path_of(name)
    field = None if path is None else subject.fields.resolve(path)
    is_value = isinstance(field, Field) and not (field.kind is Kind.JSON and not field.rest)
    return field if is_value and isinstance(field, Field) else None


def _is_alias_of(subject: Subject, definition: Definition, field: Field) -> bool:
    alias = definition.entry.alias
    path = None if alias is None else _path_of(alias.text)
    found = None if path is None else subject.fields.resolve(path)
    return isinstance(found, Field) and (found.name, found.rest) == (field.name, field.rest)


def _path_of(text: str) -> Path | None:
    try:
        return parse_path(text)
    except SyntaxFinding:
        return None


def _duplicates(subject: Subject) -> None:
    seen: dict[object, tuple[RuleDocument, Entry]] = {}
    for document, entry in subject.rules():
        written = subject.definitions.written.get(f"{document.name}.{entry.name}")
        if written is None or entry.condition is None:
            continue
        try:
            meaning = canonical(subject.definitions.expand(document, written), subject.fields)
        except (UnresolvedError, RecursionError):
            continue
        for purpose in subject.purposes(document):
            first_document, first = seen.setdefault((purpose, meaning), (document, entry))
            if first is not entry:
                _report_duplicate(document, entry, entry.condition, f"{first_document.name}.{first.name}")
                break


def _report_duplicate(document: RuleDocument, entry: Entry, condition: Scalar, first: str) -> None:
    document.report.at(
        condition.node,
        "AW216",
        f"{entry.name} has the same condition as {first}",
        "remove one of them, or put what differs into the condition",
        severity=Severity.WARNING,
        rule=f"{document.name}.{entry.name}",
    )


def _without_effect(subject: Subject) -> None:
    threshold = subject.settings.archiving_priority
    for document, entry in subject.rules():
        if entry.threshold is not None and subject.purposes(document) == ["archiving"]:
            why = "its document is selected for archiving only, so it never alerts"
            reader.no_effect(document.report, entry.threshold.node, f"threshold of {entry.name}", why)
        if subject.purposes(document) == ["archiving"] and entry.priority.rank < threshold.rank:
            document.report.at(
                entry.node,
                "AW218",
                f"{entry.name} archives nothing: its priority {entry.priority} is below archivingPriority {threshold}",
                f"write priority: {threshold}, or lower archivingPriority",
                severity=Severity.WARNING,
                rule=f"{document.name}.{entry.name}",
            )


def _trimmed(subject: Subject, found: list[Mention]) -> None:
    """Reports outputs that show a body which the settings do not keep."""
    level = subject.settings.audit_level
    if subject.webhook is None:
        return
    if level is Level.NONE:
        subject.webhook.report.at(
            subject.webhook.node_at("spec", "auditLevel"),
            "AW220",
            "auditLevel None drops every event of KubeSphere senders",
            "write auditLevel: Metadata to record who did what",
            severity=Severity.WARNING,
        )
        return
    missing = [name for name, needed in _NEEDS.items() if level < needed]
    for mention in found:
        if not mention.is_output or not mention.entry.enable:
            continue
        definition = subject.definitions.find(mention.document, mention.name)
        alias = None if definition is None else definition.entry.alias
        path = _path_of(mention.name if definition is None else "" if alias is None else alias.text)
        field = None if path is None else subject.fields.resolve(path)
        if isinstance(field, Field) and field.name in missing:
            report_finding(
                mention.document,
                mention.entry,
                mention.scalar,
                Finding(
                    "AW219",
                    f"${{{mention.name}}} shows - for KubeSphere: auditLevel {level} does not keep {field.name}",
                    f"write auditLevel: {_NEEDS[field.name]}, or leave it out",
                    mention.offset,
                    Severity.INFO,
                ),
            )


_NEEDS = {"RequestObject": Level.REQUEST, "ResponseObject": Level.REQUEST_RESPONSE}


def _report(definition: Definition, code: str, message: str, hint: str) -> None:
    definition.document.report.at(
        definition.entry.node, code, message, hint, severity=Severity.WARNING, rule=definition.qualified
    )
