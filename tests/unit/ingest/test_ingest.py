"""One request through the whole road, in memory: the answer, the archive, the alerts, the account."""

import gzip
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from auditwire.alerts import Alert, MemoryPublisher, OutboxError, Published
from auditwire.alerts.message import Message, message_of
from auditwire.alerts.outbox import MemoryOutbox, NoOutbox
from auditwire.clusters import Cluster, Credential, DirectoryError, SentBy, credential_digest
from auditwire.ingest.account import Account
from auditwire.ingest.ingest import DEADLINE_SECONDS, Answer, Ingest
from auditwire.ingest.request import Request
from auditwire.rules import RuleSet
from envelopes import azure, cloudwatch, control_message
from memory_road import RECEIVED, TOKEN, DefaultRules, FullDisk, NoTopic, OneCluster, Road
from rule_texts import document, rule_set_of


class NoTable:
    """A directory whose table cannot be read."""

    def identify(self, credential: Credential | None) -> Cluster | None:
        raise DirectoryError("the clusters table could not be read")


@dataclass
class GivenRules:
    """A source of one document with alerting rules."""

    rules: str

    def current(self) -> RuleSet:
        return rule_set_of(document(self.rules, name="own"))


class Choosy(MemoryPublisher):
    """A publisher that takes the first alert, refuses the second for good, and has no time for the others."""

    def publish(self, alerts: Sequence[Alert], deadline: float) -> Published[Alert]:
        self.alerts += alerts
        return Published(sent=len(alerts[:1]), refused=list(alerts[1:2]), failed=list(alerts[2:]))


class Unwritable(MemoryOutbox):
    """An outbox that keeps what waits, and nothing that was refused."""

    def set_aside(self, messages: Sequence[Message]) -> None:
        raise OutboxError("outbox/refused/ could not be written")


def item(**changes: Any) -> dict[str, Any]:
    """A pod with the node's network being created, as kube-apiserver tells it."""
    return {
        "level": "Request",
        "auditID": "a-1",
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/shop/pods",
        "verb": "create",
        "user": {"username": "ann"},
        "objectRef": {"resource": "pods", "namespace": "shop", "name": "web", "apiVersion": "v1"},
        "requestObject": {"spec": {"hostNetwork": True}},
        "stageTimestamp": "2026-11-21T22:05:00.000001Z",
        **changes,
    }


def event_list(*items: object) -> bytes:
    return json.dumps({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": items}).encode()


def account(answer: Answer) -> Account:
    assert answer.account is not None
    return answer.account


def test_a_batch_is_archived_alerted_and_answered_with_an_empty_200() -> None:
    road = Road()

    answer = road.post(event_list(item(), item(verb="get", auditID="a-2"), item(verb="delete", auditID="a-3")))

    assert (answer.status, answer.body) == (200, "")
    counted = account(answer)
    assert (counted.received, counted.archived, counted.alerted) == (3, 2, 1)
    assert counted.ignored == {"no_rule": 1}
    assert counted.alerts == {"alerting-rule.CreateHostnetworkPod": 1}
    assert [line["auditID"] for line in road.lines()] == ["a-1", "a-3"]
    assert [alert.labels["alertname"] for alert in road.publisher.alerts] == ["CreateHostnetworkPod"]


def test_an_archived_line_is_the_event_and_where_it_comes_from() -> None:
    road = Road()
    sent = item(requestObject={"spec": {"hostNetwork": True}, "n": 12345678901234567890, "f": 1.10}, extra={"kept": 1})
    counted = account(road.post(event_list(sent)))

    (line,) = road.lines()
    about = line.pop("_auditwire")

    assert line.pop("cluster") == "prod"
    assert line == sent
    assert about == {
        "received": "2026-11-21T22:06:00.000000Z",
        "batch": counted.objects[0].rpartition("-")[2].removesuffix(".jsonl.gz"),
        "bundle": counted.bundle,
        "archiving": ["archiving-rule.archiving"],
        "alerting": ["alerting-rule.ResourceChange", "alerting-rule.CreateHostnetworkPod"],
    }
    prefix = "events/cluster=prod/date=2026-11-21/hour=22/20261121T220500.000001Z-"
    assert counted.objects == [f"{prefix}{about['batch']}.jsonl.gz"]


def test_a_batch_over_two_hours_becomes_two_objects() -> None:
    road = Road()
    late = item(auditID="a-2", stageTimestamp="2026-11-21T23:00:00.000000Z")

    counted = account(road.post(event_list(late, item())))

    assert [key.split("/")[3] for key in counted.objects] == ["hour=22", "hour=23"]


def test_a_repeated_batch_changes_no_object_and_no_alert() -> None:
    road = Road()
    first = account(road.post(event_list(item())))
    objects = dict(road.archive.objects)

    again = account(road.post(event_list(item()), received=datetime(2026, 11, 21, 22, 9, tzinfo=UTC)))

    assert road.archive.objects == objects
    assert (first.stored_before, again.stored_before) == (False, True)
    assert road.publisher.alerts[0] == road.publisher.alerts[1]


def test_a_bad_item_in_the_middle_costs_its_neighbours_nothing() -> None:
    road = Road()

    counted = account(road.post(event_list(item(), {"level": 5}, item(auditID="a-3"))))

    assert (counted.received, counted.archived, counted.quarantined.total()) == (3, 2, 1)
    assert road.quarantined() == [b'{"level": 5}']


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not json", "invalid_json"),
        (event_list(item())[:-20], "truncated"),
        (event_list(item()).replace(b"true", b"NaN"), "invalid_json"),
        (event_list(item()).replace(b"ann", b"\xff\xfe"), "invalid_utf8"),
        (event_list(item()).replace(b"ann", b"\\ud800"), "invalid_json"),
    ],
    ids=["not JSON", "half a list", "NaN", "bad UTF-8", "lone surrogate"],
)
def test_a_body_that_cannot_be_read_is_kept_as_it_came_and_answered_with_200(body: bytes, reason: str) -> None:
    road = Road()

    answer = road.post(body)

    assert answer.status == 200
    assert account(answer).received == 1
    assert account(answer).quarantined == {reason: 1}
    assert road.quarantined() == [body]
    assert road.lines() == []


def test_an_item_nested_too_deep_is_put_aside_alone() -> None:
    road = Road()
    deep = b'{"requestObject":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    body = event_list(item(), 0, item(auditID="a-2")).replace(b" 0,", b" " + deep + b",")

    counted = account(road.post(body))

    assert (counted.archived, counted.quarantined) == (2, {"too_deep": 1})
    assert road.quarantined() == [deep]


def test_a_gzip_body_is_inflated_and_its_repeat_is_the_same_batch() -> None:
    road = Road()
    plain = event_list(item())

    counted = account(road.post(gzip.compress(plain), content_encoding="gzip"))

    assert counted.archived == 1
    assert account(road.post(plain)).objects == counted.objects


def test_a_gzip_bomb_is_put_aside_uninflated() -> None:
    road = Road()
    bomb = gzip.compress(b"[" + b" " * (65 << 20))

    counted = account(road.post(bomb, content_encoding="gzip"))

    assert counted.quarantined == {"too_large": 1}
    assert road.quarantined() == [bomb]


def padded(**changes: Any) -> str:
    """The text of an event whose object somebody padded until it was cut."""
    sent = item(**changes)
    sent["requestObject"] = {"spec": {"hostNetwork": True}, "metadata": {"annotations": {"x": "y" * 500}}}
    sent["stageTimestamp"] = sent.pop("stageTimestamp")  # behind the bodies, as kube-apiserver writes it
    return json.dumps(sent, separators=(",", ":"))[:-200] + "[Truncated...]"


def test_an_event_that_was_cut_off_is_archived_and_its_text_kept_beside_it() -> None:
    road = Road()
    text = padded()

    counted = account(road.post(json.dumps(cloudwatch([text])).encode()))

    assert (counted.received, counted.archived, counted.quarantined) == (1, 1, {})
    (line,) = road.lines()
    assert line["_auditwire"]["flags"] == ["cut_off", "cluster_differs"]
    assert line["_auditwire"]["reportedCluster"] == "prod-1"
    assert (line["verb"], line["stageTimestamp"]) == ("create", "2026-11-21T22:05:00.004000Z")
    assert road.quarantined() == [text.encode()]
    (key,) = [key for key in road.archive.objects if key.startswith("quarantine/")]
    assert road.archive.metadata[key]["reason"] == "truncated"
    event = {name: line[name] for name in line if name not in ("_auditwire", "cluster", "stageTimestamp")}
    digest = hashlib.sha256(json.dumps(event, separators=(",", ":")).encode()).hexdigest()
    assert road.archive.metadata[key]["salvaged"] == digest
    assert not [alert for alert in road.publisher.alerts if alert.labels["alertname"] == "auditwire.BodiesQuarantined"]


def test_the_texts_of_many_cut_events_are_kept_together() -> None:
    road = Road()
    texts = [padded(auditID=f"a-{number}") for number in range(30)]

    counted = account(road.post(json.dumps(cloudwatch(texts)).encode()))

    assert (counted.archived, counted.quarantined) == (30, {})
    (kept,) = road.quarantined()
    assert kept.split(b"\n") == [text.encode() for text in texts]


def test_an_event_cut_off_before_its_verb_always_alerts() -> None:
    road = Road()
    long = json.dumps(item(requestURI="/api/v1/pods?" + "x" * 20_000))[:16_000]
    body = json.dumps(
        {"records": [azure(long), azure(json.dumps(item(verb="get")) + "\n", time="2026-11-21T22:05:01Z")]}
    )

    counted = account(road.post(body.encode()))

    assert counted.quarantined == {"cut_before_verb": 1}
    (alert,) = road.publisher.alerts
    assert (alert.labels["alertname"], alert.labels["cluster"]) == ("auditwire.BodyMissing", "prod")
    assert alert.annotations["audit_ids"] == "a-1"
    assert alert.annotations["request_uris"].startswith("/api/v1/pods?xxx")
    assert alert.annotations["first_logged"] == "2026-11-21T22:05:00.004276Z"


def test_what_is_no_audit_event_is_counted_beside_what_was_received() -> None:
    road = Road()
    klog = "I1122 10:00:00.000000      10 controller.go:611] quota admission"
    body = json.dumps(
        [cloudwatch([klog]), cloudwatch([json.dumps(item())], stream="kube-scheduler-1"), control_message(), item()]
    )

    counted = account(road.post(body.encode()))

    assert (counted.received, counted.archived, counted.empty) == (1, 1, False)
    assert counted.skipped == {"log_text": 1, "forged_source": 1, "control_message": 1}
    assert (counted.metrics()["ItemsSkipped"], counted.metrics()["ForgedSources"]) == (3, 1)
    assert road.quarantined() == []


def test_a_body_of_nothing_but_other_things_is_not_empty_and_stores_nothing() -> None:
    road = Road()

    counted = account(road.post(json.dumps(control_message()).encode()))

    assert (counted.received, counted.empty, road.archive.objects) == (0, False, {})


@pytest.mark.parametrize(
    ("body", "reason", "advice"),
    [
        (event_list(*[5] * 10_001), "too_many_items", "--audit-webhook-batch-max-size"),
        (b"[" + b" " * (33 << 20) + b"]", "too_large", "--audit-webhook-truncate-max-event-size"),
        (gzip.compress(event_list(item())).decode("utf-8", "replace").encode(), "gzip_as_text", "json_lines"),
    ],
)
def test_the_alert_about_a_body_nobody_can_read_names_the_setting_of_the_sender(
    body: bytes, reason: str, advice: str
) -> None:
    road = Road()

    counted = account(road.post(body))

    assert counted.quarantined == {reason: 1}
    (alert,) = road.publisher.alerts
    assert alert.labels["reason"] == reason
    assert advice in alert.annotations["advice"]


@pytest.mark.parametrize("body", [b"", b"  ", b"null", b"{}", b"[]", event_list(), b'{"Items":null}'])
def test_a_body_of_nothing_is_answered_with_200_and_stores_nothing(body: bytes) -> None:
    road = Road()

    answer = road.post(body)

    assert answer.status == 200
    assert account(answer).empty
    assert road.archive.objects == {}


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x"])
def test_a_credential_that_does_not_hold_is_answered_with_401_and_nothing_is_read(token: str | None) -> None:
    road = Road()

    answer = road.post(b"\x00 not even read", token=token)

    assert answer == Answer(401)
    assert road.archive.objects == {}


def test_the_cluster_is_the_credentials_whatever_the_body_says() -> None:
    road = Road()

    counted = account(road.post(event_list(item(cluster="other"))))

    (line,) = road.lines()
    assert line["cluster"] == "prod"
    assert line["_auditwire"]["reportedCluster"] == "other"
    assert counted.flags == {"cluster_differs": 1}
    assert counted.metrics()["ReportedClusterDiffers"] == 1


def test_secrets_never_reach_the_archive_or_an_alert() -> None:
    road = Road()
    secret = {"resource": "secrets", "namespace": "shop", "name": "db"}
    body = {"kind": "Secret", "data": {"password": "aHVudGVyMg=="}, "metadata": {"name": "db"}}

    road.post(event_list(item(objectRef=secret, requestObject=body)))

    assert b"aHVudGVyMg" not in b"".join(gzip.decompress(value) for value in road.archive.objects.values())
    assert "requestObject" not in road.lines()[0]


def test_tokens_are_redacted_where_the_policy_keeps_bodies() -> None:
    road = Road()
    review = {"resource": "tokenreviews", "apiGroup": "authentication.k8s.io"}
    body = {"kind": "TokenReview", "spec": {"token": "aHVudGVyMg=="}}

    road.post(event_list(item(level="Request", verb="create", objectRef=review, requestObject=body)))

    (line,) = road.lines()
    assert line["requestObject"]["spec"] == {"token": "[REDACTED]"}
    assert line["_auditwire"]["flags"] == ["redacted"]


def test_nothing_is_answered_with_200_that_is_not_stored() -> None:
    for body in (event_list(item()), b"not json"):
        answer = Road(archive=FullDisk()).post(body)

        assert answer.status == 503
        assert "could not be stored" in answer.error


def test_a_batch_that_cannot_be_stored_is_received_and_counted_as_not_stored() -> None:
    answer = Road(archive=FullDisk()).post(event_list(item(), item(auditID="two"), {"level": 1}))

    assert account(answer).metrics() == {"EventsReceived": 3, "EventsNotStored": 3}


@pytest.mark.parametrize("items", [(), (item(),), (item(), {"level": 1}), (item(verb="list"), 7, item())])
def test_every_event_received_is_counted_once_more(items: tuple[Any, ...]) -> None:
    counted = account(Road().post(event_list(*items))).metrics()

    parts = ("EventsIgnored", "EventsArchived", "EventsQuarantined", "EventsNotStored")
    assert counted["EventsReceived"] == sum(counted.get(name, 0) for name in parts)
    assert all(count for name, count in counted.items() if name != "EventsReceived")


def test_alerts_are_published_only_after_their_evidence_is_stored() -> None:
    road = Road(archive=FullDisk())

    road.post(event_list(item()))

    assert road.publisher.alerts == []


def own_alerts(road: Road) -> list[tuple[str, str]]:
    """What is told about batches themselves: which alert, and its message."""
    alerts = [alert for alert in road.publisher.alerts if alert.rule.startswith("auditwire.")]
    return [(alert.labels["alertname"], alert.annotations["message"]) for alert in alerts]


def test_what_is_put_in_quarantine_is_told_of_after_the_alerts_of_the_batch() -> None:
    road = Road()

    counted = account(road.post(event_list({"level": 5}, item(), 5, {"level": 6})))

    first, *own = road.publisher.alerts
    assert first.labels["alertname"] == "CreateHostnetworkPod"
    assert own_alerts(road) == [
        ("auditwire.BodiesQuarantined", "2 items of a body of cluster prod are in quarantine: missing_field."),
        ("auditwire.BodiesQuarantined", "1 item of a body of cluster prod is in quarantine: not_an_object."),
    ]
    assert [alert.labels["reason"] for alert in own] == ["missing_field", "not_an_object"]
    keys = {key for alert in own for key in alert.annotations["quarantine_keys"].split(", ")}
    assert keys == {key for key in road.archive.objects if key.startswith("quarantine/")}
    assert {alert.annotations["runbook_url"] for alert in own} == {"docs/runbooks.md#auditwirebodiesquarantined"}
    assert (counted.alerted, counted.published) == (1, 3), "events are alerted, alerts are published"


def test_a_batch_with_hundreds_of_bad_items_is_answered_as_soon_as_any() -> None:
    road = Road()

    counted = account(road.post(event_list(item(), *({"level": number} for number in range(400)))))

    assert (counted.received, counted.archived, counted.quarantined) == (401, 1, {"missing_field": 400})
    [together] = road.quarantined()
    assert together.count(b"\n") == 399
    assert own_alerts(road) == [("auditwire.BodiesQuarantined", "1 body of cluster prod is in quarantine: many_items.")]


def test_a_body_that_comes_again_gives_the_same_alert_and_is_held_once() -> None:
    outbox = MemoryOutbox()
    road = Road(publisher=NoTopic(), outbox=outbox)
    for minute in (6, 9):
        assert road.post(b"not json", received=datetime(2026, 11, 21, 22, minute, tzinfo=UTC)).status == 200

    first, again = road.publisher.alerts
    assert first == again
    assert len(outbox.objects) == 1


REPLICAS = GivenRules("  - {name: Many, type: rule, priority: WARNING, condition: 'RequestObject.spec.replicas > 5'}")


def test_a_rule_that_cannot_judge_is_told_of_and_the_others_decide() -> None:
    road = Road(rules=REPLICAS)
    many = item(requestObject={"spec": {"replicas": 9}})
    odd = [item(auditID=f"b-{number}", requestObject={"spec": {"replicas": "lots"}}) for number in range(3)]

    counted = account(road.post(event_list(many, *odd)))

    assert counted.evaluation_errors == {"own.Many": 3}
    assert (counted.archived, counted.ignored.total(), counted.alerted, counted.published) == (1, 3, 1, 2)
    own = road.publisher.alerts[1]
    assert own_alerts(road) == [
        ("auditwire.EvaluationErrors", "Rule own.Many could not judge 3 events of cluster prod, so did not match them.")
    ]
    assert (own.labels["rule"], own.labels["document"], own.labels["cluster"]) == ("Many", "own", "prod")
    assert "lots" not in str(own)


def test_a_batch_gives_at_most_500_alerts_those_about_itself_included() -> None:
    road = Road(rules=GivenRules("  - {name: All, type: rule, priority: WARNING, condition: 'Verb = \"create\"'}"))
    events = [item(auditID=f"c-{number}", user={"username": f"u-{number}"}) for number in range(600)]

    counted = account(road.post(event_list(*events, 5, {"level": 5})))

    assert (counted.published, counted.alerted) == (500, 600)
    *_, folded, one, two = road.publisher.alerts
    assert folded.labels["alertname"] == "auditwire.AlertsFolded"
    assert folded.annotations["runbook_url"] == "docs/runbooks.md#auditwirealertsfolded"
    assert folded.count == 600 - 497
    assert one.labels["alertname"] == two.labels["alertname"] == "auditwire.BodiesQuarantined"


def three() -> bytes:
    return event_list(*(item(auditID=name, user={"username": name}) for name in ("ann", "bob", "cid")))


def test_alerts_that_sns_does_not_take_in_time_are_kept_and_answered_with_200() -> None:
    outbox, topic = MemoryOutbox(), NoTopic()
    road = Road(publisher=topic, outbox=outbox)

    answer = road.post(three())

    assert (answer.status, answer.error) == (200, "")
    counted = account(answer)
    assert (counted.published, counted.outboxed, counted.unpublished) == (0, 3, 0)
    assert counted.metrics()["AlertsOutboxed"] == 3
    ((key, contents),) = outbox.objects.items()
    assert re.fullmatch(r"outbox/[0-9a-f]{64}\.jsonl\.gz", key)
    assert contents.messages == tuple(message_of(alert) for alert in topic.alerts)
    # There must be time for the outbox before the sender hangs up.
    assert topic.deadlines == [RECEIVED.timestamp() + 1.2]


def test_a_repeated_batch_finds_its_alerts_in_the_outbox() -> None:
    outbox = MemoryOutbox()
    road = Road(publisher=NoTopic(), outbox=outbox)
    road.post(three())
    kept = dict(outbox.objects)

    again = road.post(three(), received=datetime(2026, 11, 21, 22, 9, tzinfo=UTC))

    assert again.status == 200
    assert outbox.objects == kept
    # What went into the outbox once comes out of it once.
    assert (account(again).outboxed, account(again).unpublished) == (0, 0)


def test_only_what_sns_did_not_take_is_kept_and_what_it_refused_lies_aside() -> None:
    outbox, topic = MemoryOutbox(), Choosy()

    answer = Road(publisher=topic, outbox=outbox).post(three())

    assert answer.status == 200
    counted = account(answer)
    assert (counted.published, counted.refused, counted.outboxed, counted.unpublished) == (1, 1, 1, 0)
    messages = {key.rpartition("/")[0]: contents.messages for key, contents in outbox.objects.items()}
    _, refused, failed = (message_of(alert) for alert in topic.alerts)
    assert messages == {"outbox": (failed,), "outbox/refused": (refused,)}


@pytest.mark.parametrize(("publisher", "sent", "unpublished"), [(NoTopic(), 0, 3), (Choosy(), 1, 1)])
def test_alerts_that_nobody_took_ask_the_sender_to_come_again(
    publisher: MemoryPublisher, sent: int, unpublished: int
) -> None:
    road = Road(publisher=publisher, outbox=NoOutbox())

    answer = road.post(three())

    assert answer.status == 503
    assert answer.error == f"SNS took {sent} of 3 alerts in time, and there is no outbox for {unpublished} alerts"
    assert account(answer).unpublished == unpublished
    assert len(road.lines()) == 3


def test_a_refused_alert_that_cannot_be_kept_is_no_200_either() -> None:
    answer = Road(publisher=Choosy(), outbox=Unwritable()).post(three())

    assert answer.status == 503
    assert (account(answer).outboxed, account(answer).unpublished) == (1, 0)


def test_a_table_that_cannot_be_read_says_nothing_about_the_sender() -> None:
    answer = Road(directory=NoTable()).post(event_list(item()))

    assert answer.status == 503
    assert answer.account is None


def test_the_health_check_says_nothing_but_ok() -> None:
    answer = Ingest(NoTable(), DefaultRules(), FullDisk(), NoTopic()).handle(  # type: ignore[arg-type]
        Request("GET", "/healthz", {}, b"", RECEIVED)
    )

    assert answer == Answer(200, body="ok")


def test_the_log_fields_are_plain_values() -> None:
    fields = account(Road().post(event_list(item(), 5))).log_fields()

    assert json.loads(json.dumps(fields)) == fields
    assert fields["quarantined"] == {"not_an_object": 1}
    assert TOKEN not in json.dumps(fields)


def test_a_request_is_taken_out_of_an_api_gateway_event() -> None:
    event = {
        "rawPath": "/audit/webhook/event/",
        "headers": {"content-type": "application/gzip"},
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": 1_795_300_000_123},
        "body": "H4sI",
        "isBase64Encoded": True,
    }

    request = Request.from_event(event)

    assert "body" not in event
    assert request.body == b"\x1f\x8b\x08"
    assert request.received.isoformat() == "2026-11-21T22:26:40.123000+00:00"
    assert request.path == "/audit/webhook/event/"


def test_the_use_of_a_credential_is_noted_after_the_answer_is_known_and_only_stored_events_are_counted() -> None:
    directory = OneCluster(failures=2)
    road = Road(directory=directory)
    body = event_list(item(), item(auditID="a-2"), {"no": "event"})

    taken = road.post(body, user_agent="Go-http-client/2.0")
    refused = Road(archive=FullDisk(), directory=directory).post(body)
    unknown = road.post(body, token="another")

    assert (taken.status, refused.status, unknown.status) == (200, 503, 401)
    credential = Credential(credential_digest(TOKEN))
    # As long as the sender waits: one that finds a cold environment each time must not be taken for silent.
    latest = RECEIVED.timestamp() + DEADLINE_SECONDS
    assert directory.uses == [
        (credential, 3, SentBy("Go-http-client/2.0", ""), latest),
        (credential, 0, SentBy("", ""), latest),
    ]
    assert account(taken).last_use_failures == account(taken).metrics()["LastUseFailures"] == 2


@pytest.mark.parametrize(
    ("authentication", "certificate"),
    [
        pytest.param({}, None, id="no mutual TLS"),
        pytest.param({"authentication": None}, None, id="asked for none"),
        pytest.param({"authentication": {"clientCert": {"clientCertPem": "PEM"}}}, "PEM", id="a certificate"),
        pytest.param({"authentication": {"clientCert": {}}}, "", id="one that cannot be read, so none that could hold"),
    ],
)
def test_the_client_certificate_is_what_api_gateway_verified(
    authentication: dict[str, Any], certificate: str | None
) -> None:
    context = {"http": {"method": "POST"}, "timeEpoch": 0, **authentication}
    assert Request.from_event({"requestContext": context}).certificate == certificate
