"""Which operands of conditions the tests prove: each should decide once when it is true and once when it is false.

An operand decides about an event if the condition would have the other value were the operand's value the other one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from auditwire.analysis.cases import Excuse
from auditwire.analysis.trace import decisive, trace
from auditwire.analysis.trial import Result
from auditwire.condition.evaluate import leaves_of
from auditwire.condition.precedence import spell
from auditwire.rules.rule_set import Rule, RuleSet

WAYS = (True, False)
EVERY = "*"
"""In an excuse: every operand of the rule."""


@dataclass(slots=True)
class RuleCoverage:
    """The operands of one rule, in the order of its text, each with the values with which it decided some test.

    ``excused`` are operands, by position, that a file of tests names with a reason; ``needless`` are reasons for
    operands that are decisive both ways, or that the rule does not have.
    """

    rule: str
    operands: tuple[str, ...]
    decided: list[set[bool]]
    excused: dict[int, str] = field(default_factory=dict)
    needless: list[Excuse] = field(default_factory=list)

    @property
    def ways(self) -> int:
        """How many of its two ways all operands decided, excused ones counting as both."""
        return sum(2 if position in self.excused else len(ways) for position, ways in enumerate(self.decided))

    def missing(self) -> list[tuple[str, str]]:
        """Operands that were not decisive in some way, with what is missing."""
        found = []
        for position, (operand, ways) in enumerate(zip(self.operands, self.decided, strict=True)):
            if position not in self.excused and len(ways) < 2:
                words = " and ".join("true" if way else "false" for way in WAYS if way not in ways)
                found.append((operand, words))
        return found

    def as_json(self) -> dict[str, Any]:
        """The coverage for ``--format json``."""
        missing = [{"operand": operand, "never_decisive_when": words} for operand, words in self.missing()]
        return {
            "rule": self.rule,
            "operands": len(self.operands),
            "percent": percent([self]),
            "missing": missing,
            "excused": [{"operand": self.operands[at], "reason": reason} for at, reason in self.excused.items()],
        }


def coverage(rules: RuleSet, results: Iterable[Result], excuses: Iterable[Excuse] = ()) -> list[RuleCoverage]:
    """The coverage of every rule of a set, by the tests of that rule."""
    found = {rule.qualified: _empty(rule) for rule in (*rules.archiving, *rules.alerting)}
    for result in results:
        if result.rule is None:
            continue
        covered = found[result.rule.qualified]
        for event in result.judged:
            traced = trace(result.rule.bound, event)
            tests = list(traced.tests())
            for position in decisive(traced):
                covered.decided[position].add(bool(tests[position].value))
    for excuse in excuses:
        for name, covered in found.items():
            if excuse.rule in (name, name.partition(".")[2]):
                _excuse(covered, excuse)
    return list(found.values())


def percent(covered: Iterable[RuleCoverage]) -> float:
    """How much of what there is to decide was decided, in percent; 100 if there is nothing."""
    rules = list(covered)
    total = sum(2 * len(one.operands) for one in rules)
    return 100.0 if not total else round(100 * sum(one.ways for one in rules) / total, 1)


def _empty(rule: Rule) -> RuleCoverage:
    operands = tuple(spell(leaf.expression) for leaf in leaves_of(rule.bound))
    return RuleCoverage(rule.qualified, operands, [set() for _ in operands])


def _excuse(covered: RuleCoverage, excuse: Excuse) -> None:
    meant = [at for at, operand in enumerate(covered.operands) if excuse.operand in (operand, EVERY)]
    open_ones = [at for at in meant if len(covered.decided[at]) < 2]
    if not open_ones:
        covered.needless.append(excuse)
    covered.excused |= dict.fromkeys(open_ones, excuse.reason)
