"""Loading documents into a ``RuleSet``, with all findings about them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import yaml

from auditwire.condition.assemble import Binder
from auditwire.condition.compile import Dialect
from auditwire.documents.diagnostics import Diagnostic, Severity, has_errors, in_order
from auditwire.documents.document_source import Report, compose
from auditwire.documents.source import Source, digest_of, is_test_file
from auditwire.events.level import Level
from auditwire.policy import LoadedPolicy, check_policy
from auditwire.rules import reader
from auditwire.rules.compile_rule import compile_rule
from auditwire.rules.definitions import Definitions
from auditwire.rules.document import API_VERSION, DOCUMENT_KEYS, RuleDocument
from auditwire.rules.exception_document import (
    EXCEPTION_API_VERSION,
    ExceptionDocument,
    read_exception_document,
    report_chosen,
    report_expired,
    report_rule,
)
from auditwire.rules.fields import EventFields
from auditwire.rules.files import read_sources
from auditwire.rules.foreign import items_of, report_foreign
from auditwire.rules.kubesphere import refuse_exceptions, refuse_extensions
from auditwire.rules.lint import Subject, lint
from auditwire.rules.never_sent import Cloud, report_never_sent
from auditwire.rules.rule_document import read_rule_document
from auditwire.rules.rule_exception import ExceptionText, RuleException
from auditwire.rules.rule_set import Rule, RuleSet, new_binder
from auditwire.rules.selection import Selected
from auditwire.rules.settings import Settings
from auditwire.rules.webhook_document import WebhookDocument, read_webhook_document

MAX_RULES: Final = 2_000
"""How many enabled rules a rule set may have."""

_VERSIONS: Final = {"Rule": API_VERSION, "Webhook": API_VERSION, "Exception": EXCEPTION_API_VERSION}
POLICY_GROUP: Final = "audit.k8s.io/"


class RulesError(Exception):
    """Documents cannot be loaded. ``diagnostics`` has all findings, errors and warnings, in order."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        super().__init__("\n".join(found.as_text() for found in diagnostics))
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of loading: the rule set unless there are errors, and all findings in order."""

    rule_set: RuleSet | None
    diagnostics: list[Diagnostic]
    documents: tuple[RuleDocument, ...]
    exceptions: tuple[ExceptionDocument, ...] = ()


def load_rule_set(paths: Iterable[Path]) -> RuleSet:
    """Loads the rule set of files and folders (see ``rule_files``).

    Raises ``RulesError`` with all findings, ``OSError`` for a path that cannot be read.
    """
    loaded = load_sources(read_sources(paths))
    if loaded.rule_set is None:
        raise RulesError(loaded.diagnostics)
    return loaded.rule_set


def load_sources(
    sources: Iterable[Source],
    *,
    dialect: Dialect = "auditwire",
    today: date | None = None,
    cloud: Cloud | None = None,
) -> Loaded:
    """Loads the rule set of these sources. Never raises an error. If a finding is an error there is no rule set.

    ``cloud`` is the managed cloud whose events the rules are checked for too. ``today`` is the day against which the
    ends of exceptions are held; with None nothing is said about them. Files of tests (``is_test_file``) are left out,
    also of the digest.
    """
    sources, tests = _apart(sources)
    reports = [Report(source) for source in sources]
    documents: list[RuleDocument] = []
    webhooks: list[WebhookDocument] = []
    exceptions: list[ExceptionDocument] = []
    policies: list[LoadedPolicy] = []
    for report in reports:
        nodes = [inner for node in compose(report) for inner in items_of(node)]
        if nodes and _is_policy(nodes[0]):
            policies.append(_read_policy(report, nodes[0], first=not policies))
            continue
        for node in nodes:
            _read_document(report, node, documents, webhooks, exceptions)
    if _too_many_rules(reports, documents):
        return Loaded(None, _findings(reports), tuple(documents))
    different = _report_duplicates(documents, webhooks)
    exceptions = _report_duplicate_exceptions(exceptions)
    settings = webhooks[0].settings if webhooks else Settings()
    fields = EventFields()
    definitions = Definitions(documents, fields, dialect)
    binder = new_binder()
    archiving, alerting = Selected(settings.archiving_selector), Selected(settings.alerting_selector)
    archiving_rules: list[Rule] = []
    alerting_rules: list[Rule] = []
    for document in documents:
        rules = _rules(document, definitions, binder)
        archiving_rules += archiving.take(document, rules)
        alerting_rules += alerting.take(document, rules)
        if rules and not (
            settings.archiving_selector.selects(document.labels) or settings.alerting_selector.selects(document.labels)
        ):
            document.report.at(
                document.node,
                "AW208",
                f"no selector selects the document {document.name}, so its rules have no effect",
                f"label it {archiving.wanted} or {alerting.wanted}",
                severity=Severity.WARNING,
            )
    known = [f"{one.name}.{entry.name}" for one in documents for entry in one.entries if entry.type == "rule"]
    in_force = []
    for exception in exceptions:
        report_rule(exception, [rule.qualified for rule in alerting_rules], known)
        found = _exception(exception, definitions, fields, binder)
        in_force += [] if found is None else [found]
    if today is not None:
        report_expired(exceptions, today)
    definitions.check_all()
    if webhooks and documents:
        archiving.report_emptiness(webhooks[0], "archiving", different)
        alerting.report_emptiness(webhooks[0], "alerting", different)
    if dialect == "kubesphere":
        refuse_extensions(different, definitions, fields)
        refuse_exceptions(exceptions)
    report_never_sent(different, definitions, fields, cloud)
    conditions = [one.as_rule for one in exceptions]
    lint(Subject(different, definitions, fields, settings, webhooks[0] if webhooks else None, conditions))
    diagnostics = _findings([*reports, *map(_check_tests, tests)])
    rule_set = None
    if not has_errors(diagnostics):
        rule_set = RuleSet(
            tuple(archiving_rules),
            tuple(alerting_rules),
            settings,
            digest_of(sources),
            tuple(diagnostics),
            policies[0].policy if policies else None,
            tuple(in_force),
        )
    return Loaded(rule_set, diagnostics, tuple(documents), tuple(exceptions))


def _apart(sources: Iterable[Source]) -> tuple[list[Source], list[Source]]:
    """The documents, and the files that hold tests of rules: those are no part of a rule set."""
    every = list(sources)
    return [one for one in every if not is_test_file(one.path)], [one for one in every if is_test_file(one.path)]


def _check_tests(source: Source) -> Report:
    """Reports a document in a file of tests (AW221): its rules would vanish by the name of the file."""
    report = Report(source)
    for node in compose(report):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        if key := next((key for key, _ in pairs if isinstance(key, yaml.ScalarNode) and key.value == "kind"), None):
            hint = "a file whose name ends in .test.yaml holds tests only, and nothing in it takes effect: rename it"
            report.at(key, "AW221", "this is a document in a file of tests", hint)
    return report


def _is_policy(node: yaml.Node) -> bool:
    """Whether a file contains an audit policy, judged by kind or apiVersion of its first document. Only the first
    counts."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    # Only scalars: the text of a list node would spell out everything that its aliases stand for, without end.
    said = {
        key.value: value.value
        for key, value in pairs
        if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)
    }
    return said.get("kind") == "Policy" or said.get("apiVersion", "").startswith(POLICY_GROUP)


def _read_policy(report: Report, node: yaml.Node, *, first: bool) -> LoadedPolicy:
    """Reads the audit policy of a source. A second policy is refused (AW207).

    What kube-apiserver only logs is refused here if it would silence everything: a policy that records nothing, and a
    rule of level None that an ignored key makes wider than it looks.
    """
    loaded = check_policy(report.source)
    rules = loaded.policy.rules if loaded.policy else ()
    silencing = {f"rules[{position}]" for position, rule in enumerate(rules) if rule.level is Level.NONE}
    for found in loaded.diagnostics:
        refused = found.code == "AW328" or (found.code == "AW310" and found.rule in silencing)
        report.diagnostics.append(replace(found, severity=Severity.ERROR) if refused else found)
    if not first:
        report.at(node, "AW207", "there is more than one audit policy", "keep only one: its rules are tried in order")
    return loaded


def _read_document(
    report: Report,
    node: yaml.Node,
    documents: list[RuleDocument],
    webhooks: list[WebhookDocument],
    exceptions: list[ExceptionDocument],
) -> None:
    if report_foreign(report, node):
        return
    fields = reader.known_keys(report, node, "the document", DOCUMENT_KEYS)
    if not fields:
        return
    kind = reader.choice(report, fields.get("kind"), "kind", _VERSIONS, "")
    if "kind" not in fields:
        report.at(node, "AW205", "the document has no kind", "write kind: Rule, Webhook or Exception")
    version = reader.plain_text(report, fields.get("apiVersion"), "apiVersion")
    if kind and version != _VERSIONS[kind]:
        report.at(
            fields.get("apiVersion") or node,
            "AW202",
            f"the apiVersion is {version or 'missing'}",
            f"write apiVersion: {_VERSIONS[kind]}",
        )
    if kind == "Rule":
        document = read_rule_document(report, node, fields)
        if document is not None:
            documents.append(document)
    elif kind == "Webhook":
        webhooks.append(read_webhook_document(report, node, fields))
    elif kind == "Exception":
        exception = read_exception_document(report, node, fields)
        if exception is not None:
            exceptions.append(exception)


def _report_duplicates(documents: list[RuleDocument], webhooks: list[WebhookDocument]) -> list[RuleDocument]:
    """Reports what may exist only once. Returns the documents with different names."""
    seen: dict[str, RuleDocument] = {}
    for document in documents:
        first = seen.setdefault(document.name, document)
        if first is not document:
            line = first.node.start_mark.line + 1
            document.report.at(
                document.node,
                "AW207",
                f"the document name {document.name} is used twice",
                f"the other one is in {first.report.source.path}:{line}",
            )
    for webhook in webhooks[1:]:
        place = f"{webhooks[0].report.source.path}:{webhooks[0].node.start_mark.line + 1}"
        message = "there is more than one Webhook document"
        webhook.report.at(webhook.node, "AW207", message, f"the other one is in {place}")
    return list(seen.values())


def _report_duplicate_exceptions(exceptions: list[ExceptionDocument]) -> list[ExceptionDocument]:
    """Reports names that are used twice. Returns the exceptions with different names."""
    seen: dict[str, ExceptionDocument] = {}
    for one in exceptions:
        if seen.setdefault(one.name, one) is not one:
            place = f"{seen[one.name].report.source.path}:{seen[one.name].as_rule.node.start_mark.line + 1}"
            message = f"the exception name {one.name} is used twice"
            one.report.at(one.as_rule.node, "AW207", message, f"the other one is in {place}")
    return list(seen.values())


def _exception(
    exception: ExceptionDocument, definitions: Definitions, fields: EventFields, binder: Binder
) -> RuleException | None:
    """The exception ready to judge events; None after reporting what is wrong with its condition."""
    entry = exception.entry
    expression = definitions.condition(exception.as_rule, entry)
    if expression is None or entry.condition is None:
        return None
    report_chosen(exception, entry.condition, expression, fields)
    text = ExceptionText(
        name=exception.name,
        rule=exception.rule,
        expression=expression,
        owner=exception.owner,
        reason=exception.reason,
        expires=exception.expires,
    )
    return RuleException(text, binder)


def _too_many_rules(reports: list[Report], documents: list[RuleDocument]) -> bool:
    """Whether there are more enabled rules than allowed (AW214). Found before any of them costs time."""
    count = sum(entry.type == "rule" and entry.enable for document in documents for entry in document.entries)
    if count > MAX_RULES:
        reports[0].at(None, "AW214", f"there are {count:,} enabled rules, the limit is {MAX_RULES:,}")
    return count > MAX_RULES


def _findings(reports: list[Report]) -> list[Diagnostic]:
    return in_order(found for report in reports for found in report.diagnostics)


def _rules(document: RuleDocument, definitions: Definitions, binder: Binder) -> list[Rule]:
    """The enabled rules of a document that have no errors. The errors of the others are reported."""
    rules = []
    for entry in document.entries:
        if entry.type != "rule":
            continue
        before = len(document.report.diagnostics)
        rule = compile_rule(document, entry, definitions, binder)
        if not entry.enable:
            _soften(document.report, before, f"{document.name}.{entry.name}")
        elif rule is not None:
            rules.append(rule)
    return rules


def _soften(report: Report, since: int, rule: str) -> None:
    """Turns the errors of a disabled rule into warnings, so that they refuse nothing. Errors of what it uses stay."""
    for position in range(since, len(report.diagnostics)):
        found = report.diagnostics[position]
        if found.is_error and found.rule == rule:
            report.diagnostics[position] = replace(
                found, severity=Severity.WARNING, message=f"{found.message} (the rule is not enabled)"
            )
