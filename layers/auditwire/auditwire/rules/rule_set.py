"""``RuleSet``: all rules of a set of documents, ready to decide about events."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from auditwire.condition.assemble import Binder
from auditwire.condition.errors import EvaluationError
from auditwire.condition.evaluate import leaves_of
from auditwire.condition.matcher import Matcher
from auditwire.condition.memory import Remembered
from auditwire.condition.partial import Known, evaluate_partial
from auditwire.condition.syntax import Expression, Path
from auditwire.documents.diagnostics import Diagnostic
from auditwire.events.model import Event
from auditwire.events.redact import Redactor
from auditwire.policy import Policy
from auditwire.rules.fields import EventFields, documented
from auditwire.rules.message import MessageTemplate, shortened
from auditwire.rules.rule_exception import RuleException
from auditwire.rules.settings import MissingBodies, Priority, Settings
from auditwire.rules.threshold import Threshold

if TYPE_CHECKING:
    from auditwire.condition.evaluate import Bound

Outcome = Literal["ignore", "archive", "alert"]


_FIELDS: Final = EventFields()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """A rule as data: everything that a document says about it, with its condition and output compiled to trees."""

    name: str
    document: str
    desc: str
    priority: Priority
    expression: Expression
    output: MessageTemplate | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    label_templates: Mapping[str, MessageTemplate] = field(default_factory=dict)
    """The labels that have something to fill in, by name."""
    annotation_templates: Mapping[str, MessageTemplate] = field(default_factory=dict)
    alert: Literal["fold", "distinct"] = "fold"
    threshold: Threshold | None = None
    """How many matches it takes for an alert; None if each is one."""

    @property
    def qualified(self) -> str:
        """``document.rule``."""
        return f"{self.document}.{self.name}"


class Rule:
    """One enabled rule, ready to judge events. ``text`` is the rule as data; its members can also be read here.

    ``binder`` is shared by the rules of a set, so that equal comparisons are made once.
    """

    __slots__ = ("_annotations", "_labels", "_render", "bound", "text", "threshold")

    def __init__(self, text: RuleText, binder: Binder | None = None) -> None:
        self.text = text
        self.bound: Bound = (binder or Binder(_FIELDS)).bind(text.expression)
        self._render: Callable[[Event], str] = (
            _default_message(text) if text.output is None else text.output.bind(_FIELDS)
        )
        self._labels = {name: _filling(text, template) for name, template in text.label_templates.items()}
        self._annotations = {name: template.bind(_FIELDS) for name, template in text.annotation_templates.items()}
        self.threshold = None if text.threshold is None else text.threshold.bind(_FIELDS)

    @property
    def name(self) -> str:
        """Its name within its document."""
        return self.text.name

    @property
    def document(self) -> str:
        """The name of its document."""
        return self.text.document

    @property
    def qualified(self) -> str:
        """``document.rule``."""
        return self.text.qualified

    @property
    def desc(self) -> str:
        """What the rule is about, for people."""
        return self.text.desc

    @property
    def priority(self) -> Priority:
        """How important the rule is."""
        return self.text.priority

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that it adds to its alerts, as its document has them."""
        return self.text.labels

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations that it adds to its alerts, as its document has them."""
        return self.text.annotations

    @property
    def alert(self) -> Literal["fold", "distinct"]:
        """Whether its alerts are folded, or each event is an alert of its own."""
        return self.text.alert

    @property
    def members(self) -> frozenset[str]:
        """The top-level members of an event that its condition looks at."""
        return frozenset[str]().union(*(leaf.field.members for leaf in leaves_of(self.bound)))

    def filled_labels(self, event: Event) -> Mapping[str, str]:
        """Its labels, filled in from an event as it is stored, as its message is. Of a rule with a threshold, a label
        that differs within a group is empty: it would make another alert of each event."""
        return {**self.text.labels, **{name: render(event) for name, render in self._labels.items()}}

    def filled_annotations(self, event: Event) -> Mapping[str, str]:
        """The same for its annotations."""
        return {**self.text.annotations, **{name: render(event) for name, render in self._annotations.items()}}

    def message(self, event: Event) -> str:
        """The output filled in from an event as it is stored: one line of at most 1 kB."""
        return self._render(event)


def _filling(rule: RuleText, label: MessageTemplate) -> Callable[[Event], str]:
    """How a label is filled in."""
    group = None if rule.threshold is None else {path.text for path in rule.threshold.by}
    if group is not None and any(isinstance(part, Path) and documented(part).text not in group for part in label.parts):
        return lambda _event: ""
    return label.bind(_FIELDS)


def _default_message(rule: RuleText) -> Callable[[Event], str]:
    def render(event: Event) -> str:
        ref = event.objectRef
        target = "/".join(part for part in (ref.resource or event.requestURI, ref.subresource, ref.name) if part)
        place = f" in {ref.namespace}" if ref.namespace else ""
        return shortened(f"{rule.name}: {event.user.username or 'unknown user'} {event.verb} {target}{place}")

    return render


@dataclass(frozen=True, slots=True)
class RuleFailure:
    """A rule that could not judge an event. It does not match, and is counted."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Excepted:
    """A match of a rule that raises no alert, because an exception says so. Both by name."""

    rule: str
    exception: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one event.

    ``archiving`` and ``alerting`` name every matching rule as ``document.rule``, whatever its priority. ``outcome`` and
    ``alerts`` (the rules that raise an alert) take the priorities into account.

    ``undecided`` names every rule of which nobody can say whether it matches, because a part of the event is missing.
    ``might_alert`` are those that would raise an alert if they did; none if ``missingBodies`` says so. An event is
    archived if one of its undecided rules would archive it.

    ``excepted`` are matches of alerting rules that raise no alert because of an exception. They archive all the same.

    ``pending`` are the rules that would raise an alert, and have a threshold: more events decide whether they do.
    """

    outcome: Outcome
    archiving: tuple[str, ...] = ()
    alerting: tuple[str, ...] = ()
    alerts: tuple[Rule, ...] = ()
    errors: tuple[RuleFailure, ...] = ()
    undecided: tuple[str, ...] = ()
    might_alert: tuple[Rule, ...] = ()
    excepted: tuple[Excepted, ...] = ()
    pending: tuple[Rule, ...] = ()

    def pending_groups(self, event: Event) -> list[dict[str, object]]:
        """The pending rules, each with the group that an event, as it is stored, belongs to: ``{rule, by}``."""
        return [
            {"rule": rule.qualified, "by": rule.threshold.group(event)}
            for rule in self.pending
            if rule.threshold is not None
        ]

    def without_alerts(self) -> "Verdict":
        """The verdict on an event of which another one alerts: what would alert is archived."""
        if self.outcome != "alert" and not self.might_alert and not self.pending:
            return self
        return replace(self, outcome="archive", alerts=(), might_alert=(), pending=())


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in the order of their documents. Immutable: a change of rules gives another rule set.

    ``digest`` is the SHA-256 of the sources. ``findings`` are the warnings and notes of loading them. ``policy`` is the
    audit policy that is applied before them, None for no policy. ``exceptions`` say which matches raise no alert.
    """

    archiving: tuple[Rule, ...]
    alerting: tuple[Rule, ...]
    settings: Settings
    digest: str
    findings: tuple[Diagnostic, ...] = ()
    policy: Policy | None = None
    exceptions: tuple[RuleException, ...] = ()
    redactor: Redactor = field(init=False, repr=False, compare=False)
    """Takes the secrets out of what is stored, those of ``settings`` among them."""
    _left: Callable[[Event, AbstractSet[str]], Sequence[tuple[int, "Bound | None"]]] = field(
        init=False, repr=False, compare=False
    )
    _match: Callable[[Event], tuple[int, ...]] = field(init=False, repr=False, compare=False)
    _verdicts: Remembered[tuple[int, ...], Verdict] = field(init=False, repr=False, compare=False)
    _partial_verdicts: Remembered[tuple[tuple[int, ...], tuple[int, ...]], Verdict] = field(
        init=False, repr=False, compare=False
    )
    _exceptions_of: Mapping[str, list[RuleException]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        matcher = Matcher([rule.bound for rule in (*self.archiving, *self.alerting)])
        object.__setattr__(self, "_left", matcher.left)
        object.__setattr__(self, "redactor", Redactor(self.settings.redactions))
        object.__setattr__(self, "_match", matcher.match)
        object.__setattr__(self, "_verdicts", Remembered(self._verdict))
        object.__setattr__(self, "_partial_verdicts", Remembered(self._partial_verdict))
        exceptions_of: dict[str, list[RuleException]] = {}
        for exception in self.exceptions:
            exceptions_of.setdefault(exception.text.rule, []).append(exception)
        object.__setattr__(self, "_exceptions_of", exceptions_of)

    def decide(self, event: Event) -> Verdict:
        """Decides about an event. Never raises an error: a rule that meets a value it cannot judge is in ``errors``."""
        if event.unknown_paths:
            verdict = self._judge_one_by_one(event)
        else:
            try:
                verdict = self._verdicts[self._match(event)]
            except EvaluationError:
                verdict = self._judge_one_by_one(event)
        if self._exceptions_of and (verdict.alerting or verdict.might_alert):
            return self._without_excepted(event, verdict)
        return verdict

    def _without_excepted(self, event: Event, verdict: Verdict) -> Verdict:
        """The verdict after its exceptions were judged: those of every alerting rule that matches or might match."""
        excepted: dict[str, list[Excepted]] = {}
        errors: list[RuleFailure] = []
        for name in dict.fromkeys((*verdict.alerting, *(rule.qualified for rule in verdict.might_alert))):
            for exception in self._exceptions_of.get(name, ()):
                try:
                    if exception.applies(event):
                        excepted.setdefault(name, []).append(Excepted(name, exception.text.name))
                except EvaluationError as error:
                    errors.append(RuleFailure(name, f"exception {exception.text.name}: {error}"))
        if not excepted and not errors:
            return verdict
        alerts = tuple(rule for rule in verdict.alerts if rule.qualified not in excepted)
        return replace(
            verdict,
            outcome="archive" if verdict.outcome == "alert" and not alerts else verdict.outcome,
            alerts=alerts,
            errors=(*verdict.errors, *errors),
            might_alert=tuple(rule for rule in verdict.might_alert if rule.qualified not in excepted),
            pending=tuple(rule for rule in verdict.pending if rule.qualified not in excepted),
            excepted=tuple(one for name in verdict.alerting for one in excepted.get(name, ())),
        )

    def _judge_one_by_one(self, event: Event) -> Verdict:
        """The verdict if some rule cannot judge the event, or a part of it is unknown: each rule that may not be false
        is evaluated by itself."""
        hits: list[int] = []
        undecided: list[int] = []
        errors: dict[str, RuleFailure] = {}
        known: Known = {}
        unknown = event.unknown_paths
        for position, rest in self._left(event, unknown):
            try:
                matches = rest is None or evaluate_partial(rest, event, unknown, known)
            except EvaluationError as error:
                name = self._rule_at(position).qualified
                errors.setdefault(name, RuleFailure(name, str(error)))
                continue
            if matches is not False:
                (undecided if matches is None else hits).append(position)
        verdict = self._partial_verdicts[tuple(hits), tuple(undecided)]
        return replace(verdict, errors=tuple(errors.values())) if errors else verdict

    def _rule_at(self, position: int) -> Rule:
        archiving = len(self.archiving)
        return self.archiving[position] if position < archiving else self.alerting[position - archiving]

    def _partial_verdict(self, known: tuple[tuple[int, ...], tuple[int, ...]]) -> Verdict:
        """The verdict on an event that some rules match, and of which nobody can say whether others match it."""
        hits, undecided = known
        verdict = self._verdict(hits)
        if not undecided:
            return verdict
        possible = self._verdict(undecided)
        return replace(
            verdict,
            outcome="archive" if verdict.outcome == "ignore" != possible.outcome else verdict.outcome,
            undecided=tuple(dict.fromkeys((*possible.archiving, *possible.alerting))),
            might_alert=possible.alerts if self.settings.missing_bodies is MissingBodies.ALERT else (),
        )

    def _verdict(self, hits: tuple[int, ...]) -> Verdict:
        """The verdict on an event that these rules match, by position, archiving rules first."""
        first = len(self.archiving)
        archiving = [self.archiving[position] for position in hits if position < first]
        alerting = [self.alerting[position - first] for position in hits if position >= first]
        loud = [rule for rule in alerting if rule.priority.rank >= self.settings.alerting_priority.rank]
        alerts = tuple(rule for rule in loud if rule.threshold is None)
        outcome: Outcome = "ignore"
        if alerts:
            outcome = "alert"
        elif alerting or any(rule.priority.rank >= self.settings.archiving_priority.rank for rule in archiving):
            outcome = "archive"
        return Verdict(
            outcome,
            tuple(rule.qualified for rule in archiving),
            tuple(rule.qualified for rule in alerting),
            alerts,
            pending=tuple(rule for rule in loud if rule.threshold is not None),
        )


def new_binder() -> Binder:
    """A binder over the fields of audit events, for the rules of one set."""
    return Binder(_FIELDS)
