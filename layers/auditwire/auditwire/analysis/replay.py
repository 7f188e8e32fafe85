"""Replaying events: what two sets of rules decide differently about the same events, counted."""

from dataclasses import replace
from typing import Final

import msgspec

from auditwire.analysis.example import MAX_EXAMPLES, example_of
from auditwire.analysis.judging_both import Judged, JudgingBoth
from auditwire.analysis.pending import Pending
from auditwire.analysis.recorded import Recorded
from auditwire.analysis.tally import Alike, RuleTally, Tally
from auditwire.condition.memory import Remembered
from auditwire.events import Event, Level, as_stored
from auditwire.events.archived import Provenance
from auditwire.pipeline import Judgement
from auditwire.rules.rule_set import Rule, RuleSet, RuleText
from auditwire.senders.kind import SenderKind
from auditwire.thresholds.match import Match, replayed_match

_Pair = tuple[str, Rule | None, Rule | None, str]
"""A rule by its name, as it alerts on the old side and on the new one, and how its alerts look different."""


class Replay:
    """Judges settled events by an old and a new set of rules. Remembers nothing of an event: counts go to a Tally.

    ``sender`` is the kind of sender whose settings apply; with None no setting about senders does.
    """

    def __init__(self, old: RuleSet, new: RuleSet, *, sender: SenderKind | None = None) -> None:
        self._both = JudgingBoth(old, new, sender=sender)
        old, new = self._both.old, self._both.new
        self._pairs = Remembered(self._pair)
        self._recorded = Recorded(old)
        before = {rule.qualified: rule.text for rule in old.alerting}
        self._changed = {
            rule.qualified: _presents_differently(before[rule.qualified], rule.text)
            for rule in new.alerting
            if rule.qualified in before
        }

    def tally(self) -> Tally:
        """Where counts go, empty."""
        return Tally()

    def take(self, event: Event, noted: Provenance | None, tally: Tally) -> None:
        """Counts what becomes of an event. ``noted`` is what the archive noted about it, if it comes from there."""
        judged = self._both.judge(event)
        tally.events += 1
        tally.outcomes[judged.outcomes] += 1
        if not judged.is_all:
            self._count(event, judged, noted, tally)
        if noted is not None:
            tally.archived_lines += 1
            if noted.alerting:
                self._compare_with_archive(event, judged.before, noted, tally)

    def _count(self, event: Event, judged: Judged, noted: Provenance | None, tally: Tally) -> None:
        """Counts what there is to say of an event beside its outcomes."""
        before, after = judged.before, judged.after
        was, now = before.verdict, after.verdict
        if was.outcome != "ignore":
            if now.outcome == "ignore":
                _dropped(event, after, tally)
            elif before.level is not after.level:
                _levels(event, before, after, tally)
        if was.pending or now.pending:
            self._pending(event, before, after, tally, is_recorded=noted is not None)
            names = {rule.qualified for rule in (*was.pending, *now.pending)}
            before, after = _without(before, names), _without(after, names)
            judged = msgspec.structs.replace(judged, before=before, after=after)
        if before.verdict.alerts or after.verdict.alerts:
            recorded = () if noted is None else noted.alerted()
            self._alerts(event, judged, recorded, tally)
        if was.errors or now.errors:
            tally.errors.update(("old", failure.rule) for failure in was.errors)
            tally.errors.update(("new", failure.rule) for failure in now.errors)
        if was.excepted or now.excepted:
            tally.excepted.update(("old", one.exception) for one in was.excepted)
            tally.excepted.update(("new", one.exception) for one in now.excepted)

    def _alerts(self, event: Event, judged: Judged, recorded: tuple[str, ...], tally: Tally) -> None:
        before, after = judged.before, judged.after
        old, new = before.verdict.alerts, after.verdict.alerts
        tally.who[event.user.username or "", event.objectRef.namespace, len(old), len(new)] += 1
        alike, pairs = self._pairs[judged]
        if alike is not None and not recorded and before.level is after.level:
            seen = tally.alike[alike]
            tally.alike[alike] = seen + 1
            if seen < MAX_EXAMPLES and alike.old != alike.new:
                _add_examples(event, judged, pairs, recorded, tally)
            return
        for name, was, now, differs in pairs:
            counted = tally.of_rule(name)
            counted.old += was is not None
            counted.new += now is not None
            if was is not None and now is not None:
                if differs or before.level is not after.level:
                    _both(event, (was, before), (now, after), differs, counted)
            else:
                counted.gained += now is not None and name not in recorded
                counted.lost += was is not None
        _add_examples(event, judged, pairs, recorded, tally)

    def _pending(self, event: Event, before: Judgement, after: Judgement, tally: Tally, *, is_recorded: bool) -> None:
        """Notes the rules that have a threshold on one side or on both; it is judged when all events are counted."""
        sides = [
            {rule.qualified: rule for rule in (*judged.verdict.pending, *judged.verdict.alerts)}
            for judged in (before, after)
        ]
        names = dict.fromkeys(rule.qualified for rule in (*before.verdict.pending, *after.verdict.pending))
        for name in names:
            was, now = (side.get(name) for side in sides)
            messages = [
                "" if rule is None else _message(event, rule, judged) for rule, judged in ((was, before), (now, after))
            ]
            counted: list[Match | bool] = []
            order = 0.0
            for rule, judged in ((was, before), (now, after)):
                if rule is None or rule.threshold is None:
                    counted.append(rule is not None)
                    continue
                order, match = replayed_match(rule, _stored(event, judged), is_recorded=is_recorded)
                counted.append(match or False)
            if any(counted):
                differs = self._changed.get(name, "")
                tally.pending.append(
                    Pending(
                        order, name, counted[0], counted[1], event.user.username or "", event.objectRef.namespace,
                        example_of(event), messages[0], messages[1],
                        differs == _LABELLING or (bool(differs) and messages[0] != messages[1]),
                    )
                )  # fmt: skip

    def _pair(self, judged: Judged) -> tuple[Alike | None, list[_Pair]]:
        """The alerts of both sides, by rule; first their names, if no rule that alerts on both may look different."""
        old, new = ({rule.qualified: rule for rule in side.verdict.alerts} for side in (judged.before, judged.after))
        names = tuple(dict.fromkeys((*old, *new)))
        pairs = [(name, old.get(name), new.get(name), self._changed.get(name, "")) for name in names]
        differs = any(was is not None and now is not None and differs for _, was, now, differs in pairs)
        return None if differs else Alike(tuple(old), tuple(new)), pairs

    def _compare_with_archive(self, event: Event, before: Judgement, noted: Provenance, tally: Tally) -> None:
        given = before.verdict.alerting
        for rule in noted.alerting:
            counted = tally.of_rule(rule)
            counted.recorded += 1
            if rule in given:
                counted.repeated += 1
            else:
                counted.missing[self._recorded.why_missing(rule, event, before, noted.bundle)] += 1


def _add_examples(event: Event, judged: Judged, pairs: list[_Pair], recorded: tuple[str, ...], tally: Tally) -> None:
    """Adds the event as an example of the alerts that are gained or lost, where there is room for one."""
    for name, was, now, _ in pairs:
        counted = tally.of_rule(name)
        if was is None and now is not None and name not in recorded and counted.wants("gained"):
            found = example_of(event, after=_message(event, now, judged.after))
            counted.examples.setdefault("gained", []).append(found)
        elif now is None and was is not None and counted.wants("lost"):
            found = example_of(event, before=_message(event, was, judged.before))
            counted.examples.setdefault("lost", []).append(found)


def _both(
    event: Event, old: tuple[Rule, Judgement], new: tuple[Rule, Judgement], differs: str, counted: RuleTally
) -> None:
    """Counts an alert that both sides give, and that may look different."""
    before, after = _message(event, *old), _message(event, *new)
    if differs != _LABELLING and before == after:
        return
    counted.changed += 1
    if counted.wants("changed"):
        counted.examples.setdefault("changed", []).append(example_of(event, before, after))


_LABELLING: Final = "labelling"
"""Priority, labels, annotations or folding: then every alert of the rule is another one."""
_OUTPUT: Final = "output"
"""Only the output: then an alert is another one if its message is."""


def _presents_differently(old: RuleText, new: RuleText) -> str:
    """Whether alerts of a rule look different, though they may be about the same events; empty if not."""
    for name in ("priority", "labels", "annotations", "alert"):
        if getattr(old, name) != getattr(new, name):
            return _LABELLING
    return "" if old.output == new.output else _OUTPUT


def _without(judged: Judgement, names: set[str]) -> Judgement:
    """The same without the alerts of these rules, which are counted apart."""
    alerts = tuple(rule for rule in judged.verdict.alerts if rule.qualified not in names)
    return msgspec.structs.replace(judged, verdict=replace(judged.verdict, alerts=alerts))


def _message(event: Event, rule: Rule, judged: Judgement) -> str:
    return rule.message(_stored(event, judged))


def _stored(event: Event, judged: Judgement) -> Event:
    return as_stored(event, judged.level, omit_managed_fields=judged.omit_managed_fields)


def _dropped(event: Event, after: Judgement, tally: Tally) -> None:
    tally.dropped[str(after.ignored)] += 1
    about = event.objectRef
    tally.gone[event.verb, about.resource, about.subresource] += 1
    if len(tally.dropped_examples) < MAX_EXAMPLES:
        tally.dropped_examples.append(example_of(event))


def _levels(event: Event, before: Judgement, after: Judgement, tally: Tally) -> None:
    own = Level.of(event.level)
    was, now = (str(min(own, judged.level or own)) for judged in (before, after))
    if was != now:
        tally.levels[was, now] += 1
