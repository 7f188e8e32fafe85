"""Exceptions: which matches of a rule raise no alert, who says so, why, and until when."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from auditwire.condition.assemble import Binder
from auditwire.condition.certain import holds_certainly
from auditwire.condition.syntax import Expression
from auditwire.events.model import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionText:
    """An exception as data. ``rule`` is ``document.rule``; ``expires`` is its last day in UTC, None for no end."""

    name: str
    rule: str
    expression: Expression
    owner: str = ""
    reason: str = ""
    expires: date | None = None


class RuleException:
    """An exception ready to judge events. ``text`` is the exception as data."""

    __slots__ = ("_bound", "text")

    def __init__(self, text: ExceptionText, binder: Binder) -> None:
        self.text = text
        self._bound = binder.bind(text.expression)

    def has_expired(self, receipt: datetime | None) -> bool:
        """Whether its last day was over when an event was received; not for an event that nobody has received."""
        last = self.text.expires
        return last is not None and receipt is not None and receipt.astimezone(UTC).date() > last

    def applies(self, event: Event) -> bool:
        """Whether it applies to an event that its rule matches: certainly, whatever is missing or unknown.

        Raises ``EvaluationError`` for a value that it cannot judge: then it does not apply.
        """
        return not self.has_expired(event.receipt) and bool(holds_certainly(self._bound, event, event.unknown_paths))
