"""What clouds and collectors put around events is opened, layer by layer; what else is in it is counted by its
reason."""

import gzip
import hashlib
import json
from collections.abc import Callable

import pytest

import envelopes as made
from audit_events import item, text_of
from auditwire.events import Event, decode
from auditwire.events.bounds import MAX_LAYERS

FIRST = text_of({"kind": "Event", "apiVersion": "audit.k8s.io/v1", **item(auditID="one", userAgent='a "b" \\ é ☃')})
SECOND = text_of({"kind": "Event", "apiVersion": "audit.k8s.io/v1", **item(auditID="two", verb="delete")})
TEXTS = [FIRST.decode(), SECOND.decode()]
LINES = b"".join(text + b"\n" for text in (FIRST, SECOND))
AS_TEXT = made.text_of


def lines_of(wrapped: list[object]) -> bytes:
    return b"\n".join(map(AS_TEXT, wrapped))


ENVELOPES: dict[str, bytes] = {
    "CloudWatch Logs": AS_TEXT(made.cloudwatch(TEXTS)),
    "CloudWatch Logs, a function's event": AS_TEXT(made.awslogs(made.cloudwatch(TEXTS))),
    "CloudWatch Logs, one document after the other": AS_TEXT(made.cloudwatch(TEXTS[:1]))
    + AS_TEXT(made.cloudwatch(TEXTS[1:])),
    "CloudWatch Logs, gzipped without a header": gzip.compress(AS_TEXT(made.cloudwatch(TEXTS[:1])))
    + gzip.compress(AS_TEXT(made.cloudwatch(TEXTS[1:]))),
    "Firehose with CloudWatch Logs": AS_TEXT(made.firehose([gzip.compress(AS_TEXT(made.cloudwatch(TEXTS)), mtime=0)])),
    "Firehose with lines": AS_TEXT(made.firehose([FIRST + b"\n", SECOND + b"\n"])),
    "Firehose with lines in one record": AS_TEXT(made.firehose([LINES])),
    "Kinesis": AS_TEXT(made.kinesis([gzip.compress(AS_TEXT(made.cloudwatch(TEXTS)))])),
    "Pub/Sub": AS_TEXT(made.push(LINES)),
    "Azure, an Event Hub's message": AS_TEXT({"records": [made.azure(text + "\n") for text in TEXTS]}),
    "Azure, an array of messages": AS_TEXT([{"records": [made.azure(text + "\n")]} for text in TEXTS]),
    "Azure, an array of messages as texts": AS_TEXT(
        [json.dumps({"records": [made.azure(text + "\n")]}) for text in TEXTS]
    ),
    "Azure, a line a record": lines_of([made.azure(text + "\n") for text in TEXTS]),
    "Azure, without a line end": lines_of([made.azure(text) for text in TEXTS]),
    "Azure, properties as text": lines_of(
        [made.azure("", properties=json.dumps({"log": text + "\n", "pod": "kube-apiserver-1"})) for text in TEXTS]
    ),
    "Azure, a table of the workspace": lines_of(
        [{"Category": "kube-audit", "log_s": text, "pod_s": "kube-apiserver-1", "TenantId": "t"} for text in TEXTS]
    ),
    "EventBridge": lines_of(
        [{"version": "0", "detail-type": "audit", "source": "own", "detail": json.loads(text)} for text in TEXTS]
    ),
    "OpenTelemetry": AS_TEXT(made.otlp(TEXTS, k8s_container_name="kube-apiserver")),
    "Loki": AS_TEXT(made.loki(TEXTS, filename="/var/log/kubernetes/audit/audit.log")),
    "Splunk, texts": b"".join(AS_TEXT(made.splunk(text)) for text in TEXTS),
    "Splunk, objects": b"".join(AS_TEXT(made.splunk(json.loads(text))) for text in TEXTS),
    "Elasticsearch, an export": lines_of([made.search_hit(json.loads(text)) for text in TEXTS]),
    "Elasticsearch, an answer": AS_TEXT(
        {"took": 1, "hits": {"total": 2, "hits": [made.search_hit(json.loads(text)) for text in TEXTS]}}
    ),
    "Elasticsearch, wrapped lines": lines_of([made.search_hit({"log": text}) for text in TEXTS]),
    "Docker": lines_of([made.docker(text + "\n") for text in TEXTS]),
    "containerd": "\n".join(made.cri(text) for text in TEXTS).encode(),
    "fluent-bit": AS_TEXT([{"date": 1795910087.87, "log": text} for text in TEXTS]),
    "fluent-bit, containerd unparsed": AS_TEXT([{"date": 1795910087.87, "log": made.cri(text)} for text in TEXTS]),
    "fluent-bit, containerd parsed": lines_of(
        [
            {"date": 1.5, "time": "2026-11-21T22:05:00.1Z", "stream": "stdout", "_p": "F", "log": text}
            | made.kubernetes("kube-apiserver")
            for text in TEXTS
        ]
    ),
    "fluent-bit, its old parser of containerd": lines_of(
        [{"stream": "stdout", "logtag": "F", "message": text} for text in TEXTS]
    ),
    "fluent-bit, no tag and no line end": lines_of(
        [{"date": 1.5, "stream": "stdout", "log": text, **made.kubernetes("kube-apiserver")} for text in TEXTS]
    ),
    "Fluentd": lines_of(
        [
            {
                "log": text + "\n",
                "stream": "stdout",
                "docker": {"container_id": "c"},
                **made.kubernetes("kube-apiserver"),
            }
            for text in TEXTS
        ]
    ),
    "Vector": AS_TEXT(
        [
            {"file": "/var/log/kubernetes/audit/audit.log", "host": "cp-1", "message": text, "source_type": "file"}
            for text in TEXTS
        ]
    ),
    "Logstash": AS_TEXT(
        [
            {
                "message": text,
                "@version": "1",
                "event": {"original": text},
                "host": {"name": "cp-1"},
                "log": {"file": {"path": "/var/log/kubernetes/audit/audit.log"}},
            }
            for text in TEXTS
        ]
    ),
    "a logger with a level of its own": lines_of([{"level": "info", "msg": text, "ts": 1.5} for text in TEXTS]),
    "syslog-ng": lines_of([{"PROGRAM": "kube-apiserver", "MESSAGE": text, "HOST": "cp-1"} for text in TEXTS]),
    "journald": lines_of([{"SYSLOG_IDENTIFIER": "kube-apiserver", "MESSAGE": text, "_PID": "1"} for text in TEXTS]),
    "GELF": lines_of([{"version": "1.1", "host": "cp-1", "short_message": text, "_appID": "kube"} for text in TEXTS]),
    "raw": lines_of([{"_raw": text, "sourcetype": "kube:audit"} for text in TEXTS]),
    "line": lines_of([{"line": json.loads(text)} for text in TEXTS]),
    "texts": AS_TEXT(TEXTS),
    "texts in texts": lines_of([{"message": json.dumps(text)} for text in TEXTS]),
    "syslog in a text": lines_of(
        [{"message": f"<134>1 2026-11-21T22:05:00Z cp-1 kube-apiserver 1 - - {text}"} for text in TEXTS]
    ),
    "five layers": AS_TEXT(
        made.firehose(
            [gzip.compress(AS_TEXT(made.cloudwatch([json.dumps({"log": made.cri(text)}) for text in TEXTS])))]
        )
    ),
}


def read(body: bytes) -> list[Event]:
    decoded = decode(body)
    assert decoded.rejects == []
    assert not decoded.skipped
    return decoded.events


@pytest.mark.parametrize("name", ENVELOPES)
def test_what_is_wrapped_is_the_event_itself_byte_for_byte(name: str) -> None:
    events = read(ENVELOPES[name])

    if name in ("EventBridge", "Splunk, objects", "line") or name.startswith("Elasticsearch, an"):
        assert [json.loads(event.raw) for event in events] == [json.loads(text) for text in TEXTS]
    else:
        assert [event.raw for event in events] == [FIRST, SECOND]
        assert events[0].digest == hashlib.sha256(FIRST).hexdigest() == read(FIRST)[0].digest
    assert [event.auditID for event in events] == ["one", "two"]
    assert all(event.flags == () and not event.edited for event in events)


@pytest.mark.parametrize("name", ENVELOPES)
def test_an_envelope_costs_no_neighbour_and_may_come_twice(name: str) -> None:
    body = ENVELOPES[name]
    if body.startswith(b"\x1f\x8b"):
        assert len(read(body + body)) == 4
    else:
        assert len(read(body + b"\n" + SECOND + b"\n" + body)) == 5


@pytest.mark.parametrize("name", [name for name, body in ENVELOPES.items() if body[:1] in (b"{", b"[")])
def test_the_order_of_keys_does_not_matter(name: str) -> None:
    def turned(value: object) -> object:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(one) for one in value] if isinstance(value, list) else value

    decoder, text, values = json.JSONDecoder(), ENVELOPES[name].decode(), []
    while text:
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:].strip()

    events = read(b"".join(AS_TEXT(turned(value)) for value in values))

    assert [event.auditID for event in events] == ["one", "two"]


@pytest.mark.parametrize(
    ("wrap", "cluster"),
    [
        (lambda text: AS_TEXT(made.cloudwatch([text])), "prod-1"),
        (lambda text: AS_TEXT(made.firehose([gzip.compress(AS_TEXT(made.cloudwatch([text])))])), "prod-1"),
        (lambda text: AS_TEXT(made.azure(text + "\n")), made.RESOURCE.lower()),
        (lambda text: AS_TEXT(made.otlp([text], k8s_cluster_name="prod-1")), "prod-1"),
        (lambda text: AS_TEXT({"log": text}), ""),
    ],
)
def test_the_cluster_that_an_envelope_names_is_kept_as_reported(wrap: Callable[[str], bytes], cluster: str) -> None:
    (event,) = read(wrap(TEXTS[0]))

    assert (event.reportedCluster, event.cluster) == (cluster, "")


def test_two_clusters_in_one_body_are_told_apart() -> None:
    body = AS_TEXT(
        made.firehose(
            [AS_TEXT(made.cloudwatch([TEXTS[0]], group=f"/aws/eks/{name}/cluster")) for name in ("prod-1", "prod-2")]
        )
    )

    assert [event.reportedCluster for event in read(body)] == ["prod-1", "prod-2"]


def test_an_event_without_times_has_that_of_its_envelope() -> None:
    text = json.dumps({key: value for key, value in item().items() if not key.endswith("Timestamp")})

    assert read(AS_TEXT(made.cloudwatch([text])))[0].stageTimestamp == "2026-11-21T22:05:00.004000Z"
    assert read(AS_TEXT(made.azure(text)))[0].stageTimestamp == "2026-11-21T22:05:00.004276Z"
    assert read(AS_TEXT({"@timestamp": "2026-11-21T22:05:00.1Z", "message": text}))[0].stageTimestamp == (
        "2026-11-21T22:05:00.100000Z"
    )
    assert read(AS_TEXT({"date": 1795298700.5, "log": text}))[0].stageTimestamp == "2026-11-21T22:05:00.500000Z"
    assert read(FIRST)[0].stageTimestamp == json.loads(FIRST)["stageTimestamp"]


# --- what is no event

KLOG = "I1122 10:00:00.000000      10 controller.go:611] quota admission added evaluator for: leases"


@pytest.mark.parametrize(
    ("body", "skipped"),
    [
        (made.control_message(), {"control_message": 1}), (made.awslogs(made.control_message()), {"control_message":
        1}), (made.firehose([gzip.compress(AS_TEXT(made.control_message()))] * 2), {"control_message": 2}),
        (made.cloudwatch([KLOG], stream="kube-apiserver-0123"), {"other_component": 1}), (made.cloudwatch([KLOG, KLOG],
        stream="authenticator-0123"), {"other_component": 2}), (made.cloudwatch([KLOG]), {"log_text": 1}),
        (made.cloudwatch([TEXTS[0]], stream="kube-scheduler-0123"), {"forged_source": 1}), (made.azure(KLOG,
        category="kube-apiserver"), {"other_component": 1}), (made.azure(KLOG + "\n", category="cluster-autoscaler",
        pod="cluster-autoscaler-1"), {"other_component": 1}), (made.azure(TEXTS[0], category="guard", pod="guard-1"),
        {"forged_source": 1}), (made.azure(TEXTS[0] + "\n", pod="evil-1"), {"forged_source": 1}),
        (made.log_entry("v1.compute.instances.stop", "x", payload={"serviceName": "compute.googleapis.com"}),
        {"other_service": 1}), (made.push(AS_TEXT(made.log_entry("google.container.v1.ClusterManager.CreateCluster",
        "projects/p",
                                          payload={"serviceName": "container.googleapis.com"}))), {"other_service": 1}),
        ({"log": KLOG}, {"log_text": 1}), ({"message": "", "host": "cp-1"}, {"log_text": 1}), ({"log": made.cri(KLOG,
        stream="stderr")}, {"log_text": 1}), ({"message": '{"ts":1.5,"caller":"a.go:1","msg":"Starting","v":0}'},
        {"log_text": 1}), ({"message": '{"ts":1.5,"v":0}'}, {"log_text": 1}), (made.otlp([KLOG]), {"log_text": 1}),
        (made.loki([KLOG], container="nginx"), {"other_component": 1}), ({"records": []}, {}),
    ],
)  # fmt: skip
def test_what_is_no_audit_event_is_counted_and_not_kept(body: object, skipped: dict[str, int]) -> None:
    decoded = decode(AS_TEXT(body))

    assert (decoded.events, decoded.rejects, dict(decoded.skipped)) == ([], [], skipped)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "package", "version": "1.0.0", "dependencies": {}},
        {"records": [{"name": "package"}]},
        {"resourceLogs": 5},
        {"logEvents": "x", "messageTypo": 1},
    ],
)
def test_an_object_that_is_neither_event_nor_envelope_is_a_bad_item(body: object) -> None:
    decoded = decode(AS_TEXT(body))

    if isinstance(body, dict) and "records" in body:
        assert dict(decoded.skipped) == {"log_text": 1}
    else:
        assert [reject.reason for reject in decoded.rejects] == ["not_an_event"]


# --- bad input


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"awslogs": {"data": "?"}}, "bad_base64"), ({"awslogs": {"data": made.base64_of(gzip.compress(b"{}")[:-4])}},
        "truncated"), ({"awslogs": {"data": made.base64_of(gzip.compress(b"{}", mtime=0)[:-8] + b"sums" + bytes(4))}},
        "bad_gzip"), (made.push(b"\xff\xfe\x00"), "invalid_utf8"), (made.azure(TEXTS[0].replace('"verb":"get"',
        '"verb":5') + "\n"), "wrong_type"), (made.azure(TEXTS[0].replace('"verb":"get",', "") + "\n"), "missing_field"),
        ({"log": TEXTS[0] + "}"}, "invalid_json"), ({"log": '{"kind":"Event","audi'}, "truncated"),
        (made.log_entry("io.k8s.core.v1.pods.create", "core/v1/pods", split={"uid": "1", "index": 0, "totalSplits": 2}),
        "split_entry"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_costs_only_itself(body: object, reason: str) -> None:
    decoded = decode(b"[%b,%b,%b]" % (FIRST, AS_TEXT(body), SECOND))

    assert [event.auditID for event in decoded.events] == ["one", "two"]
    assert [(reject.kind, reject.reason) for reject in decoded.rejects] == [("item", reason)]


def nested(text: str, layers: int) -> object:
    value: object = json.loads(text)
    for _ in range(layers):
        value = {"message": value}
    return value


def test_envelopes_in_envelopes_are_opened_up_to_a_bound() -> None:
    assert [event.auditID for event in read(AS_TEXT(nested(TEXTS[0], MAX_LAYERS)))] == ["one"]
    for layers in (MAX_LAYERS + 1, 100, 10_000):
        body = b'{"message":' * layers + FIRST + b"}" * layers
        decoded = decode(b"[%b,%b]" % (body, SECOND))
        assert [event.auditID for event in decoded.events] == ["two"]
        assert [reject.reason for reject in decoded.rejects] == ["too_deep"]


def test_the_envelopes_of_many_layers_are_opened_up_to_a_bound() -> None:
    body = FIRST
    for _ in range(20):
        body = AS_TEXT(made.firehose([body]))

    decoded = decode(body)

    assert decoded.events == []
    assert [reject.reason for reject in decoded.rejects] == ["too_deep"]


def test_no_event_is_made_from_inside_another_value() -> None:
    inner = {"message": TEXTS[1], "records": [made.azure(TEXTS[1])], "log": TEXTS[1]}
    for key in ("requestObject", "responseObject", "more", "annotations"):
        value = {"x": json.dumps(inner)} if key == "annotations" else inner
        outer = AS_TEXT({**item(auditID="outer"), key: value})
        for body in (outer, AS_TEXT(made.cloudwatch([outer.decode()])), AS_TEXT({"log": outer.decode()})):
            assert [event.auditID for event in read(body)] == ["outer"]
    broken = AS_TEXT({"auditID": "outer", "stage": "Panic", **inner})
    assert [reject.reason for reject in decode(broken).rejects] == ["missing_field"]
