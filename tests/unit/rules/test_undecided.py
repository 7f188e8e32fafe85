"""What rules decide about events of which a part is missing."""

import pytest

from audit_events import event_list, item, text_of
from auditwire.events import Event, decode
from auditwire.rules import RuleSet
from rule_texts import document, rule, rule_set_of

PRIVILEGED = 'Verb = "create" and RequestObject.spec.hostNetwork = true'
TRUNCATED = {"audit.k8s.io/truncated": "true"}


def alerting(condition: str, *, priority: str = "WARNING") -> RuleSet:
    return rule_set_of(document(rule(condition, priority=priority), name="mine"))


def truncated(**changes: object) -> Event:
    (event,) = decode(event_list([text_of(item(annotations=TRUNCATED, verb="create", **changes))])).events
    return event


@pytest.mark.parametrize(
    ("condition", "outcome", "matching", "undecided"),
    [
        (PRIVILEGED, "archive", (), ("mine.r",)),
        (f'{PRIVILEGED} and ObjectRef.Resource = "nodes"', "ignore", (), ()),
        (f'{PRIVILEGED} or (Verb = "create")', "alert", ("mine.r",), ()),
        (f"not ({PRIVILEGED})", "archive", (), ("mine.r",)),
        ("RequestObject not exists", "archive", (), ("mine.r",)),
        ("ResponseObject exists", "archive", (), ("mine.r",)),
        ("User.Username = 5", "ignore", (), ()),
    ],
)
def test_a_rule_that_needs_a_missing_body_is_undecided(
    condition: str, outcome: str, matching: tuple[str, ...], undecided: tuple[str, ...]
) -> None:
    verdict = alerting(condition).decide(truncated())

    assert (verdict.outcome, verdict.alerting, verdict.undecided) == (outcome, matching, undecided)
    assert [rule.qualified for rule in verdict.might_alert] == list(undecided)


def test_an_undecided_rule_is_no_evaluation_error_and_an_error_no_undecided_rule() -> None:
    assert not alerting(PRIVILEGED).decide(truncated()).errors

    verdict = alerting("User.Username = 5 and RequestObject exists").decide(truncated())

    assert ([failure.rule for failure in verdict.errors], verdict.undecided) == (["mine.r"], ())


def test_only_rules_of_the_alerting_priority_might_alert() -> None:
    verdict = alerting(PRIVILEGED, priority="INFO").decide(truncated())

    assert (verdict.outcome, verdict.undecided, verdict.might_alert) == ("archive", ("mine.r",), ())


def test_an_undecided_archiving_rule_archives_and_raises_nothing() -> None:
    rules = rule_set_of(document(rule(PRIVILEGED), name="keep", kind="archiving"))

    verdict = rules.decide(truncated())

    assert (verdict.outcome, verdict.undecided, verdict.might_alert) == ("archive", ("keep.r",), ())


def test_rules_that_match_all_the_same_stay_as_they_are() -> None:
    rules = rule_set_of(
        document(rule('Verb = "create"') + rule(PRIVILEGED, name="other"), name="mine"),
        document(rule(PRIVILEGED), name="keep", kind="archiving"),
    )

    verdict = rules.decide(truncated())

    assert (verdict.outcome, verdict.alerting) == ("alert", ("mine.r",))
    assert [rule.qualified for rule in verdict.alerts] == ["mine.r"]
    assert verdict.undecided == ("keep.r", "mine.other")


def test_an_event_with_all_its_parts_leaves_nothing_undecided() -> None:
    (event,) = decode(event_list([text_of(item(verb="create"))])).events

    verdict = alerting(PRIVILEGED).decide(event)

    assert (verdict.outcome, verdict.undecided) == ("ignore", ())


def test_what_aks_left_out_is_unknown_and_the_other_body_is_not() -> None:
    sent = item(verb="create", requestObject="skipped-too-big-size-object", responseObject={"kind": "Pod"})
    (event,) = decode(event_list([text_of(sent)])).events

    assert alerting(PRIVILEGED).decide(event).undecided == ("mine.r",)
    assert alerting('ResponseObject.kind = "Pod"').decide(event).outcome == "alert"
    # The mark itself is no value: a rule must not take it for the body.
    assert alerting("RequestObject not exists").decide(event).undecided == ("mine.r",)
