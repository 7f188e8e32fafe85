"""What fuzzing found once, by the input that showed it."""

import json

import pytest
from starlette.requests import Request as HttpRequest

from auditwire.condition import ConditionError, compile_condition
from auditwire.events.label_names import legal_names
from auditwire.ingest.request import Request
from auditwire.ocsf.record import MAX_RECORD_BYTES, SHORTENED, UNREADABLE, encode_record
from auditwire.policy import check_policy, load_policy
from auditwire.rules import Source, load_sources
from signing_in import Desk


def test_label_names_that_all_become_one_are_all_kept() -> None:
    # It once took the square of their number: a minute for these.
    labels = {chr(0x4E00 + number): "v" for number in range(20_000)}

    assert len(legal_names(labels)) == 20_000


def test_names_that_become_equal_are_still_numbered_in_order_around_those_taken() -> None:
    assert legal_names({"é": "1", "ö": "2", "ü": "3", "__2": "own", "ö_": "4"}) == {
        "_": "1", "__2": "own", "__3": "2", "__4": "3", "__": "4",
    }  # fmt: skip


def test_a_base64_body_with_letters_outside_of_ascii_is_taken_as_it_stands() -> None:
    event = {
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": 0},
        "rawPath": "/audit/webhook/event",
        "body": "é",
        "isBase64Encoded": True,
    }

    assert Request.from_event(event).body == "é".encode()


@pytest.mark.parametrize("text", ['a like "*\udcff*b*"', 'a regex "\udcff"', 'a = "\udcff"', "\udcff"])
def test_a_lone_surrogate_in_a_condition_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ConditionError) as refused:
        compile_condition(text)

    (found,) = refused.value.diagnostics
    assert (found.code, found.column) == ("AW101", text.index("\udcff") + 1)


@pytest.mark.parametrize("key", ["rules[*]", "rules[0]", "rules[99]", "rules["])
def test_an_unknown_key_of_a_policy_that_looks_like_a_place_is_just_unknown(key: str) -> None:
    text = f"apiVersion: audit.k8s.io/v1\nkind: Policy\n{key}: x\nrules:\n- level: Metadata\n"

    loaded = load_policy(Source("policy.yaml", text))

    assert loaded.load == "warning"
    assert [(found.code, found.rule) for found in loaded.diagnostics] == [("AW310", "")]


@pytest.mark.parametrize("url", ["http://]", "http://[*]", "http://a:99999", "http://a:x", "http://a:0"])
def test_a_receiver_whose_address_cannot_be_taken_apart_is_a_finding_not_a_crash(url: str) -> None:
    text = (
        "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Webhook\nmetadata: {name: w}\n"
        f"spec:\n  receivers:\n  - {{name: a, type: alertmanager, config: {{url: '{url}'}}}}\n"
    )

    loaded = load_sources([Source("w.yaml", text)])

    assert loaded.rule_set is None
    assert "AW206" in [found.code for found in loaded.diagnostics]


@pytest.mark.parametrize(
    "line", [b"x" * (MAX_RECORD_BYTES + 1), b"\xff" * (MAX_RECORD_BYTES // 2)], ids=["long", "grows"]
)
def test_a_record_of_what_is_no_event_has_all_it_should_however_long_that_is(line: bytes) -> None:
    encoded = encode_record(line, "events/x#0", "20261121T220000.000000Z")

    record = json.loads(encoded)
    assert len(encoded) <= MAX_RECORD_BYTES
    assert (record["metadata"]["labels"], record["unmapped"]) == ([UNREADABLE, SHORTENED], "{}")


@pytest.mark.slow
def test_a_policy_of_a_thousand_rules_that_change_nothing_is_checked_within_its_bound() -> None:
    rules = "- level: None\n  userGroles:\n" * 1_284
    source = Source("policy.yaml", f"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n{rules}")

    loaded = check_policy(source)

    assert "AW313" in {found.code for found in loaded.diagnostics}


@pytest.mark.parametrize("query", [b"\xf3", b"state=\xff&code=%ff", b"state=%f0%28", b"\xed\xa0\x80"])
@pytest.mark.parametrize("route", [0, 1])
def test_a_query_that_is_no_utf8_signs_nobody_in_and_is_no_crash(route: int, query: bytes) -> None:
    desk = Desk()
    desk.issuer.is_down = True
    scope = {"type": "http", "method": "GET", "path": "/x", "query_string": query, "headers": [(b"host", b"c.example")]}

    answer = desk.sign_in.routes()[route].endpoint(HttpRequest(scope))

    assert answer.status_code == (502, 403)[route]
