"""Reading ``Exception`` documents, and what is doubtful about exceptions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import yaml

from auditwire.condition.fields import Field, FieldTable
from auditwire.condition.syntax import And, AnyOf, Comparison, Expression, Not, Operator, Or, Path, Reference, Text
from auditwire.documents.diagnostics import Severity
from auditwire.documents.document_source import Report
from auditwire.documents.nearest import nearest
from auditwire.rules import reader
from auditwire.rules.document import Entry, RuleDocument, Scalar
from auditwire.rules.rule_document import METADATA_KEYS

EXCEPTION_API_VERSION: Final = "auditwire.io/v1alpha1"
EXCEPTION_KEYS: Final = ("rule", "condition", "owner", "reason", "expires")

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

# Fields that say who asks, from where, or how it ended. What is not among them, the requester chooses.
_NOT_CHOSEN: Final = (
    "User.", "ImpersonatedUser.", "AuthenticationMetadata.", "Annotations", "ResponseStatus", "SourceIP", "Cluster",
    "Workspace", "Devops", "ObjectRef.Namespace", "Outcome", "OutcomeReason",
)  # fmt: skip
_IMAGE: Final = "image"
_WITH_TAG: Final = re.compile(r"[:@][^/]+$")


@dataclass(frozen=True, slots=True)
class ExceptionDocument:
    """An ``Exception`` document. ``as_rule`` has its condition as a rule of a document of its own, which defines
    nothing."""

    name: str
    rule: str
    as_rule: RuleDocument
    owner: str
    reason: str
    expires: date | None
    report: Report = field(compare=False)
    rule_node: yaml.Node = field(compare=False)
    expires_node: yaml.Node | None = field(compare=False)

    @property
    def entry(self) -> Entry:
        """The condition as an entry."""
        return self.as_rule.entries[0]


def read_exception_document(report: Report, node: yaml.Node, fields: dict[str, yaml.Node]) -> ExceptionDocument | None:
    """Reads an ``Exception`` document; None if a name, the rule or the condition is missing."""
    metadata = reader.known_keys(report, fields.get("metadata"), "metadata", METADATA_KEYS)
    spec = reader.known_keys(report, fields.get("spec"), "spec", EXCEPTION_KEYS)
    name = reader.plain_text(report, metadata.get("name"), "metadata.name")
    rule = reader.plain_text(report, spec.get("rule"), "spec.rule")
    condition = reader.text(report, spec.get("condition"), "spec.condition")
    for key, value in (("metadata.name", name), ("spec.rule", rule), ("spec.condition", condition)):
        if not value:
            report.at(spec.get(key.rpartition(".")[2]) or node, "AW205", f"the exception has no {key}", "write it")
    for key in ("owner", "reason", "expires"):
        if key not in spec:
            hint = {"owner": "name who answers for it", "reason": "say why", "expires": "name its last day"}[key]
            report.at(node, "AW205", f"the exception has no spec.{key}", hint, severity=Severity.WARNING)
    if not name or not rule or condition is None:
        return None
    entry = Entry(name=name, type="rule", node=node, condition=condition)
    return ExceptionDocument(
        name=name,
        rule=rule,
        as_rule=RuleDocument("exception", {}, "standard", (entry,), report, node),
        owner=reader.plain_text(report, spec.get("owner"), "spec.owner"),
        reason=reader.plain_text(report, spec.get("reason"), "spec.reason"),
        expires=_last_day(report, spec.get("expires")),
        report=report,
        rule_node=spec["rule"],
        expires_node=spec.get("expires"),
    )


def _last_day(report: Report, node: yaml.Node | None) -> date | None:
    """A date, which YAML has a type for, with quotes or without."""
    if node is None:
        return None
    value = node.value if isinstance(node, yaml.ScalarNode) else ""
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    what = f"{value!r}" if value else reader.kind_of(node)
    report.at(node, "AW206", f"spec.expires cannot be {what}", "write a day in UTC, as in 2027-03-31")
    return None


def report_expired(exceptions: Iterable[ExceptionDocument], today: date) -> None:
    """Reports exceptions whose last day is over (AW232)."""
    for one in exceptions:
        if one.expires is not None and one.expires < today:
            one.report.at(
                one.expires_node,
                "AW232",
                f"the exception {one.name} expired on {one.expires}, so {one.rule} alerts again",
                "remove it, or decide anew until when it is needed",
                severity=Severity.WARNING,
                rule=one.rule,
            )


def report_rule(exception: ExceptionDocument, alerting: Iterable[str], known: Iterable[str]) -> None:
    """Reports an exception whose rule does not exist (AW230) or never alerts (AW231)."""
    known = list(known)
    if exception.rule in alerting:
        return
    if exception.rule in known:
        exception.report.at(
            exception.rule_node,
            "AW231",
            f"the exception {exception.name} is never used: {exception.rule} is not enabled, or not an alerting rule",
            "remove it",
            severity=Severity.WARNING,
            rule=exception.rule,
        )
        return
    meant = next((name for name in known if name.endswith(f".{exception.rule}")), "") or nearest(exception.rule, known)
    hint = f"did you mean {meant}?" if meant else "write document.rule"
    exception.report.at(exception.rule_node, "AW230", f"there is no rule {exception.rule}", hint, rule=exception.rule)


def report_chosen(exception: ExceptionDocument, condition: Scalar, expression: Expression, fields: FieldTable) -> None:
    """Reports an exception that rests only on what the requester chooses (AW233). The expression is expanded."""
    if _rests_on_more(expression, fields):
        return
    exception.report.at(
        condition.node,
        "AW233",
        f"the exception {exception.name} rests only on what the requester chooses, so anybody can use it",
        "test who asks too: User.Username, User.Groups, SourceIP",
        severity=Severity.WARNING,
        rule=exception.rule,
    )


def _rests_on_more(node: Expression, fields: FieldTable, *, is_denied: bool = False) -> bool:
    if isinstance(node, Not):
        return _rests_on_more(node.operand, fields, is_denied=not is_denied)
    if isinstance(node, And | Or):
        # Of alternatives each has to, of what holds together one.
        enough = any if isinstance(node, And) is not is_denied else all
        return enough(_rests_on_more(operand, fields, is_denied=is_denied) for operand in node.operands)
    if isinstance(node, AnyOf):
        return _has_tagged_image(node.condition)
    if isinstance(node, Reference) or not isinstance(node.field, Path):
        return False
    found = fields.resolve(node.field)
    is_told = isinstance(found, Field) and found.name.startswith(_NOT_CHOSEN) and found.name != "SourceIPs"
    return is_told or _has_tagged_image(node)


def _has_tagged_image(node: Expression) -> bool:
    """Whether it asks for certain images by tag or digest."""
    if isinstance(node, And | Or):
        enough = any if isinstance(node, And) else all
        return enough(map(_has_tagged_image, node.operands))
    if not isinstance(node, Comparison) or not isinstance(node.field, Path) or node.negated:
        return False
    exact = node.operator in (Operator.EQUAL, Operator.IN)
    is_image = node.field.segments[-1].name == _IMAGE
    texts = [one.value for one in node.operands if isinstance(one, Text)]
    return exact and is_image and bool(texts) and all(_WITH_TAG.search(text) for text in texts)
