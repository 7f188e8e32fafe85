"""One rule of a document made ready to judge events."""

from collections.abc import Mapping

from auditwire.condition.assemble import Binder
from auditwire.condition.precedence import MAX_DEPTH
from auditwire.documents.diagnostics import Severity
from auditwire.rules.definitions import Definitions, report_finding
from auditwire.rules.document import Entry, RuleDocument, Scalar
from auditwire.rules.message import MessageTemplate
from auditwire.rules.output import compile_output
from auditwire.rules.pasted import read_otherwise
from auditwire.rules.rule_set import Rule, RuleText
from auditwire.rules.threshold_key import compile_threshold


def compile_rule(document: RuleDocument, entry: Entry, definitions: Definitions, binder: Binder) -> Rule | None:
    """The rule of an entry, ready to judge events; None after reporting what is wrong with it."""
    expression = definitions.condition(document, entry)
    if expression is not None and entry.condition is not None:
        otherwise = read_otherwise(document, entry, definitions)
        if otherwise is not None:
            report_finding(document, entry, entry.condition, otherwise)
            if otherwise.severity is Severity.ERROR:
                return None
    output = None
    if entry.output is not None:
        output, findings = compile_output(entry.output.text, document, definitions)
        for finding in findings:
            report_finding(document, entry, entry.output, finding)
        if findings:
            return None
    fillings = {
        what: _fillings(document, entry, texts, definitions)
        for what, texts in (("labels", entry.labels), ("annotations", entry.annotations))
    }
    threshold = None
    if entry.threshold is not None:
        threshold = compile_threshold(document, entry, entry.threshold, expression, definitions)
        if threshold is None:
            return None
    if expression is None or None in fillings.values():
        return None
    text = RuleText(
        name=entry.name,
        document=document.name,
        desc=entry.desc,
        priority=entry.priority,
        expression=expression,
        output=output,
        labels={name: scalar.text for name, scalar in entry.labels.items()},
        annotations={name: scalar.text for name, scalar in entry.annotations.items()},
        label_templates=fillings["labels"] or {},
        annotation_templates=fillings["annotations"] or {},
        alert=entry.alert,
        threshold=threshold,
    )
    try:
        return Rule(text, binder)
    except (RecursionError, MemoryError, SyntaxError):
        # Each macro is within the depth limit, but nested in one another they may not be.
        message = f"expanded with its macros, {entry.name} nests more than {MAX_DEPTH} levels deep"
        document.report.at(entry.node, "AW110", message, "flatten the macros", rule=text.qualified)
        return None


def _fillings(
    document: RuleDocument, entry: Entry, texts: Mapping[str, Scalar], definitions: Definitions
) -> dict[str, MessageTemplate] | None:
    """The templates of the labels or annotations that have something to fill in. Errors are reported, and then there
    are none (None)."""
    templates: dict[str, MessageTemplate] = {}
    faults = 0
    for name, scalar in texts.items():
        template, findings = compile_output(scalar.text, document, definitions)
        for finding in findings:
            report_finding(document, entry, scalar, finding)
        faults += len(findings)
        if template.parts not in ((), (scalar.text,)):
            templates[name] = template
    return None if faults else templates
