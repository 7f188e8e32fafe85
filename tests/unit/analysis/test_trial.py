"""Tests of rules pass, or fail with the smallest reason."""

import pytest

from auditwire.analysis.cases import Case, read_cases
from auditwire.analysis.operand_coverage import coverage, percent
from auditwire.analysis.trial import Trials
from auditwire.documents.source import Source
from rule_texts import document, rule, rule_set_of

ALERTING = document(
    rule('Verb = "create" and ObjectRef.Resource = "pods"', name="Pod", more=", output: 'pod of ${User.Username}'")
    + rule('Verb = "delete"', name="Gone", priority="INFO")
)
ARCHIVING = document(rule('Verb != "get"', name="Changes", priority="DEBUG"), name="kept", kind="archiving")
WEBHOOK = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {name: settings}
spec: {k8sAuditingEnabled: true, auditLevel: RequestResponse}
"""
POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: RequestResponse}]
"""
RULES = rule_set_of(ALERTING, ARCHIVING, WEBHOOK, POLICY)


def cases(*texts: str) -> list[Case]:
    read = read_cases(Source("a.test.yaml", "tests:\n" + "".join(f"- {{name: t, {text}}}\n" for text in texts)))
    assert read.diagnostics == ()
    return list(read.cases)


def reasons(text: str) -> tuple[str, ...]:
    return Trials(RULES).run(cases(text)[0]).reasons


POD = "{verb: create, user: {username: ann}, objectRef: {resource: pods}}"


@pytest.mark.parametrize(
    "text",
    [
        f"rule: Pod, expect: alert, events: [{POD}]",
        f"rule: mine.Pod, expect: alert, priority: WARNING, message: pod of ann, events: [{POD}]",
        f"rule: mine.Pod, expect: alert, labels: {{user: ann}}, events: [{POD}]",
        "rule: Pod, expect: silent, events: [{verb: create, objectRef: {resource: services}}, {verb: get}]",
        "rule: Gone, expect: archive, events: [{verb: delete}]",
        "rule: Changes, expect: archive, events: [{verb: delete}]",
        "rule: Pod, expect: ignore, events: [{verb: get}]",
        "expect: silent, events: [{verb: delete}, {verb: get}]",
        "expect: archive, events: [{verb: update}]",
        f"rule: Pod, expect: alert, templates: [kube, kubesphere, eks, gke, aks], events: [{POD}]",
        "rule: Pod, expect: ignore, events: [{verb: create, stage: RequestReceived, objectRef: {resource: pods}}]",
    ],
)
def test_what_is_expected_passes(text: str) -> None:
    assert reasons(text) == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "rule: Pod, expect: alert, events: [{verb: create, objectRef: {resource: services}}]",
            'expected alert, but mine.Pod does not match: ObjectRef.Resource = "pods" is false: it is "services"',
        ),
        (
            f"rule: Pod, expect: silent, events: [{{verb: get}}, {POD}]",
            (
                'event 2: expected silent, but mine.Pod matches: Verb = "create" is true: it is "create";'
                ' ObjectRef.Resource = "pods" is true: it is "pods"'
            ),
        ),
        (
            "rule: Gone, expect: alert, events: [{verb: delete}]",
            "expected alert, but the rule only archives: its priority is INFO",
        ),
        (
            "rule: Changes, expect: alert, events: [{verb: delete}]",
            "expected alert, but the rule is an archiving one, which never alerts",
        ),
        (f"rule: Pod, expect: archive, events: [{POD}]", "expected archive, but the rule alerts"),
        (
            f"rule: Pod, expect: alert, message: x, events: [{POD}]",
            "expected the message 'x', but it is 'pod of ann'",
        ),
        (
            f"rule: Pod, expect: alert, priority: INFO, events: [{POD}]",
            "expected the priority 'INFO', but it is 'WARNING'",
        ),
        (
            f"rule: Pod, expect: alert, labels: {{user: bob, x: y}}, events: [{POD}]",
            "expected the label user 'bob', but it is 'ann'; expected the label x 'y', but it is ''",
        ),
        ("expect: alert, events: [{verb: update}]", "expected alert, but the event is archived by kept.Changes"),
        ("expect: archive, events: [{verb: get}]", "expected archive, but the event is ignored: no_rule"),
        (f"expect: ignore, events: [{POD}]", "expected ignore, but the event alerts by mine.Pod"),
        (
            "rule: Pod, expect: alert, events: [{verb: create, stage: RequestReceived, objectRef: {resource: pods}}]",
            "expected alert, but the event is dropped before any rule: policy_stage (stage RequestReceived)",
        ),
        ("rule: Pot, expect: alert, events: [{}]", "there is no enabled and selected rule 'Pot', did you mean Pod?"),
        (
            "rule: Pod, expect: alert, events: [{template: gke, impersonatedUser: {username: x}}]",
            "GKE does not deliver impersonatedUser",
        ),
        (
            "rule: Pod, expect: alert, events: [{user: {extra: 5}}]",
            "this cannot be an event: Expected `object | null`, got `int` - at `$.user.extra`",
        ),
    ],
)
def test_what_is_not_expected_fails_with_the_smallest_reason(text: str, reason: str) -> None:
    assert reasons(text) == (reason,)


def test_a_rule_of_two_documents_is_named_with_its_document() -> None:
    rules = rule_set_of(ALERTING, document(rule('Verb = "x"', name="Pod"), name="other"))

    assert Trials(rules).rule_of("Pod") == (
        "'Pod' is the name of several rules: mine.Pod, other.Pod; write the one that is meant"
    )


def test_coverage_names_operands_that_no_test_makes_decisive_both_ways() -> None:
    texts = [f"rule: Pod, expect: alert, events: [{POD}]", "rule: Pod, expect: silent, events: [{verb: get}]"]
    results = [Trials(RULES).run(case) for case in cases(*texts)]

    pod, gone, changes = coverage(RULES, results)[1], coverage(RULES, results)[2], coverage(RULES, results)[0]

    # Of `get` and no resource, neither operand alone decides.
    assert pod.missing() == [('Verb = "create"', "false"), ('ObjectRef.Resource = "pods"', "false")]
    assert gone.missing() == [('Verb = "delete"', "true and false")]
    assert (percent([pod]), percent([gone]), percent([pod, gone, changes])) == (50.0, 0.0, 25.0)


def test_an_operand_with_a_reason_counts_as_covered_and_a_needless_reason_is_named() -> None:
    read = read_cases(
        Source(
            "a.test.yaml",
            "undecisive:\n"
            "- {rule: Gone, operand: 'Verb = \"delete\"', reason: nobody deletes}\n"
            "- {rule: mine.Pod, operand: 'Verb = \"delete\"', reason: none}\n"
            "- {rule: Changes, operand: '*', reason: another rule}\n",
        )
    )

    changes, pod, gone = coverage(RULES, [], read.excuses)

    assert changes.missing() == gone.missing() == []
    assert percent([gone]) == 100.0
    assert [excuse.line for excuse in pod.needless] == [3]


MANY = rule_set_of(
    document(
        rule(
            'Verb = "get" and Stage = "ResponseComplete"',
            name="Many",
            more=", output: '${User.Username} again', labels: {team: a, path: 'x${ObjectRef.Name}'}, "
            "threshold: {count: 5, by: [User.Username], within: 10m}",
        )
        + rule(
            'Verb = "list" and Stage = "ResponseComplete"',
            name="Names",
            more=", threshold: {distinct: ObjectRef.Name, atLeast: 3, within: 1m}",
        )
        + rule('Verb = "watch"', name="Low", priority="INFO", more=", threshold: {count: 2, within: 1m}"),
    )
)
LABELS = "{user: a, team: a, alertname: Many}"
BY_A = "{verb: get, user: {username: a}, repeat: 5}"
TEMPLATES = "templates: [kube, kubesphere, eks, gke, aks]"


def of_many(text: str) -> tuple[str, ...]:
    return Trials(MANY).run(cases(text)[0]).reasons


@pytest.mark.parametrize(
    "text",
    [
        "rule: Many, expect: alert, events: [{verb: get, repeat: 5}]",
        f"rule: Many, expect: alert, priority: WARNING, message: a again, labels: {LABELS}, events: [{BY_A}]",
        f"rule: Many, expect: alert, {TEMPLATES}, events: [{{verb: get, repeat: 5}}]",
        f"rule: Many, expect: silent, {TEMPLATES}, events: [{{verb: get, repeat: 4}}]",
        "rule: Many, expect: archive, events: [{verb: get, repeat: 4}]",
        "rule: Many, expect: silent, events: [{verb: list, repeat: 9}]",
        "rule: Many, expect: silent, events: [{verb: get, user: {username: 'u{n}'}, repeat: 50}]",
        "rule: Many, expect: alert, events: [{verb: list}, {verb: get, repeat: 3}, {verb: get, at: 9m, repeat: 2}]",
        "rule: Many, expect: silent, events: [{verb: get, repeat: 4, every: 20m}, {verb: get, at: 2h}]",
        "rule: Many, expect: silent, events: [{verb: get, repeat: 50, every: 5m}]",
        "rule: Names, expect: alert, events: [{verb: list, objectRef: {name: 's{n}'}, repeat: 3, every: 10s}]",
        "rule: Names, expect: silent, events: [{verb: list, objectRef: {name: s}, repeat: 30}]",
        "rule: Names, expect: archive, events: [{verb: list, objectRef: {name: null}, repeat: 30}]",
        "rule: Low, expect: archive, events: [{verb: watch, repeat: 3}]",
        "expect: archive, events: [{verb: get}]",
    ],
)
def test_thresholds_are_judged_over_the_events_of_a_test(text: str) -> None:
    assert of_many(text) == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "rule: Many, expect: alert, events: [{verb: get, repeat: 4}]",
            "expected alert, but mine.Many counts 4 of 5 matches within 10m, by User.Username",
        ),
        (
            "rule: Many, expect: silent, events: [{verb: get, repeat: 6}]",
            "expected silent, but mine.Many alerts at event 5: 5 matches within 10m, by User.Username",
        ),
        (
            "rule: Many, expect: archive, events: [{verb: get, repeat: 5, every: 1m}]",
            "expected archive, but mine.Many alerts at event 5: 5 matches within 10m, by User.Username",
        ),
        (
            "rule: Many, expect: alert, events: [{verb: list, repeat: 5}]",
            'expected alert, but mine.Many does not match: Verb = "get" is false: it is "list"',
        ),
        (
            "rule: Many, expect: alert, templates: [kube, eks], events: [{verb: get, repeat: 4}]",
            "kube: expected alert, but mine.Many counts 4 of 5 matches within 10m, by User.Username",
        ),
        (
            "rule: Many, expect: alert, message: x, events: [{verb: get, user: {username: a}, repeat: 5}]",
            "expected the message 'x', but it is 'a again'",
        ),
        (
            "rule: Many, expect: ignore, events: [{verb: get}]",
            "expected ignore, but the event is archived by mine.Many",
        ),
        (
            "rule: Names, expect: alert, events: [{verb: list, objectRef: {name: null}, repeat: 9}]",
            "expected alert, but the rule only counts, and the event has no value to count",
        ),
        (
            "rule: Low, expect: alert, events: [{verb: watch, repeat: 9}]",
            "expected alert, but the rule only archives: its priority is INFO",
        ),
    ],
)
def test_a_threshold_fails_with_the_smallest_reason(text: str, reason: str) -> None:
    assert of_many(text)[0] == reason


def test_what_is_repeated_is_bounded() -> None:
    for repeat in ("0", "2001", "x"):
        text = f"tests:\n- {{name: t, expect: alert, events: [{{repeat: {repeat}}}]}}\n"
        (wrong,) = (one.code for one in read_cases(Source("a.test.yaml", text)).diagnostics if one.is_error)
        assert wrong in ("AW204", "AW206")
