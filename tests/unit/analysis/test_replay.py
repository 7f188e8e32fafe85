"""What two sets of rules decide differently about the same events, counted."""

from typing import Any

import pytest

from auditwire.analysis.example import MAX_EXAMPLES
from auditwire.analysis.judging import judging
from auditwire.analysis.judging_both import JudgingBoth
from auditwire.analysis.recorded import Missing
from auditwire.analysis.replay import Replay
from auditwire.analysis.tally import Tally
from auditwire.events import Event, Flag
from auditwire.events.archived import ExceptedMatch, Provenance
from auditwire.pipeline import Judgement
from auditwire.senders.kind import SenderKind
from made_events import event
from rule_texts import document, rule, rule_set_of

POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: {level}\n"
SECRETS = 'ObjectRef.Resource = "secrets"'
HOST = "RequestObject.spec.hostNetwork = true"


def replayed(old: str, new: str, *events: Event, sender: SenderKind | None = None, **texts: str) -> Tally:
    sides = [rule_set_of(*(text for text in (side, texts.get(name, "")) if text))
             for side, name in ((old, "old_policy"), (new, "new_policy"))]  # fmt: skip
    tally = Tally()
    replay = Replay(sides[0], sides[1], sender=sender)
    for one in events:
        replay.take(one, None, tally)
    tally.close()
    tally.judge()
    return tally


def counts(tally: Tally, name: str = "mine.r") -> tuple[int, int, int, int, int]:
    found = tally.rules[name]
    return found.old, found.new, found.gained, found.lost, found.changed


READS = document(rule('Verb = "get"'))
READS_SECRETS = document(rule(f'Verb = "get" and {SECRETS}'))


def test_alerts_are_gained_lost_or_the_same() -> None:
    events = (event(), event(resource="secrets"), event(verb="list"))

    assert counts(replayed(READS, READS_SECRETS, *events)) == (2, 1, 0, 1, 0)
    assert counts(replayed(READS_SECRETS, READS, *events)) == (1, 2, 1, 0, 0)
    assert counts(replayed(READS, READS, *events)) == (2, 2, 0, 0, 0)


def test_a_rule_of_another_name_is_another_rule() -> None:
    tally = replayed(READS, document(rule('Verb = "get"', name="other")), event())

    assert counts(tally) == (1, 0, 0, 1, 0)
    assert counts(tally, "mine.other") == (0, 1, 1, 0, 0)


def test_priority_decides_whether_there_is_an_alert() -> None:
    tally = replayed(document(rule('Verb = "get"', priority="INFO")), READS, event())

    assert counts(tally) == (0, 1, 1, 0, 0)
    assert tally.outcomes == {("archive", "alert"): 1}


@pytest.mark.parametrize(
    ("more", "changed"),
    [
        ("", 0),
        (", labels: {team: blue}", 1),
        (", annotations: {why: because}", 1),
        (", alert: distinct", 1),
        (", output: '${Verb} by ${User.Username}'", 1),
        (", output: 'r: ann get pods/web in ${ObjectRef.Namespace}'", 0),
    ],
)
def test_an_alert_is_changed_if_it_looks_different(more: str, changed: int) -> None:
    assert counts(replayed(READS, document(rule('Verb = "get"', more=more)), event())) == (1, 1, 0, 0, changed)


def test_an_alert_is_changed_if_its_message_lost_what_the_policy_does_not_keep() -> None:
    says = document(rule('Verb = "get"', more=", output: 'image ${RequestObject.image}'"))
    low = POLICY.format(level="Metadata")

    tally = replayed(says, says, event(body={"image": "x"}), new_policy=low)

    assert counts(tally) == (1, 1, 0, 0, 1)
    (example,) = tally.rules["mine.r"].examples["changed"]
    assert (example.before, example.after) == ("image x", "image -")
    assert tally.levels == {("RequestResponse", "Metadata"): 1}


@pytest.mark.parametrize(
    ("new", "policy", "reason"),
    [
        (READS_SECRETS, "", "no_rule"),
        (READS, POLICY.format(level="None") + "  verbs: [get]\n- level: Metadata\n", "policy_none"),
        (READS, POLICY.format(level="Metadata") + "omitStages: [ResponseComplete]\n", "policy_stage"),
    ],
)
def test_what_is_no_longer_archived_is_counted_by_reason_and_request(new: str, policy: str, reason: str) -> None:
    tally = replayed(READS, new, event(subresource="log"), new_policy=policy)

    assert tally.outcomes == {("alert", "ignore"): 1}
    assert tally.dropped == {reason: 1}
    assert tally.dropped_requests.most(5) == [("get pods/log", 1)]
    assert tally.dropped_examples[0].request == "get pods/shop/web/log"


def test_settings_count_for_the_sender_that_is_named() -> None:
    webhook = "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Webhook\nmetadata: {name: w}\n"
    off = f"{webhook}spec: {{k8sAuditingEnabled: false}}\n"

    assert replayed(READS, READS, event(), new_policy=off).outcomes == {("alert", "alert"): 1}
    told = replayed(READS, READS, event(), new_policy=off, sender=SenderKind.KUBERNETES)
    assert told.dropped == {"k8s_auditing_disabled": 1}


def test_there_are_a_few_examples_with_the_message_that_goes_out() -> None:
    tally = replayed(READS_SECRETS, READS, *(event(user=f"ann-{number}") for number in range(9)))

    examples = tally.rules["mine.r"].examples["gained"]
    assert [example.user for example in examples] == [f"ann-{number}" for number in range(MAX_EXAMPLES)]
    assert examples[0].after == "r: ann-0 get pods/web in shop"


def test_examples_show_nothing_that_steers_a_terminal() -> None:
    tally = replayed(READS_SECRETS, READS, event(user="ann\x1b[2J", name="x" * 1000))

    (example,) = tally.rules["mine.r"].examples["gained"]
    assert example.user == "ann\\u001b[2J"
    assert len(example.request) < 300


def test_a_value_that_a_rule_cannot_judge_is_counted_for_its_side() -> None:
    tally = replayed(READS, document(rule("RequestObject.n > 5")), event(verb="list", body={"n": "many"}))

    assert tally.errors == {("new", "mine.r"): 1}


def test_parts_add_up_to_the_whole() -> None:
    events = [event(verb=verb, user=user, resource=resource)
              for verb in ("get", "list") for user in ("ann", "bob") for resource in ("pods", "secrets")]  # fmt: skip
    first, second = replayed(READS, READS_SECRETS, *events[:3]), replayed(READS, READS_SECRETS, *events[3:])
    first.merge(second)
    whole = replayed(READS, READS_SECRETS, *events)

    assert first.rules == whole.rules
    assert first.outcomes == whole.outcomes
    assert first.dropped == whole.dropped
    assert first.old.users.counts == whole.old.users.counts
    assert (first.events, first.dropped_examples) == (whole.events, whole.dropped_examples)


def of_archive(old: str, stored: Event, rule_name: str = "mine.r", *, bundle: str = "", new: str = "") -> Tally:
    rules = rule_set_of(old)
    tally = Tally()
    noted = Provenance(bundle=bundle or rules.digest, alerting=(rule_name,))
    Replay(rules, rule_set_of(new or old)).take(stored, noted, tally)
    return tally


def flagged(stored: Event) -> Event:
    stored.flag(Flag.REDACTED)
    return stored


@pytest.mark.parametrize(
    ("condition", "stored", "more", "reason"),
    [
        (HOST, event(), {}, Missing.LEVEL),
        ('ResponseObject.kind = "Pod"', event(body={"kind": "Pod"}), {}, Missing.LEVEL),
        ('RequestObject.data.key = "x"', flagged(event(body={"data": {"key": "[REDACTED]"}})), {}, Missing.REDACTION),
        ('RequestURI contains "token=abc"', flagged(event()), {}, Missing.REDACTION),
        ('Verb = "create"', event(), {"bundle": "f" * 64}, Missing.OTHER_RULES),
        ('Verb = "create"', event(), {}, Missing.UNKNOWN),
        ('Verb = "get"', event(), {"rule_name": "mine.gone"}, Missing.NO_RULE),
    ],
)
def test_a_recorded_match_that_is_not_given_again_has_a_reason(
    condition: str, stored: Event, more: Any, reason: Missing
) -> None:
    tally = of_archive(document(rule(condition)), stored, **more)

    assert tally.rules[more.get("rule_name", "mine.r")].missing == {reason: 1}


def test_a_recorded_match_is_given_again() -> None:
    tally = of_archive(READS, event())

    counted = tally.rules["mine.r"]
    assert (counted.recorded, counted.repeated, counted.missing) == (1, 1, {})


def test_an_alert_that_the_archive_recorded_is_not_gained() -> None:
    tally = of_archive(document(rule(HOST)), event(), new=READS)

    assert counts(tally) == (0, 1, 0, 0, 0)


@pytest.mark.parametrize(("flags", "gained"), [((), 0), ((Flag.UNFINISHED,), 1)])
def test_an_event_of_the_first_stage_alerts_only_without_an_end(flags: tuple[Flag, ...], gained: int) -> None:
    first = event(stage="RequestReceived")
    for flag in flags:
        first.flag(flag)

    tally = replayed(READS_SECRETS, READS, first)

    assert sum(counted.gained for counted in tally.rules.values()) == gained
    assert tally.outcomes == {("ignore", "alert" if gained else "archive"): 1}


EXCEPTION = """\
apiVersion: auditwire.io/v1alpha1
kind: Exception
metadata: {name: ann}
spec: {rule: mine.r, condition: User.Username = "ann", owner: a, reason: b, expires: 2999-01-01}
"""


def test_what_an_exception_silences_is_lost_and_counted_and_comes_back_without_it() -> None:
    events = (event(user="ann"), event(user="bob"))

    tally = replayed(READS, READS, *events, new_policy=EXCEPTION)

    assert counts(tally) == (2, 1, 0, 1, 0)
    assert tally.excepted == {("new", "ann"): 1}
    assert counts(replayed(READS, READS, *events, old_policy=EXCEPTION)) == (1, 2, 1, 0, 0)


def test_a_match_that_was_excepted_when_it_was_recorded_did_not_alert() -> None:
    rules = rule_set_of(READS)
    excepted = (ExceptedMatch("mine.r", "ann"),)
    recorded = Provenance(alerting=("mine.r",)), Provenance(alerting=("mine.r",), excepted=excepted)
    for noted, gained in zip(recorded, (0, 1), strict=True):
        tally = Tally()
        Replay(rule_set_of(READS, EXCEPTION), rules).take(event(user="ann"), noted, tally)
        tally.close()
        assert counts(tally) == (0, 1, gained, 0, 0)


def many(threshold: str, *, priority: str = "WARNING", more: str = "") -> str:
    return document(rule('Stage = "ResponseComplete"', priority=priority, more=f", threshold: {{{threshold}}}{more}"))


def reads(count: int, *, user: str = "ann", minute: int = 5) -> list[Event]:
    return [
        event(user=user, auditID=f"{user}{minute}{number}", stageTimestamp=f"2026-11-21T22:{minute:02}:00.000000Z")
        for number in range(count)
    ]


def test_a_threshold_alerts_once_for_each_group_and_window() -> None:
    by_user = many("count: 3, by: [User.Username], within: 10m")
    events = (*reads(7), *reads(3, user="bob"), *reads(2, user="eve"), *reads(4, minute=45))

    tally = replayed(document(rule('Verb = "list"')), by_user, *events)
    assert counts(tally) == (0, 3, 3, 0, 0)
    assert [one.user for one in tally.rules["mine.r"].examples["gained"]] == ["ann", "bob", "ann"]
    assert (tally.new.users.counts, tally.pending) == ({"ann": 2, "bob": 1}, [])
    assert tally.outcomes == {("ignore", "archive"): 16}


def test_thresholds_of_both_sides_are_compared_group_by_group() -> None:
    three, five = (many(f"count: {number}, by: [User.Username], within: 10m") for number in (3, 5))
    events = (*reads(7), *reads(3, user="bob"))

    assert counts(replayed(three, five, *events)) == (2, 1, 0, 1, 0)
    assert counts(replayed(five, three, *events)) == (1, 2, 1, 0, 0)
    assert counts(replayed(five, five, *events)) == (1, 1, 0, 0, 0)
    relabelled = many("count: 5, by: [User.Username], within: 10m", more=", labels: {team: a}")
    assert counts(replayed(five, relabelled, *events)) == (1, 1, 0, 0, 1)


def test_a_rule_that_gets_a_threshold_alerts_less() -> None:
    three = many("count: 3, by: [User.Username], within: 10m")

    assert counts(replayed(READS, three, *reads(5))) == (5, 1, 0, 4, 0)
    assert counts(replayed(three, READS, *reads(5))) == (1, 5, 4, 0, 0)


def test_matches_are_judged_in_order_of_receipt_whoever_counted_them() -> None:
    five = rule_set_of(many("count: 5, by: [User.Username], within: 10m"))
    replay = Replay(rule_set_of(document(rule('Verb = "list"'))), five)
    parts = []
    for events in (reads(2, minute=18), reads(2, minute=1), reads(2, minute=9)):
        tally = replay.tally()
        for one in events:
            replay.take(one, None, tally)
        tally.close()
        parts.append(tally)
    total = replay.tally()
    for part in parts:
        total.merge(part)
    total.judge()

    # Four in the window from 22:00, two in the next one: 22:18 is the fifth.
    (example,) = total.rules["mine.r"].examples["gained"]
    assert example.time == "2026-11-21T22:18:00.000000Z"
    assert counts(total) == (0, 1, 1, 0, 0)


def test_judgements_that_are_remembered_are_those_of_each_event_by_itself() -> None:
    policy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [Panic]\nrules:\n"
    old = rule_set_of(
        READS, policy + "- {level: None, resources: [{resources: [leases]}]}\n- {level: Metadata}\n", EXCEPTION
    )
    new = rule_set_of(
        document(rule("ObjectRef.Name > 5 or Verb = 'get'".replace("'", '"'))),
        policy + "- {level: Metadata, users: [bob]}\n- {level: Request}\n",
    )
    cut = event()
    cut.unknown_paths = frozenset(("verb",))
    events = [
        cut,
        *(
            event(verb=verb, user=user, resource=resource, stage=stage, name=name, level=level)
            for verb in ("get", "list")
            for user in ("ann", "bob")
            for resource in ("pods", "leases")
            for stage in ("ResponseComplete", "RequestReceived", "Panic")
            for name in ("9", "web")
            for level in ("Request", "None")
        ),
    ]
    for sides in ((old, new), (new, old), (new, new)):
        both = JudgingBoth(*sides, sender=None)
        before, after = (judging(side, sender=None) for side in sides)
        for one in (*events, *events):
            judged = both.judge(one)
            assert (_said(judged.before), _said(judged.after)) == (_said(before(one)), _said(after(one)))
            assert judged.outcomes == (judged.before.verdict.outcome, judged.after.verdict.outcome)


def _said(judgement: Judgement) -> tuple[Any, ...]:
    verdict = judgement.verdict
    names = [rule.qualified for rule in verdict.alerts]
    said = (verdict.outcome, verdict.alerting, names, verdict.errors, verdict.undecided, verdict.excepted)
    return (*said, judgement.ignored, judgement.level, judgement.omit_managed_fields)
