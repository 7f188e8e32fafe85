"""What recorded events cost, and what need not be recorded."""

import pytest
from msgspec import Raw

from auditwire.analysis.cuts import Cut, cuts
from auditwire.analysis.price import PriceCounting, PriceTally, kinds_of
from auditwire.documents.source import Source
from auditwire.events import Event, Level
from auditwire.events.archived import Provenance
from auditwire.policy import Policy, load_policy
from made_events import event
from rule_texts import document, rule, rule_set_of

RULES = document(rule('ObjectRef.Resource = "secrets" and Verb = "get"'))
BODY = Raw(b'{"kind":"Pod"}')


def policy(text: str) -> Policy:
    loaded = load_policy(Source("policy.yaml", f"apiVersion: audit.k8s.io/v1\nkind: Policy\n{text}"))
    assert loaded.policy is not None
    return loaded.policy


def measured(*events: Event, rules: str = RULES, under: Policy | None = None, batch: str = "") -> PriceTally:
    counting = PriceCounting(rule_set_of(rules), under)
    tally = counting.tally()
    for one in events:
        counting.take(one, Provenance(batch=batch) if batch else None, tally)
    return tally


def test_events_and_bytes_are_counted_by_kind_client_and_detection() -> None:
    first, second = event(resource="secrets", userAgent="kubectl/v1.34"), event(resource="secrets", userAgent="curl")

    tally = measured(first, second, event(verb="list"))

    (kind, *_) = (size for size in kinds_of(tally) if size.kind.resource == "secrets")
    assert (kind.kind.verb, kind.events, kind.bytes) == ("get", 2, len(first.received) + len(second.received))
    assert tally.clients.events.counts == {"kubectl": 1, "curl": 1, "none": 1}
    assert tally.detections.events.counts == {"mine.r": 2}
    assert tally.size == sum(size.bytes for size in kinds_of(tally))


def test_the_policy_s_rules_are_what_matches_the_request() -> None:
    under = policy("rules:\n- {level: Request, verbs: [list]}\n- {level: Metadata, verbs: [get]}\n")

    tally = measured(event(), event(), event(verb="list"), event(verb="watch"), under=under)

    assert tally.policy_rules.events.counts == {"rules[1]": 2, "rules[0]": 1, "none": 1}


def test_requests_are_what_brought_the_events() -> None:
    tally = measured(*(event() for _ in range(20)), batch="a")
    tally.merge(measured(*(event() for _ in range(10)), batch="a"))
    tally.merge(measured(*(event() for _ in range(30)), batch="b"))

    assert tally.events_a_request == 30
    assert measured(event()).events_a_request == 400
    # Two requests of 9.75 dollars a million; and a GB that compresses to a seventh, for a month.
    assert tally.dollars(60, 0, 12) == pytest.approx(2 * 9.75e-6)
    assert tally.dollars(0, 1e9, 1) == pytest.approx(0.14 * 0.023)


def test_parts_add_up_to_the_whole() -> None:
    events = [event(verb=verb, userAgent=agent) for verb in ("get", "list") for agent in ("a/1", "b/2")]
    first, second, whole = measured(*events[:1]), measured(*events[1:]), measured(*events)
    first.merge(second)

    assert kinds_of(first) == kinds_of(whole)
    assert (first.size, first.events, first.first) == (whole.size, whole.events, whole.first)
    assert first.clients.bytes.counts == whole.clients.bytes.counts


def found(rules: str, *events: Event) -> list[tuple[str, str, Level, int]]:
    made = cuts(measured(*events, rules=rules), rule_set_of(rules).alerting, 100)
    return [(cut.kind.verb, cut.kind.resource, cut.level, cut.bytes) for cut in made]


def test_what_no_detection_can_match_need_not_be_recorded() -> None:
    reads, lists = event(resource="secrets"), event(verb="list", resource="secrets")

    assert found(RULES, reads, lists) == [("list", "secrets", Level.NONE, len(lists.received))]


@pytest.mark.parametrize(
    ("condition", "level", "size"),
    [
        ('Verb = "create"', Level.METADATA, 2 * len(BODY)),
        ("RequestObject.kind exists", Level.REQUEST, len(BODY)),
        ("ResponseObject.kind exists", None, 0),
        ('Level = "RequestResponse"', None, 0),
        ("PodSpec.hostNetwork = true", Level.REQUEST, len(BODY)),
    ],
)
def test_bodies_that_no_detection_reads_need_not_be_recorded(condition: str, level: Level | None, size: int) -> None:
    created = event(verb="create", requestObject=BODY, responseObject=BODY)

    assert found(document(rule(condition)), created) == ([] if level is None else [("create", "pods", level, size)])


def test_requests_for_paths_and_odd_names_are_left_alone() -> None:
    assert found(RULES, event(resource=""), event(resource="odd\n"), event(level="Later")) == []


def test_a_cut_is_a_rule_of_a_policy() -> None:
    (cut,) = cuts(measured(event(resource="pods", subresource="log")), rule_set_of(RULES).alerting, 100)

    assert isinstance(cut, Cut)
    assert cut.rule.level is Level.NONE
    assert (cut.rule.verbs, cut.rule.resources[0].resources) == (("get",), ("pods/log",))
