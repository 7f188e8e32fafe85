"""Rules of Sigma for Kubernetes audit events, as rules of ours. pySigma reads them; its validators, which download, are
never called."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import yaml
from sigma.collection import SigmaCollection
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError, SigmaRuleLocation
from sigma.filters import SigmaFilter
from sigma.modifiers import modifier_mapping
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule

from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_text
from auditwire_cli.importing.clauses import Clause, UntranslatableError, all_of, negated, some_of, spelled
from auditwire_cli.importing.imported import ImportedRule, Outcome, identifier, plain
from auditwire_cli.importing.sigma_correlations import FEWER, condition_of, threshold_of
from auditwire_cli.importing.sigma_values import clause_of_test

_REFUSED_MODIFIERS: Final = frozenset((
    "fieldref", "windash", "base64", "base64offset", "utf16", "utf16be", "utf16le", "wide", "expand",
    "minute", "hour", "day", "week", "month", "year",
))  # fmt: skip
_MODIFIERS: Final = {modifier: name for name, modifier in modifier_mapping.items()}
_NEGATED_NAME: Final = re.compile(r"(?<![\w*-])not[\w-]+(?![\w*-])")
_SELECTOR: Final = re.compile(r"\bof\s+([\w*?-]+)")
_INFO: Final = ("informational", "low")
_WHAT: Final = "${User.Username} ${Verb} ${ObjectRef.Resource} ${ObjectRef.Name}"
_LICENSE: Final = "DRL 1.1, https://github.com/SigmaHQ/Detection-Rule-License"


def import_sigma(paths: Sequence[Path]) -> list[Outcome]:
    """What becomes of each rule and correlation in these files, in order. Filters apply to the rules that they name."""
    loaded = [rule for path in paths for rule in _load(path)]
    reading = _Reading(
        {key: rule for rule in loaded if isinstance(rule, SigmaRule) for key in (str(rule.id), rule.name) if key},
        [rule for rule in loaded if isinstance(rule, SigmaFilter)],
    )
    counted = {
        reference.reference: rule
        for rule in loaded
        if isinstance(rule, SigmaCorrelationRule) and not rule.generate
        for reference in rule.rules or ()
    }
    taken: dict[str, set[str]] = {}
    outcomes = []
    for rule in loaded:
        if isinstance(rule, SigmaFilter):
            continue
        source = str(rule.source.path) if rule.source else ""
        outcome = _outcome(rule, source, reading, taken.setdefault(source, set()))
        counting = counted.get(str(rule.id)) or counted.get(rule.name or "")
        if counting and outcome.rule:
            outcome.notes.append(f"in Sigma it does not alert by itself: it only counts for {counting.title}")
        outcomes.append(outcome)
    return outcomes


def _load(path: Path) -> Iterator[SigmaRule | SigmaCorrelationRule | SigmaFilter]:
    """The rules of a file in order. Raises UsageError for what is no YAML, or no rules of Sigma."""
    try:
        documents = list(yaml.safe_load_all(read_text(path)))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        place = f":{where.line + 1}:{where.column + 1}" if where else ""
        raise UsageError(f"{path}{place}: this is not YAML: {getattr(error, 'problem', error)}") from None
    documents = [document for document in documents if document is not None]
    if not all(isinstance(document, dict) for document in documents):
        raise UsageError(f"{path}: this is no file of Sigma", "each document is a rule: a map with title and detection")
    location = SigmaRuleLocation(path)
    try:
        found = SigmaCollection.from_dicts(
            documents, collect_errors=True, source=location, collect_filters=True, resolve_references=False
        )
    except SigmaError as error:
        raise UsageError(f"{path}: {error}") from None
    yield from found.rules
    yield from found.filters


@dataclass(frozen=True, slots=True)
class _Reading:
    """What rules may refer to: rules by id and by name, and the filters."""

    rules: dict[str, SigmaRule]
    filters: list[SigmaFilter]

    def clause(self, rule: SigmaRule) -> Clause:
        """The condition of a rule, with its filters. Raises UntranslatableError."""
        if rule.errors:
            raise UntranslatableError("; ".join(str(error) for error in rule.errors))
        _check_source(rule)
        _check_modifiers(rule)
        _check_names(rule)
        for each in self.filters:
            if each.errors:
                raise UntranslatableError(f"the filter {each.title} cannot be read: {each.errors[0]}")
            filtered = each.apply_on_rule(rule)
            if isinstance(filtered, SigmaRule):
                rule = filtered
        try:
            return some_of(_clause(condition.parsed) for condition in rule.detection.parsed_condition)
        except SigmaError as error:
            raise UntranslatableError(f"its condition cannot be read: {error}") from None

    def clause_of(self, reference: str) -> Clause:
        """The same of a rule by its id or name."""
        rule = self.rules.get(reference)
        if rule is None:
            raise UntranslatableError(f"there is no rule {reference} in these files")
        try:
            return self.clause(rule)
        except UntranslatableError as error:
            raise UntranslatableError(f"its rule {rule.title}: {error}") from None


def _outcome(rule: SigmaRule | SigmaCorrelationRule, source: str, reading: _Reading, taken: set[str]) -> Outcome:
    outcome = Outcome(source, rule.title or str(rule.id or "untitled"), "imported")
    if rule.errors:
        outcome.refuse("; ".join(str(error) for error in rule.errors))
        return outcome
    try:
        if isinstance(rule, SigmaCorrelationRule):
            threshold = threshold_of(rule)
            outcome.rule = _rule(rule, spelled(condition_of(rule, reading.clause_of)), taken, threshold)
            outcome.status, outcome.reason = "partial", FEWER
        else:
            outcome.rule = _rule(rule, spelled(reading.clause(rule)), taken)
    except UntranslatableError as error:
        outcome.refuse(str(error))
    except RecursionError:
        outcome.refuse("its condition nests too deep")
    return outcome


def _check_source(rule: SigmaRule) -> None:
    source = rule.logsource
    if source.product != "kubernetes" or source.service not in (None, "audit"):
        named = ", ".join(part for part in (source.category, source.product, source.service) if part)
        raise UntranslatableError(f"its log source is {named}, not the audit log of kubernetes")


def _check_modifiers(rule: SigmaRule) -> None:
    for detection in rule.detection.detections.values():
        for item in _items(detection):
            if not item.value:
                raise UntranslatableError(f"{item.field or 'a keyword'} has an empty list of values")
            for modifier in item.modifiers:
                name = _MODIFIERS.get(modifier, modifier.__name__)
                if name in _REFUSED_MODIFIERS:
                    raise UntranslatableError(f"the modifier {name} cannot be said")


def _check_names(rule: SigmaRule) -> None:
    """pySigma reads a name such as ``notable`` as ``not able``; a selector that names nothing it reads as nothing."""
    names = rule.detection.detections
    for condition in rule.detection.condition:
        for name in _NEGATED_NAME.findall(condition):
            raise UntranslatableError(f"the name {name} in the condition would be read as not {name[3:]}: rename it")
        for pattern in _SELECTOR.findall(condition):
            if pattern != "them" and not any(fnmatchcase(name, pattern) for name in names):
                raise UntranslatableError(f"nothing in the detection is named {pattern}")


def _items(detection: SigmaDetection) -> Iterator[SigmaDetectionItem]:
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            yield from _items(item)
        else:
            yield item


def _clause(node: Any) -> Clause:
    match node:
        case ConditionAND():
            return all_of(_clause(part) for part in node.args)
        case ConditionOR():
            return some_of(_clause(part) for part in node.args)
        case ConditionNOT():
            return negated(_clause(node.args[0]))
        case ConditionFieldEqualsValueExpression():
            return clause_of_test(node)
        case ConditionValueExpression():
            raise UntranslatableError(f"the keyword {str(node.value)[:60]!r} without a field cannot be said")
        case ConditionIdentifier():
            raise UntranslatableError(f"there is no {node.identifier} in the detection")
    raise UntranslatableError(f"a part of the condition cannot be said: {type(node).__name__}")


def _rule(
    rule: SigmaRule | SigmaCorrelationRule, condition: str, taken: set[str], threshold: dict[str, Any] | None = None
) -> ImportedRule:
    level = rule.level.name.lower() if rule.level else ""
    tags = ", ".join(str(tag) for tag in rule.tags)
    return ImportedRule(
        name=identifier(rule.title or "", taken),
        desc=" ".join((rule.description or rule.title or "").split()),
        condition=condition,
        output=" ".join(f"{plain(rule.title or '')}: {_WHAT}".split()),
        priority="INFO" if level in _INFO else "WARNING",
        labels={"severity": level, "origin": "sigma"},
        annotations={
            "title": rule.title or "",
            "id": str(rule.id or ""),
            "author": rule.author or "",
            "link": " ".join(rule.references),
            "tags": tags,
            "status": rule.status.name.lower() if rule.status else "",
            "falsepositives": "; ".join(rule.falsepositives),
            "license": rule.license or _LICENSE,
        },
        threshold=threshold,
    )
