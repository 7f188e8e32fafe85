"""``RuleSet``: every rule of a set of documents, ready to decide about events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from auditwire.condition import Condition, EvaluationError
from auditwire.diagnostics import Diagnostic
from auditwire.events.model import Event
from auditwire.rules.document import Priority, Settings
from auditwire.rules.output import Template, one_line

Outcome = Literal["ignore", "archive", "alert"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One enabled rule."""

    name: str
    document: str
    desc: str
    priority: Priority
    condition: Condition
    output: Template | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    alert: Literal["fold", "distinct"] = "fold"

    @property
    def qualified(self) -> str:
        """``document.rule``."""
        return f"{self.document}.{self.name}"

    def message(self, event: Event) -> str:
        """The output filled in from an event as it is stored: one line of at most 1 kB."""
        if self.output is not None:
            return self.output.fill(event)
        ref = event.objectRef
        target = "/".join(part for part in (ref.resource or event.requestURI, ref.subresource, ref.name) if part)
        place = f" in {ref.namespace}" if ref.namespace else ""
        return one_line(f"{self.name}: {event.user.username or 'unknown user'} {event.verb} {target}{place}")


@dataclass(frozen=True, slots=True)
class RuleFailure:
    """A rule that could not judge an event: it does not match, and is counted."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one event.

    ``archiving`` and ``alerting`` name every matching rule as ``document.rule``, whatever its priority; ``outcome``
    and ``alerts`` (the rules that raise an alert) take the priorities into account.
    """

    outcome: Outcome
    archiving: tuple[str, ...] = ()
    alerting: tuple[str, ...] = ()
    alerts: tuple[Rule, ...] = ()
    errors: tuple[RuleFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in the order of their documents. Immutable: a change of rules is another rule set.

    ``digest`` is the SHA-256 of the sources; ``findings`` are the warnings and notes they loaded with.
    """

    archiving: tuple[Rule, ...]
    alerting: tuple[Rule, ...]
    settings: Settings
    digest: str
    findings: tuple[Diagnostic, ...] = ()

    def decide(self, event: Event) -> Verdict:
        """What becomes of an event. Never raises: a rule that meets a value it cannot judge is in ``errors``."""
        errors: list[RuleFailure] = []
        archiving = _matching(self.archiving, event, errors)
        alerting = _matching(self.alerting, event, errors)
        threshold = self.settings.alerting_priority.rank
        alerts = tuple(rule for rule in alerting if rule.priority.rank >= threshold)
        archive_from = self.settings.archiving_priority.rank
        outcome: Outcome = "ignore"
        if alerts:
            outcome = "alert"
        elif alerting or any(rule.priority.rank >= archive_from for rule in archiving):
            outcome = "archive"
        return Verdict(
            outcome,
            tuple(rule.qualified for rule in archiving),
            tuple(rule.qualified for rule in alerting),
            alerts,
            tuple(errors),
        )


def _matching(rules: tuple[Rule, ...], event: Event, errors: list[RuleFailure]) -> list[Rule]:
    matching = []
    for rule in rules:
        try:
            if rule.condition.evaluate(event):
                matching.append(rule)
        except EvaluationError as error:
            errors.append(RuleFailure(rule.qualified, str(error)))
    return matching
