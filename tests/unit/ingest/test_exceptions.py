"""What becomes of matches that an exception silences, on the whole road in memory."""

from dataclasses import dataclass
from typing import Any

import pytest

from audit_events import event_list, item, text_of
from auditwire.rules import RuleSet
from memory_road import RECEIVED, Road
from rule_texts import document, rule, rule_set_of

EXCEPTION = """\
apiVersion: auditwire.io/v1alpha1
kind: Exception
metadata: {{name: ci}}
spec: {{rule: mine.Made, condition: '{condition}', owner: a, reason: b, expires: {expires}}}
"""


@dataclass
class GivenRules:
    """A source that always has these rules."""

    rules: RuleSet

    def current(self) -> RuleSet:
        return self.rules


def road(condition: str, expires: str = "2999-01-01") -> Road:
    exception = EXCEPTION.format(condition=condition, expires=expires)
    return Road(rules=GivenRules(rule_set_of(document(rule('Verb = "create"', name="Made")), exception)))


def posted(one: Road, *items: Any) -> Any:
    answer = one.post(event_list([text_of(each) for each in items]))
    assert answer.status == 200
    assert answer.account is not None
    return answer.account


def test_an_excepted_match_is_archived_with_both_names_counted_and_raises_no_alert() -> None:
    one = road('User.Username = "alice"')

    counted = posted(one, item(verb="create", auditID="a"), item(verb="create", auditID="b", user={"username": "bob"}))

    assert [alert.audit_ids for alert in one.publisher.alerts] == [("b",)]
    assert [line["_auditwire"].get("excepted") for line in one.lines()] == [
        [{"rule": "mine.Made", "exception": "ci"}],
        None,
    ]
    assert [line["_auditwire"]["alerting"] for line in one.lines()] == [["mine.Made"]] * 2
    assert (counted.archived, counted.alerted, counted.excepted) == (2, 1, {"ci": 1})
    assert counted.metrics()["MatchesExcepted"] == 1


@pytest.mark.parametrize(("days", "alerts"), [(0, 0), (-1, 1)])
def test_it_ends_by_the_clock_of_ingest(days: int, alerts: int) -> None:
    last = RECEIVED.date().fromordinal(RECEIVED.date().toordinal() + days).isoformat()
    one = road('User.Username = "alice"', last)

    posted(one, item(verb="create", stageTimestamp="2001-01-01T00:00:00.000000Z"))

    assert len(one.publisher.alerts) == alerts


def test_a_value_it_cannot_judge_is_counted_for_its_rule() -> None:
    one = road("User.Username > 5")

    counted = posted(one, item(verb="create"))

    assert counted.evaluation_errors == {"mine.Made": 1}
    assert {alert.labels["alertname"] for alert in one.publisher.alerts} == {"Made", "auditwire.EvaluationErrors"}
