"""What an attacker may choose never becomes a second log line, another key, a new metric, endless labels or a hang."""

import ast
import io
import json
import re
import resource
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from auditwire.alerts import MemoryDeadLetters, PeerAnswer, encode_message
from auditwire.alerts.relay import relay
from auditwire.clusters import presented
from auditwire.condition import ConditionError, compile_condition
from auditwire.ingest.account import Account
from auditwire.policy import load_policy
from auditwire.rules import RuleSet, Source, load_sources
from memory_road import Road
from rule_texts import document, rule, rule_set_of

ROOT = Path(__file__).parents[2]
MARK = "attackers-mark"
INJECTION = f'{MARK}"}}\n{{"level":"INFO","message":"batch"}}\r\n\x1b[2J\u2028\x85{MARK}'
KEY = re.compile(
    r"events/cluster=prod/date=[0-9]{4}-[0-9]{2}-[0-9]{2}/hour=[0-9]{2}"
    r"/[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{64}\.jsonl\.gz|quarantine/cluster=prod/[0-9a-f]{64}\.gz"
)


class Rules:
    """A source of one rule that alerts about everything, with as many labels as given."""

    def __init__(self, labels: int = 0) -> None:
        own = ", ".join(f"l{number}: '{'x' * 256}'" for number in range(labels))
        output = "${User.Username} did ${Verb} with ${RequestObject.a} at ${RequestURI}"
        more = f", output: '{output}'" + (f", labels: {{{own}}}" if own else "")
        self._rules = rule_set_of(document(rule("Verb exists", name="Every", more=more), name="r"))

    def current(self) -> RuleSet:
        return self._rules


def posted(road: Road, *items: object) -> Account:
    """What became of a batch whose headers too are the attacker's."""
    answer = road.post(json.dumps(items).encode(), user_agent=INJECTION, x_forwarded_for=INJECTION)
    assert answer.status == 200
    assert answer.account is not None
    return answer.account


def hostile_item(**changes: Any) -> dict[str, Any]:
    """An event whose every text the attacker chose."""
    return {
        "level": "RequestResponse",
        "auditID": INJECTION,
        "stage": INJECTION,
        "verb": INJECTION,
        "requestURI": INJECTION,
        "userAgent": INJECTION,
        "user": {"username": INJECTION, "groups": [INJECTION], "extra": {INJECTION: [INJECTION]}},
        "sourceIPs": [INJECTION],
        "objectRef": {"resource": INJECTION, "namespace": INJECTION, "name": INJECTION},
        "requestObject": {"a": INJECTION},
        "annotations": {"authorization.k8s.io/reason": INJECTION},
        "cluster": f"../../cluster=other/{MARK}",
        "workspace": INJECTION,
        "stageTimestamp": f"2026-11-21T22:05:00Z/../../../{MARK}",
        "requestReceivedTimestamp": INJECTION,
        INJECTION: INJECTION,
        **changes,
    }


# Logs, keys, metrics


def test_what_is_logged_of_a_batch_is_one_line_and_holds_nothing_the_sender_wrote() -> None:
    account = posted(Road(rules=Rules()), hostile_item(), {"auditID": INJECTION}, INJECTION, [INJECTION])
    stream = io.StringIO()

    Logger(service="hostile", logger_handler=None, stream=stream).info("batch", extra=account.log_fields())

    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue())["cluster"] == "prod"
    assert MARK not in stream.getvalue()


def test_a_log_line_that_does_quote_hostile_text_is_still_one_line() -> None:
    stream = io.StringIO()

    Logger(service="hostile-too", stream=stream).error("not stored", extra={"error": INJECTION})

    assert stream.getvalue().count("\n") == 1
    assert "\r" not in stream.getvalue()
    assert json.loads(stream.getvalue())["error"] == INJECTION


def test_an_archived_line_and_an_alert_are_one_line_each_whatever_an_event_says() -> None:
    road = Road(rules=Rules())
    posted(road, hostile_item())

    (key,) = [key for key in road.archive.objects if key.startswith("events/")]
    (line,) = road.archive.lines(key)
    (alert,) = road.publisher.alerts

    assert b"\n" not in line
    assert b"\r" not in line
    for text in (*alert.labels.values(), *alert.annotations.values(), *alert.audit_ids):
        assert len(text.splitlines()) == 1
        assert text.isprintable()


def test_no_text_of_a_body_reaches_an_archive_key() -> None:
    road = Road(rules=Rules())
    account = posted(
        road,
        hostile_item(),
        hostile_item(stageTimestamp="9999-12-31T23:59:59.999999Z"),
        hostile_item(stageTimestamp="2026-11-21T22:05:00.1+14:00", auditID="../" * 50),
        {"metadata": {"creationTimestamp": "../../x"}, "level": "x", "stage": "x", "verb": "x", "auditID": "x"},
        {"auditID": "../../quarantine"},
    )

    assert account.cluster == "prod"
    assert account.objects
    assert all(KEY.fullmatch(key) for key in road.archive.objects), list(road.archive.objects)


def test_a_body_adds_no_metric_and_no_dimension() -> None:
    few, loud = (
        posted(Road(rules=Rules()), *(hostile_item(verb=f"v{number}", cluster=f"c{number}") for number in range(many)))
        for many in (2, 200)
    )

    assert loud.metrics().keys() == few.metrics().keys()
    assert loud.cluster == "prod"
    assert len(loud.flags) < 10
    assert len(loud.ignored) + len(loud.quarantined) + len(loud.alerts) < 10


def test_functions_use_no_dimension_but_the_name_of_a_registered_cluster() -> None:
    calls = [
        ast.unparse(node)
        for path in (*(ROOT / "functions").glob("*/app.py"), ROOT / "layers/auditwire/auditwire/measure.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "dimension" in node.func.attr
    ]

    # That is a cluster's name or one of two words: see auditwire.alerts.counting.
    assert set(calls) == {"metrics.add_dimension('cluster', cluster)"}


# Alerts


def test_one_batch_gives_at_most_500_alerts_however_many_objects_a_client_names() -> None:
    road = Road(rules=Rules())
    posted(road, *(hostile_item(objectRef={"resource": "pods", "name": f"{number}"}) for number in range(1_500)))

    assert len(road.publisher.alerts) == 500


def test_labels_are_bounded_in_number_and_length_and_messages_in_size() -> None:
    road = Road(rules=Rules(labels=32))
    long = "é\n" * 40_000
    posted(
        road,
        hostile_item(
            verb=long, userAgent=long, user={"username": long}, objectRef={"resource": long, "name": long}, auditID=long
        ),
    )

    (alert,) = road.publisher.alerts
    assert len(alert.labels) <= 64
    assert max(map(len, alert.labels.values())) <= 256
    assert max(map(len, alert.annotations.values())) <= 1_024
    assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in alert.labels)
    assert len(encode_message(alert)) <= 200_000


# Documents


def bombs() -> Iterator[tuple[str, str]]:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    yield "billion laughs", f"a0: &a0 [lol]\n{levels}"
    merges = "".join(f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}], k{n}: 1}}\n" for n in range(1, 60))
    yield "merge keys", f"m0: &m0 {{a: 1}}\n{merges}"
    yield "an alias of itself", "a: &a [*a, *a]\n"
    yield "deep lists", "[" * 50_000
    yield "deep maps", "{a: " * 50_000
    yield "deep blocks", "".join(f"{' ' * n}a:\n" for n in range(1_000))
    yield "a large file", f"# {'x' * 3_000_000}\n"
    yield "a large scalar", f"a: '{'x' * 900_000}'\n"
    yield "many documents", "---\na: 1\n" * 20_000
    yield "many keys", "".join(f"k{n}: 1\n" for n in range(20_000))
    yield "a number of a million digits", f"a: {'9' * 900_000}\n"
    yield "a sexagesimal number", f"a: 1{':59' * 100_000}\n"
    yield "a long condition", document(rule("Verb = 'x' and " * 100_000))
    yield "nested groups", document(rule("(" * 30_000 + "Verb exists" + ")" * 30_000))
    yield "nested nots", document(rule("not " * 15_000 + "Verb exists"))
    yield "an open string", document(rule('Verb = "' + "\\" * 30_001))
    yield "counted repeats", document(rule('Verb regex "((a{100}){100}){100}"'))
    yield "alternatives", document(rule('Verb regex "^(a|aa|aaa)*$" and Verb regex "(.*)*(.*)*(.*)*x"'))
    macros = "".join(
        f"  - {{name: m{n}, type: macro, macro: '{' and '.join([f'${{m{n - 1}}}'] * 9)}'}}\n" for n in range(1, 12)
    )
    yield "macros in macros", document("  - {name: m0, type: macro, macro: Verb exists}\n" + macros)
    lists = "".join(f"  - {{name: l{n}, type: list, list: ['${{l{n - 1}}}', '${{l{n - 1}}}']}}\n" for n in range(1, 40))
    yield "lists in lists", document("  - {name: l0, type: list, list: [a, b]}\n" + lists)


BOMBS = dict(bombs())
MEMORY = 8 * 1024**3


@pytest.fixture
def bounded_memory() -> Iterator[None]:
    """A bomb that does go off is to end in MemoryError, not to take the machine with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    # Beside what earlier tests of this process have loaded.
    limit = MEMORY + int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("bounded_memory")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_a_rule_document_is_judged_in_bounded_memory(name: str) -> None:
    loaded = load_sources([Source("bomb.yaml", BOMBS[name])])

    assert loaded.rule_set is None or not any(found.is_error for found in loaded.diagnostics)


@pytest.mark.slow
@pytest.mark.usefixtures("bounded_memory")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_a_policy_is_refused_in_bounded_memory(name: str) -> None:
    assert load_policy(Source("policy.yaml", BOMBS[name])).load == "error"


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("^(a+)+$", "a" * 100_000 + "!"),
        ("^(a|aa)+$", "a" * 100_000 + "!"),
        ("(.*)*(.*)*(.*)*x$", "a" * 20_000),
        ("([a-z]+)*[0-9]", "a" * 100_000),
    ],
)
def test_a_regular_expression_ends_on_any_value(pattern: str, value: str) -> None:
    condition = compile_condition(f'a regex "{pattern}"')

    # Anything but linear time would keep this from ever ending.
    assert condition.evaluate({"a": value}) is False


def test_like_ends_on_any_value() -> None:
    condition = compile_condition(f'a like "{"*a" * 200}*b"')

    assert condition.evaluate({"a": "a" * 100_000}) is False


def test_a_regular_expression_that_needs_too_much_memory_is_refused() -> None:
    with pytest.raises(ConditionError):
        compile_condition('a regex "((a{100}){100}){100}"')


# Headers and credentials


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"authorization": "Bearer " + "x" * 2_000_000}, "/audit/webhook/event"),
        ({"authorization": "Basic " + "QUFB" * 500_000}, "/audit/webhook/event"),
        ({"authorization": " " * 2_000_000 + "Bearer"}, "/audit/webhook/event"),
        ({"authorization": "Bearer" + " " * 2_000_000 + "\x00"}, "/audit/webhook/event"),
        ({f"x-{number}": "y" * 100 for number in range(20_000)}, "/audit/webhook/event"),
        ({}, "/audit/webhook/event/" + "%41" * 700_000),
        ({}, "/audit/webhook/event" + "/" * 2_000_000),
        ({}, "/" + "%" * 2_000_000),
    ],
    ids=["bearer", "basic", "spaces", "spaces inside", "many headers", "long path", "slashes", "percent signs"],
)
def test_oversize_heads_are_no_credential(headers: dict[str, str], path: str) -> None:
    assert presented(headers, path) is None


def test_nothing_of_a_credential_is_compared_with_an_operator_that_stops_at_the_first_difference() -> None:
    suspects: list[str] = []
    for path in sorted((ROOT / "layers" / "auditwire" / "auditwire" / "clusters").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
                text = ast.unparse(node)
                if re.search(r"digest|token|secret|password|claimed", text):
                    suspects.append(f"{path.name}: {text}")

    directory = (ROOT / "layers" / "auditwire" / "auditwire" / "clusters" / "directory.py").read_text(encoding="utf-8")
    assert not suspects
    assert "hmac.compare_digest(" in directory


# The alerts queue


class Alertmanager:
    """A peer that takes everything it can read."""

    url = "http://alertmanager"

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []

    def post(self, alerts: bytes, seconds: float) -> PeerAnswer:
        self.alerts += json.loads(alerts)
        return PeerAnswer(200)


@pytest.mark.parametrize(
    ("body", "delivered"),
    [
        ("[" * 200_000, 0),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, 0),
        ('{"labels":{"alertname":"a"},"x":' + "[" * 900 + "]" * 900 + "}", 1),
        ('{"labels":{"alertname":"a","n":1e999}}', 0),
        ('{"labels":{"alertname":"a","n":' + "9" * 5_000 + "}}", 0),
        ('{"labels":{"alertname":"a","n":123456789012345678901234567890}}', 1),
        ('{"labels":{"alertname":"a"},"startsAt":"9999-12-31T23:59:59-23:59"}', 1),
        ('{"labels":{"alertname":"a"},"auditwire":{"first":"0001-01-01T00:00:00+23:59"}}', 1),
        ('{"labels":{"alertname":"\\ud800"}}', 0),
        ("\ud800", 0),
        ('{"Type":"Notification","Message":"' + '{\\"Type\\":' * 10_000 + '"}', 0),
        (json.dumps({"labels": {f"l{number}": "x" for number in range(10_000)}}), 0),
        (json.dumps({"labels": {"alertname": "a"}, "annotations": dict.fromkeys(map(str, range(10_000)), "x")}), 0),
        (json.dumps({"labels": {"alertname": "a", "x": "y" * 250_000}}), 1),
    ],
)
def test_a_hostile_queue_message_is_delivered_or_put_aside(body: str, delivered: int) -> None:
    peer, letters = Alertmanager(), MemoryDeadLetters()
    event = {"Records": [{"messageId": "1", "body": body}, {"messageId": "2", "body": '{"labels":{"alertname":"b"}}'}]}

    done = relay(event, peers=[peer], dead_letters=letters, ttl=timedelta(minutes=15), seconds=10)

    assert (done.delivered, done.dead_lettered, done.failed) == (delivered + 1, 1 - delivered, 0)
    assert "b" in [alert["labels"]["alertname"] for alert in peer.alerts]
