"""What the tests of rules say about exceptions: which silence everything that their rule is there for."""

from collections.abc import Iterable

from auditwire.analysis.trial import Result
from auditwire.condition.errors import EvaluationError
from auditwire.events import Event
from auditwire.rules.rule_exception import RuleException
from auditwire.rules.rule_set import RuleSet


def too_wide(rules: RuleSet, results: Iterable[Result]) -> list[str]:
    """A sentence for each exception that silences every test in which its rule should alert."""
    results = list(results)
    found = []
    for exception in rules.exceptions:
        text = exception.text
        firing = [one for one in results if one.case.expect == "alert" and one.rule and one.rule.qualified == text.rule]
        events = [event for one in firing for event in one.judged]
        if events and all(_applies(exception, event) for event in events):
            found.append(f"the exception {text.name} is too wide: it silences every test of {text.rule}")
    return found


def _applies(exception: RuleException, event: Event) -> bool:
    try:
        return exception.applies(event)
    except EvaluationError:
        return False
