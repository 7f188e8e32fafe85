"""The key ``threshold`` of a rule: reading it, compiling it, and what is doubtful about it."""

import re
from typing import Final

import yaml

from auditwire.condition.errors import Finding
from auditwire.condition.fields import Field
from auditwire.condition.quoting import REFERENCE
from auditwire.condition.syntax import And, AnyOf, Expression, Not, Or, Path, Reference
from auditwire.documents.diagnostics import Severity
from auditwire.documents.document_source import Report
from auditwire.rules import reader
from auditwire.rules.definitions import Definitions, report_finding
from auditwire.rules.document import Entry, RuleDocument, Scalar, ThresholdKey
from auditwire.rules.fields import EventFields, documented
from auditwire.rules.threshold import MAX_AT_LEAST, MAX_BY, MAX_WITHIN, Threshold, duration_text

THRESHOLD_KEYS: Final = ("count", "distinct", "atLeast", "by", "within")
WITHIN: Final = r"[1-9]\d{0,4}[smh]"
"""How a time is written: ``90s``, ``10m``, ``24h``."""

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_FIELDS: Final = EventFields()

# A client sends whatever it likes here, so it can spread its requests over as many groups as it needs.
_CHOSEN: Final = ("UserAgent", "SourceIPs", "AuditID", "RequestURI", "RequestObject")


def read_threshold(report: Report, node: yaml.Node | None) -> ThresholdKey | None:
    """Reads the key ``threshold``; None if there is none, or after reporting what is wrong with it."""
    if node is None:
        return None
    before = len(report.diagnostics)
    fields = reader.known_keys(report, node, "threshold", THRESHOLD_KEYS)
    if not isinstance(node, yaml.MappingNode):
        return None
    if ("count" in fields) == ("distinct" in fields) and len(report.diagnostics) == before:
        hint = "write count: N for a number of matches, or distinct: FIELD and atLeast: N for different values"
        has = "both count and distinct" if "count" in fields else "neither count nor distinct"
        report.at(node, "AW205", f"threshold has {has}", hint)
    counted = "count" if "count" in fields else "atLeast"
    if "count" in fields and "atLeast" in fields:
        report.at(fields["atLeast"], "AW206", "atLeast does not go with count", "count says how many: leave it out")
    at_least = reader.whole_number(report, fields.get(counted), f"threshold.{counted}", 1, MAX_AT_LEAST)
    if "distinct" in fields and not {"count", "atLeast"} & fields.keys():
        report.at(node, "AW205", "threshold has no atLeast", "say how many different values make an alert")
    by = reader.sequence(report, fields.get("by"), "threshold.by")
    if len(by) > MAX_BY:
        report.at(by[MAX_BY], "AW214", f"threshold.by has {len(by)} fields, the limit is {MAX_BY}")
    within = _within(report, node, fields.get("within"))
    distinct = reader.text(report, fields.get("distinct"), "threshold.distinct")
    grouped = [reader.text(report, one, "an item of threshold.by") for one in by]
    if len(report.diagnostics) > before or at_least is None:
        return None
    return ThresholdKey(at_least, within, tuple(filter(None, grouped)), distinct, node)


def _within(report: Report, threshold: yaml.Node, node: yaml.Node | None) -> int:
    if node is None:
        report.at(threshold, "AW205", "threshold has no within", "say in which time, as in within: 10m")
        return 0
    written = node.value if isinstance(node, yaml.ScalarNode) else ""
    seconds = int(written[:-1]) * _SECONDS[written[-1]] if re.fullmatch(WITHIN, written, re.ASCII) else 0
    if not 0 < seconds <= MAX_WITHIN:
        what = repr(written) if isinstance(node, yaml.ScalarNode) else reader.kind_of(node)
        hint = f"write a time such as 30s, 10m or 2h, at most {duration_text(MAX_WITHIN)}"
        report.at(node, "AW206", f"threshold.within cannot be {what}", hint)
    return seconds


def compile_threshold(
    document: RuleDocument, entry: Entry, key: ThresholdKey, expression: Expression | None, definitions: Definitions
) -> Threshold | None:
    """The threshold of a rule; None after reporting a field that there is not. ``expression`` is the rule's condition,
    expanded: one that does not ask for a stage is reported (AW224), and so is a group that anybody can leave (AW225).
    """
    by = [_path(document, entry, scalar, definitions) for scalar in key.by]
    distinct = None if key.distinct is None else _path(document, entry, key.distinct, definitions)
    grouped = tuple(documented(path) for path in by if path is not None)
    if len(grouped) < len(by) or (key.distinct is not None and distinct is None):
        return None
    if expression is not None and not _asks_for_stage(expression):
        document.report.at(
            key.node,
            "AW224",
            f"{entry.name} counts a request once for each of its stages",
            'add and Stage = "ResponseComplete" to the condition; of exec, attach and portforward "ResponseStarted"',
            severity=Severity.WARNING,
            rule=f"{document.name}.{entry.name}",
        )
    for path, scalar in zip(grouped, key.by, strict=True):
        if path.segments[0].name in _CHOSEN:
            document.report.at(
                scalar.node,
                "AW225",
                f"whoever sends requests chooses {path.text}, and never reaches the threshold with ever new values",
                "group by who asks or from where: User.Username, SourceIP, ObjectRef.Namespace",
                severity=Severity.WARNING,
                rule=f"{document.name}.{entry.name}",
            )
    return Threshold(
        at_least=key.at_least,
        within=key.within,
        by=grouped,
        distinct=None if distinct is None else documented(distinct),
    )


def _path(document: RuleDocument, entry: Entry, scalar: Scalar, definitions: Definitions) -> Path | None:
    """The field of a text: a path, or the name of an alias, also as ``${name}``. None after reporting that there is
    none."""
    reference = REFERENCE.fullmatch(scalar.text)
    shown = definitions.output_field(document, reference[1] if reference else scalar.text)
    if isinstance(shown, Path):
        return shown
    if not isinstance(shown, Finding):
        shown = Finding("AW106", f"{scalar.text} is a list: a threshold takes fields and aliases")
    report_finding(document, entry, scalar, shown)
    return None


def _asks_for_stage(node: Expression, *, is_denied: bool = False) -> bool:
    """Whether a condition asks for the stage, in each of its alternatives."""
    if isinstance(node, Not):
        return _asks_for_stage(node.operand, is_denied=not is_denied)
    if isinstance(node, And | Or):
        enough = any if isinstance(node, And) is not is_denied else all
        return enough(_asks_for_stage(operand, is_denied=is_denied) for operand in node.operands)
    if isinstance(node, Reference | AnyOf) or not isinstance(node.field, Path):
        return False
    found = _FIELDS.resolve(node.field)
    return isinstance(found, Field) and found.name == "Stage"
