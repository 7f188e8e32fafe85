"""What became of matches is told from archived lines as what ingest did with them."""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from auditwire.analysis.matches import Became, about, became
from auditwire.archive.errors import UnreadableError
from auditwire.archive.found import Found, found_in
from auditwire.rules import RuleSet
from local_road import body_of, exec_event
from memory_road import Road
from rule_texts import document, rule, rule_set_of

EXCEPTION = """\
apiVersion: auditwire.io/v1alpha1
kind: Exception
metadata: {name: nightly}
spec: {rule: doc.Loud, condition: 'User.Username = "backup"', owner: ops, reason: the nightly backup}
"""
RULES = rule_set_of(
    document(
        rule('Verb in ("create", "get")', name="Loud")
        + rule('Verb = "create"', name="Quiet", priority="INFO")
        + rule('RequestObject.kind = "Pod"', name="Body")
        + rule('Verb = "bind" and Stage = "ResponseComplete"', name="Many", more=", threshold: {count: 9, within: 1m}"),
        name="doc",
    ),
    document(rule("Verb exists", name="Kept", priority="DEBUG"), name="keep", kind="archiving"),
    EXCEPTION,
)


@dataclass
class Fixed:
    rules: RuleSet

    def current(self) -> RuleSet:
        return self.rules


def archived(*events: dict[str, Any]) -> tuple[list[Found], set[str]]:
    """The events as ingest archives them, and the rules of which it published alerts."""
    road = Road(rules=Fixed(RULES))
    assert road.post(body_of(*events)).status == 200
    found = [found_in(orjson.dumps(line), "here", lambda time, flags: time) for line in road.lines()]
    return found, {alert.rule for alert in road.publisher.alerts}


def outcomes(found: Found, rules: RuleSet | None = RULES) -> dict[str, str]:
    return {one.rule: str(one.became) for one in became(found, about(found), rules)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"verb": "create"}, {"doc.Loud": "alerted", "doc.Quiet": "below_priority", "keep.Kept": "archived"}),
        ({"verb": "get", "user": {"username": "backup"}}, {"doc.Loud": "excepted", "keep.Kept": "archived"}),
        ({"verb": "delete"}, {"keep.Kept": "archived"}),
        ({"verb": "bind"}, {"doc.Many": "counted", "keep.Kept": "archived"}),
        (
            {"verb": "delete", "level": "Request", "annotations": {"audit.k8s.io/truncated": "true"}},
            {"doc.Body": "undecided", "keep.Kept": "archived"},
        ),
    ],
)
def test_a_match_became_what_ingest_made_of_it(changes: dict[str, Any], expected: dict[str, str]) -> None:
    (found,), alerts = archived(exec_event(1, **changes))

    assert outcomes(found) == expected
    assert {name for name, word in expected.items() if word == "alerted"} == alerts - {"auditwire.BodyMissing"}
    assert ("auditwire.BodyMissing" in alerts) == ("undecided" in expected.values())


def test_the_arrival_of_a_request_alerts_only_where_no_later_stage_came() -> None:
    arrival = exec_event(1, verb="create", stage="RequestReceived")

    with_later, _ = archived(arrival, exec_event(1, verb="create"))
    (alone,), _ = archived(arrival)

    assert [outcomes(found)["doc.Loud"] for found in with_later] == ["later_stage", "alerted"]
    assert outcomes(alone)["doc.Loud"] == "alerted"


def test_an_event_of_the_past_that_was_imported_did_not_alert() -> None:
    (found,), _ = archived(exec_event(1, verb="create"))
    line = orjson.loads(found.line)
    line["_auditwire"]["flags"] = ["backfill"]

    imported = found_in(orjson.dumps(line), "here", lambda time, flags: time)

    assert outcomes(imported)["doc.Loud"] == "backfill"


def test_without_the_rules_of_then_nothing_is_guessed() -> None:
    (found,), _ = archived(exec_event(1, verb="create"))
    (excepted,), _ = archived(exec_event(1, user={"username": "backup"}))
    others = rule_set_of(document(rule('Verb = "create"', name="Other"), name="doc"))

    for rules in (None, others):
        assert outcomes(found, rules) == {"doc.Loud": "unknown", "doc.Quiet": "unknown", "keep.Kept": "archived"}
    assert outcomes(excepted, None)["doc.Loud"] == "excepted"


def test_an_exception_is_shown_with_its_reason_and_who_says_so() -> None:
    (found,), _ = archived(exec_event(1, user={"username": "backup"}))

    (match,) = (one for one in became(found, about(found), RULES) if one.became is Became.EXCEPTED)

    assert match.detail == "the exception nightly says no alert: the nightly backup (says ops)"


def test_a_line_that_says_nonsense_about_itself_is_unreadable() -> None:
    (found,), _ = archived(exec_event(1))
    line = orjson.loads(found.line)
    line["_auditwire"]["excepted"] = "nightly"

    with pytest.raises(UnreadableError, match="is damaged"):
        about(found_in(orjson.dumps(line), "here", lambda time, flags: time))
