"""Files of tests: what they say, and what is said of mistakes in them."""

from datetime import UTC, datetime

import pytest

from auditwire.analysis.cases import read_cases
from auditwire.documents.source import Source

ONE = """\
tests:
  - name: first
    rule: r
    expect: alert
    at: 2026-11-21T22:05:00Z
    events:
      - {verb: create, user: {username: ann}, objectRef: {resource: pods}}
  - name: second
    like: first
    expect: silent
    events:
      - {Verb: get, at: 30s}
      - {objectRef: {Resource: services}, user: null, template: eks}
"""


def test_a_test_is_like_another_one_but_for_what_it_says() -> None:
    read = read_cases(Source("a.test.yaml", ONE))
    first, second = read.cases

    assert read.diagnostics == ()
    assert (first.name, first.rule, first.expect, first.path, first.line) == ("first", "r", "alert", "a.test.yaml", 2)
    assert [event.partial for event in second.events] == [
        {"verb": "get", "user": {"username": "ann"}, "objectRef": {"resource": "pods"}},
        {"verb": "create", "objectRef": {"resource": "services"}},
    ]
    assert [event.template for event in second.events] == ["kube", "eks"]
    assert [event.at for event in (*first.events, second.events[0])] == [
        datetime(2026, 11, 21, 22, 5, tzinfo=UTC),
        datetime(2026, 11, 21, 22, 5, 30, tzinfo=UTC),
    ]


def test_every_event_is_sent_by_each_of_the_templates() -> None:
    text = "tests:\n- {name: a, expect: ignore, templates: [kube, gke], events: [{verb: get}, {verb: list}]}\n"

    (case,) = read_cases(Source("a.test.yaml", text)).cases

    assert [(event.partial["verb"], event.template) for event in case.events] == [
        ("get", "kube"), ("get", "gke"), ("list", "kube"), ("list", "gke"),
    ]  # fmt: skip


def event(text: str) -> str:
    return f"tests: [{{name: a, expect: alert, events: [{{{text}}}]}}]"


def test_what_only_looks_like_a_date_is_a_text() -> None:
    found = read_cases(Source("a.test.yaml", event("userAgent: 2026-99-99, verb: null") + "\n"))

    assert found.diagnostics == ()
    assert found.cases[0].events[0].partial["userAgent"] == "2026-99-99"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("test: []", "1:1 AW203: a file of tests has no field 'test' (did you mean 'tests'?)"),
        ("tests: {}", "1:8 AW204: tests must be a list, not a mapping ()"),
        (
            "tests: [{name: a, events: [{}]}]",
            "1:9 AW205: the test does not say what it expects (write expect: alert, archive, ignore, silent)",
        ),
        ("tests: [{name: a, expect: alert}]", ("1:9 AW205: the test has no events"
         " (write events: with at least one partial event)")),
        ("tests: [{expect: alert, events: [{}]}]", "1:9 AW205: there is no name ()"),
        ("tests: [{name: a, expect: alarm, events: [{}]}]", ("1:27 AW206: expect cannot be 'alarm'"
         " (did you mean 'alert'?)")),
        ("tests: [{name: a, expect: alert, events: [{vreb: x}]}]", ("1:44 AW203: an event has no field 'vreb'"
         " (did you mean 'verb'?)")),
        ("tests: [{name: a, expect: alert, events: [{user: {name: x}}]}]", ("1:51 AW203: user has no field 'name'"
         " (did you mean 'username'?)")),
        ("tests: [{name: a, expect: alert, like: b, events: [{}]}]", ("1:40 AW105: there is no test 'b' above this one"
         " (name a test above this one in the same file)")),
        ("tests: [{name: a, expect: alert, events: [{template: k8s}]}]", ("1:54 AW206: template cannot be 'k8s'"
         " (did you mean 'eks'?)")),
        ("tests: [{name: a, expect: alert, at: soon, events: [{}]}]", ("1:38 AW206: at cannot be 'soon'"
         " (write a time, or how much later: 30s, 5m or 2h)")),
        ("tests: [{name: a, expect: alert, events: []}]", ("1:9 AW205: the test has no events"
         " (write events: with at least one partial event)")),
        (event("objectRef: pods"), "1:55 AW204: objectRef must be a mapping, not a text ()"),
        (event("responseStatus: 403"), "1:60 AW204: responseStatus must be a mapping, not a number ()"),
        (event("responseStatus: {code: x}"), "1:67 AW204: code must be a whole number, not a text ()"),
        (event("annotations: [x]"), "1:57 AW204: annotations must be a mapping, not a list ()"),
        (event("verb: 5"), '1:50 AW204: verb must be a text, not a number (quote it: "5")'),
        (event("objectRef: {name: 12}"), '1:62 AW204: name must be a text, not a number (quote it: "12")'),
        (event("sourceIPs: 192.0.2.1"), "1:55 AW204: sourceIPs must be a list, not a text ()"),
        (event("user: {groups: [1]}"), '1:60 AW204: an item of groups must be a text, not a number (quote it: "1")'),
        (event("stage: Complete"), ("1:51 AW206: stage cannot be 'Complete'"
         " (did you mean 'ResponseComplete'?)")),
        (event("level: metadata"), "1:51 AW206: level cannot be 'metadata' (did you mean 'Metadata'?)"),
        (event("? [x] : y"), "1:46 AW204: a key of an event must be a text ()"),
        (event("repeat: 2, every: x"), ("1:62 AW206: every cannot be 'x'"
         " (write a time, or how much later: 30s, 5m or 2h)")),
        ("undecisive: [{rule: a}]", "1:14 AW205: there is no operand ()"),
        ("tests: [", ("2:1 AW201: the file is not YAML: while parsing a flow node did not find expected node content"
         " ()")),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(text: str, wanted: str) -> None:
    found = read_cases(Source("a.test.yaml", text + "\n")).diagnostics

    assert wanted in [f"{one.line}:{one.column} {one.code}: {one.message} ({one.hint})" for one in found]
