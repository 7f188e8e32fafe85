"""Running tests of rules: what was expected, what happened, and the smallest reason for a difference."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from auditwire.alerts.alert import Occurrence
from auditwire.alerts.wording import labels_of
from auditwire.analysis.cases import Case, TestEvent
from auditwire.analysis.explain import why
from auditwire.analysis.senders import SenderError, completed, sender_of
from auditwire.documents.nearest import nearest
from auditwire.events import Event, decode, settle
from auditwire.pipeline import Decision, Ignored, decide_event
from auditwire.rules.rule_set import Rule, RuleSet
from auditwire.thresholds.match import Match, match_of
from auditwire.thresholds.windows import Windows

CLUSTER = "demo"
"""The cluster that the events of tests belong to."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one test. ``reasons`` say why it failed; there are none if it passed.

    ``judged`` are the events that its rule judged; of one that is repeated, the first.
    """

    case: Case
    reasons: tuple[str, ...]
    rule: Rule | None = None
    judged: tuple[Event, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.reasons


class Trials:
    """Runs tests against one set of rules."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._by_name: dict[str, list[Rule]] = {}
        for rule in dict.fromkeys((*rules.archiving, *rules.alerting)):
            for name in (rule.name, rule.qualified):
                self._by_name.setdefault(name, []).append(rule)

    def rule_of(self, name: str) -> Rule | str:
        """The rule of a name, with or without its document, or why there is none."""
        found = self._by_name.get(name, [])
        # A document that both selectors select has its rules twice.
        names = list(dict.fromkeys(rule.qualified for rule in found))
        if len(names) == 1:
            return found[0]
        if names:
            return f"{name!r} is the name of several rules: {', '.join(names)}; write the one that is meant"
        near = nearest(name, self._by_name)
        hint = f", did you mean {near}?" if near else ""
        return f"there is no enabled and selected rule {name!r}{hint}"

    def run(self, case: Case) -> Result:
        """Runs one test."""
        rule = self.rule_of(case.rule) if case.rule else None
        if isinstance(rule, str):
            return Result(case, (rule,))
        problems: dict[str, list[str]] = {}
        judged: list[Event] = []
        group = None if rule is None or rule.threshold is None else _ThresholdTrial(case, rule)
        for number, one in enumerate(case.events, 1):
            try:
                event = event_of(one, f"{case.path}#{case.name}#{number}")
            except (SenderError, ValueError) as error:
                problems.setdefault(str(error), []).append(_name_of(number, one))
                continue
            if one.number == 1:
                judged.append(event)
            decision = decide_event(event, sender=sender_of(one.template), rules=self._rules)
            if group is not None and case.expect != "ignore":
                group.take(number, one, event, decision)
                continue
            problem = _difference(case, rule, event, decision)
            if problem:
                problems.setdefault(problem, []).append(_name_of(number, one))
        several = len(case.events) > 1
        reasons = [
            f"event {', '.join(which)}: {problem}" if several else problem for problem, which in problems.items()
        ]
        reasons += [] if group is None else group.problems()
        return Result(case, tuple(reasons), rule, tuple(judged))


@dataclass(slots=True)
class _Together:
    """The events of one kind of sender: those that count, and the first that does not."""

    counted: list[tuple[datetime, int, Match, Decision]] = field(default_factory=list)
    other: tuple[Event, Decision] | None = None


class _ThresholdTrial:
    """A test of a rule with a threshold: what its events come to together, for each kind of sender by itself."""

    def __init__(self, case: Case, rule: Rule) -> None:
        self._case = case
        self._rule = rule
        self._senders: dict[str, _Together] = {}

    def take(self, number: int, one: TestEvent, event: Event, decision: Decision) -> None:
        """Judges the next event of the test."""
        together = self._senders.setdefault(one.template, _Together())
        is_pending = self._rule in decision.verdict.pending
        match = match_of(self._rule, decision.event, CLUSTER, one.at) if is_pending else None
        if match is not None:
            together.counted.append((one.at, number, match, decision))
        elif together.other is None:
            together.other = event, decision

    def problems(self) -> list[str]:
        """Why it is not as expected, for each kind of sender; none if it is."""
        found = {template: self._problem(together) for template, together in self._senders.items()}
        several = len(found) > 1
        return [f"{template}: {problem}" if several else problem for template, problem in found.items() if problem]

    def _problem(self, together: _Together) -> str:
        expect, name = self._case.expect, self._rule.qualified
        windows, most, alert = Windows(), 0, None
        for _, number, match, decision in sorted(together.counted, key=lambda one: one[:2]):
            most = max(most, windows.add(match.group, match.window, (match.member,), match.at_least))
            if most >= match.at_least:
                alert = number, decision
                break
        threshold = "" if self._rule.text.threshold is None else self._rule.text.threshold.as_text()
        if alert is not None:
            if expect == "alert":
                return _worded_otherwise(self._case, self._rule, alert[1].event)
            return f"expected {expect}, but {name} alerts at event {alert[0]}: {threshold}"
        if expect == "silent" or (expect == "archive" and together.counted):
            return ""
        if together.counted:
            return f"expected {expect}, but {name} counts {most} of {threshold}"
        if together.other is None:
            return ""
        event, decision = together.other
        return _difference(self._case, self._rule, event, decision)


def event_of(one: TestEvent, seed: str) -> Event:
    """The event of a test, read as a body of its sender is. Raises ``SenderError`` if it cannot be one."""
    item = completed(one.partial, one.template, audit_id=str(uuid5(NAMESPACE_URL, seed)), at=one.at)
    decoded = decode(item)
    if len(decoded.events) != 1:
        detail = "; ".join(reject.detail for reject in decoded.rejects)
        raise SenderError(f"this cannot be an event: {detail or 'it would be skipped'}")
    settle(decoded.events[0], cluster=CLUSTER, received=one.at)
    return decoded.events[0]


def _name_of(number: int, one: TestEvent) -> str:
    return f"{number}{'' if one.template == 'kube' else f' ({one.template})'}"


def _difference(case: Case, rule: Rule | None, event: Event, decision: Decision) -> str:
    """Why the verdict is not what the test expects; empty if it is."""
    verdict = decision.verdict
    if case.expect == "ignore":
        return "" if verdict.outcome == "ignore" else f"expected ignore, but {_kept(decision)}"
    if rule is None:
        found = "silent" if case.expect == "silent" and verdict.outcome != "alert" else verdict.outcome
        return "" if found == case.expect else f"expected {case.expect}, but {_kept(decision)}"
    dropped = _dropped(event, decision)
    matches = rule.qualified in (*verdict.archiving, *verdict.alerting)
    alerts = rule in verdict.alerts
    if case.expect == "silent":
        return f"expected silent, but {rule.qualified} matches: {why(event, rule)}" if matches else ""
    if dropped:
        return f"expected {case.expect}, but {dropped}"
    if not matches:
        return f"expected {case.expect}, but {rule.qualified} does not match: {why(event, rule)}"
    if alerts is not (case.expect == "alert"):
        return f"expected {case.expect}, but the rule {'alerts' if alerts else _no_alert(rule, decision)}"
    return _worded_otherwise(case, rule, decision.event)


def _worded_otherwise(case: Case, rule: Rule, stored: Event) -> str:
    message = rule.message(stored)
    found = labels_of(Occurrence(rule, stored, message, ""), CLUSTER)
    differences: list[tuple[str, str | None, str | None]] = [
        ("priority", case.priority, str(rule.priority)),
        ("message", case.message, message),
        *((f"label {name}", value, found.get(name, "")) for name, value in case.labels.items()),
    ]
    return "; ".join(
        f"expected the {what} {wanted!r}, but it is {actual!r}"
        for what, wanted, actual in differences
        if wanted is not None and wanted != actual
    )


def _no_alert(rule: Rule, decision: Decision) -> str:
    excepted = [one.exception for one in decision.verdict.excepted if one.rule == rule.qualified]
    if excepted:
        return f"raises no alert because of the exception {', '.join(excepted)}"
    if rule in decision.verdict.pending:
        return "only counts, and the event has no value to count"
    if rule.qualified in decision.verdict.alerting:
        return f"only archives: its priority is {rule.priority}"
    return "is an archiving one, which never alerts" if decision.verdict.outcome != "ignore" else "archives nothing"


def _dropped(event: Event, decision: Decision) -> str:
    if decision.ignored in (None, Ignored.NO_RULE):
        return ""
    stage = f" (stage {event.stage})" if decision.ignored is Ignored.POLICY_STAGE else ""
    return f"the event is dropped before any rule: {decision.ignored}{stage}"


def _kept(decision: Decision) -> str:
    verdict = decision.verdict
    if verdict.outcome == "ignore":
        return f"the event is ignored: {decision.ignored}"
    what = "alerts" if verdict.outcome == "alert" else "is archived"
    names = [rule.qualified for rule in verdict.alerts] or [*verdict.archiving, *verdict.alerting]
    return f"the event {what} by {', '.join(dict.fromkeys(names))}"
