"""Why rules do not give an alert again that the archive recorded: the archive keeps less than the rules saw."""

from enum import StrEnum
from typing import Final

from auditwire.condition.fields import Field
from auditwire.condition.syntax import AnyOf, Comparison, Expression, Path, walk
from auditwire.events.model import Event, Flag
from auditwire.pipeline import Ignored, Judgement
from auditwire.rules.fields import EventFields
from auditwire.rules.rule_set import RuleSet

_FIELDS: Final = EventFields()
_BODIES: Final = {"RequestObject": "requestObject", "ResponseObject": "responseObject"}


class Missing(StrEnum):
    """Why a recorded match is not given again. The words are stable: they are in reports."""

    NO_RULE = "no_rule"
    """The rules have no such rule, or it is not enabled."""
    POLICY = "policy"
    """The policy or a setting ignores the event."""
    LEVEL = "level"
    """The rule reads a body that was not stored."""
    REDACTION = "redaction"
    """The rule reads what was redacted before it was stored."""
    OTHER_RULES = "other_rules"
    """Other rules were in force when it was recorded."""
    UNKNOWN = "unknown"


NOT_COMPARABLE: Final = frozenset((Missing.LEVEL, Missing.REDACTION, Missing.UNKNOWN))
"""The reasons that lie in what was stored: how often such a rule would alert cannot be said from the archive."""


class Recorded:
    """Compares recorded matches with what a set of rules gives now."""

    def __init__(self, rules: RuleSet) -> None:
        self._digest = rules.digest
        self._reads = {rule.qualified: fields_read(rule.text.expression) for rule in rules.alerting}

    def why_missing(self, rule: str, event: Event, judged: Judgement, bundle: str) -> Missing:
        """Why a rule that matched an event when ``bundle`` was in force does not match it now."""
        reads = self._reads.get(rule)
        if reads is None:
            return Missing.NO_RULE
        if judged.ignored not in (None, Ignored.NO_RULE):
            return Missing.POLICY
        bodies = [attribute for name, attribute in _BODIES.items() if name in reads]
        if any(getattr(event, body) is None for body in bodies):
            return Missing.LEVEL
        if Flag.REDACTED in event.flags and (bodies or "RequestURI" in reads):
            return Missing.REDACTION
        return Missing.OTHER_RULES if bundle != self._digest else Missing.UNKNOWN


def fields_read(expression: Expression) -> frozenset[str]:
    """The fields of the event that a condition tests, by their documented names."""
    found = set()
    for leaf in walk(expression):
        path = leaf.field if isinstance(leaf, Comparison | AnyOf) else None
        field = _FIELDS.resolve(path) if isinstance(path, Path) else None
        if isinstance(field, Field):
            found.add(field.name)
            # What a request asks of pods stands in its body.
            found |= {name for name, member in _BODIES.items() if member in field.members}
    return frozenset(found)
