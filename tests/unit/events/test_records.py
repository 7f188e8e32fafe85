"""Events as tables and stores give them back, and numbers as shippers write them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from audit_events import as_kubesphere, event_list, item, text_of
from auditwire.events import Event, Flag, decode, encode_line


def only(value: Any) -> Event:
    decoded = decode(value if isinstance(value, bytes) else text_of(value))
    assert decoded.rejects == []
    (event,) = decoded.events
    return event


# --- the verb


@pytest.mark.parametrize(
    "shape", [text_of, lambda one: event_list([text_of(one)]), lambda one: text_of(as_kubesphere(one))]
)
def test_a_request_whose_method_has_no_verb_is_an_event(shape: Callable[[Any], bytes]) -> None:
    assert only(shape(item(verb=""))).verb == ""


@pytest.mark.parametrize("change", [{"verb": None}, {"VERB": None}])
def test_an_event_that_says_nothing_of_its_verb_is_none(change: dict[str, Any]) -> None:
    event = item()
    del event["verb"]

    assert [reject.reason for reject in decode(text_of(event | change)).rejects] == ["missing_field"]


# --- numbers


@pytest.mark.parametrize(
    ("number", "code"),
    [("101.0", 101), ("2e2", 200), ("2E+2", 200), ("20100e-2", 201), ("404.000", 404), ("-0.0", 0), ("5.03e2", 503)],
)
@pytest.mark.parametrize("spell", [lambda one: one, as_kubesphere])
def test_a_number_is_an_integer_where_its_value_is(number: str, code: int, spell: Callable[[Any], Any]) -> None:
    text = text_of(spell(item(responseStatus={"metadata": {}, "code": 9991}))).replace(b"9991", number.encode())

    event = only(event_list([text]))

    assert event.responseStatus is not None
    assert event.responseStatus.code == code
    assert json.loads(encode_line(event, {}))["responseStatus"]["code"] == code


@pytest.mark.parametrize("number", ["200.5", "1e999", "-1e999", "1e30", '"200"', "true", "2" * 40, "1e-400000000"])
def test_any_other_number_is_no_code(number: str) -> None:
    text = text_of(item(responseStatus={"code": 9991})).replace(b"9991", number.encode())

    decoded = decode(text)

    if number == "1e-400000000":
        (event,) = decoded.events
        assert event.responseStatus is not None
        assert event.responseStatus.code == 0  # so small that no double is smaller
    else:
        assert [reject.reason for reject in decoded.rejects] == ["wrong_type"]


# --- v1alpha1


@pytest.mark.parametrize(
    ("version", "group", "split"),
    [
        ("rbac.authorization.k8s.io/v1beta1", "", ("rbac.authorization.k8s.io", "v1beta1")),
        ("apps/v1", "apps", ("apps", "v1")),
        ("/v1", "", ("", "v1")),
        ("v1", "apps", ("apps", "v1")),
    ],
)
@pytest.mark.parametrize("spell", [lambda one: one, as_kubesphere])
def test_a_group_before_the_version_is_the_group(
    version: str, group: str, split: tuple[str, str], spell: Callable[[Any], Any]
) -> None:
    sent = item(objectRef={"resource": "roles", "name": "r", "apiVersion": version, "apiGroup": group})

    event = only(event_list([text_of(spell(sent))]))

    assert (event.objectRef.apiGroup, event.objectRef.apiVersion) == split
    assert (event.objectRef.resource, event.objectRef.name) == ("roles", "r")
    line = json.loads(encode_line(event, {}))
    assert (line["objectRef"].get("apiGroup", ""), line["objectRef"]["apiVersion"]) == split


# --- KubeSphere in Elasticsearch


def record(**changes: Any) -> dict[str, Any]:
    return {
        "AuditID": "k-1", "Level": "RequestResponse", "Stage": "ResponseComplete", "Verb": "patch", "Workspace": "demo",
        "User": {"Username": "u", "Groups": "system:serviceaccounts,system:authenticated"}, "SourceIPs": "192.0.2.7",
        "ObjectRef": {"Resource": "pods", "Namespace": "shop", "Name": "web"}, "RequestURI": "/x", "ResponseStatus":
        {"code": 404, "metadata": {}}, "RequestObject": "", "ResponseObject": '{"kind":"Status","a":"b, c"}',
        "StageTimestamp": "2026-11-28T10:00:00.000000Z", "RequestReceivedTimestamp": "2026-11-28T10:00:00.000000Z",
    } | changes  # fmt: skip


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: {"_index": "ks", "_source": one}, lambda one: [one]])
def test_a_record_of_elasticsearch_is_read(wrap: Callable[[Any], Any]) -> None:
    event = only(wrap(record()))

    assert (event.auditID, event.verb, event.workspace, event.sender) == ("k-1", "patch", "demo", "kubesphere")
    assert event.user.groups == ["system:serviceaccounts", "system:authenticated"]
    assert event.sourceIPs == ["192.0.2.7"]
    assert event.requestObject is None
    assert event.responseBody == {"kind": "Status", "a": "b, c"}
    assert event.flags == (Flag.CONVERTED,)
    line = json.loads(encode_line(event, {}))
    assert line["sourceIPs"] == ["192.0.2.7"]
    assert line["user"]["groups"] == ["system:serviceaccounts", "system:authenticated"]
    assert line["responseObject"] == {"kind": "Status", "a": "b, c"}
    assert "requestObject" not in line


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"SourceIPs": "192.0.2.7, 198.51.100.1"}, {"sourceIPs": ["192.0.2.7", "198.51.100.1"]}), ({"SourceIPs": ""},
        {"sourceIPs": None}), ({"User": '{"username":"u","groups":["a,b"]}'}, {"user": {"username": "u", "groups":
        ["a,b"]}}), ({"User": {"Username": "u", "Extra": {"scopes": "a,b"}}}, {"user": {"username": "u", "extra":
        {"scopes": ["a", "b"]}}}), ({"Annotations": ""}, {"annotations": None}), ({"Annotations": '{"a":"b"}'},
        {"annotations": {"a": "b"}}), ({"RequestObject": "no JSON, 5"}, {"requestObject": "no JSON, 5"}),
        ({"RequestObject": "[1, 2]"}, {"requestObject": [1, 2]}),
    ],
)  # fmt: skip
def test_texts_in_a_record_are_what_they_hold(change: dict[str, Any], expected: dict[str, Any]) -> None:
    line = json.loads(encode_line(only(record(**change)), {}))

    assert {key: line.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    "value",
    [record(User="alice"), record(ObjectRef=5), record(ResponseStatus={"code": "x"}), item(sourceIPs="192.0.2.7"),
     item(user={"groups": "a,b"})],
)  # fmt: skip
def test_what_is_no_such_record_stays_a_bad_item(value: dict[str, Any]) -> None:
    assert [reject.reason for reject in decode(text_of(value)).rejects] == ["wrong_type"]


# --- AKS' tables


def row(**changes: Any) -> dict[str, Any]:
    return {
        "TenantId": "t", "TimeGenerated": "2026-11-21T22:05:01.1Z", "Level": "RequestResponse", "AuditId": "one",
        "Stage": "ResponseComplete", "RequestUri": "/api/v1/namespaces/shop/pods/web", "Verb": "create", "User":
        {"username": "masterclient", "groups": ["system:masters"]}, "SourceIps": ["198.51.100.209", "192.0.2.37"],
        "UserAgent": "kubectl/v1.35.0", "ObjectRef": {"resource": "pods", "namespace": "shop", "name": "web"},
        "ResponseStatus": {"metadata": {}, "code": 201}, "RequestObject": {"kind": "Pod"}, "ResponseObject": "",
        "RequestReceivedTime": "2026-11-21T22:05:00.1Z", "StageReceivedTime": "2026-11-21T22:05:00.2Z", "Annotations":
        {"a": "b"}, "PodName": "kube-apiserver-869d7bb754-kkg69", "Type": "AKSAudit", "_ResourceId":
        "/SUBSCRIPTIONS/S/MANAGEDCLUSTERS/PROD-1",
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    "dynamic", [lambda value: value, lambda value: json.dumps(value) if isinstance(value, dict | list) else value]
)
def test_a_row_of_the_workspace_is_read(dynamic: Callable[[Any], Any]) -> None:
    event = only({key: dynamic(value) for key, value in row().items()})

    assert (event.auditID, event.verb, event.user.username) == ("one", "create", "masterclient")
    assert event.sourceIPs == ["198.51.100.209", "192.0.2.37"]
    assert (event.objectRef.name, event.requestBody, event.responseObject) == ("web", {"kind": "Pod"}, None)
    assert (event.requestReceivedTimestamp, event.stageTimestamp) == (
        "2026-11-21T22:05:00.1Z",
        "2026-11-21T22:05:00.2Z",
    )
    assert event.annotations == {"a": "b"}
    assert event.reportedCluster == "/subscriptions/s/managedclusters/prod-1"
    assert event.flags == (Flag.CONVERTED,)


def test_a_row_without_a_level_has_that_of_its_bodies() -> None:
    without = {key: value for key, value in row().items() if key != "Level"}

    assert only(without).level == "Request"
    assert only(without | {"ResponseObject": {"a": 1}}).level == "RequestResponse"
    assert only(without | {"RequestObject": ""}).level == "Metadata"


def test_a_row_of_another_pod_is_skipped() -> None:
    assert dict(decode(text_of(row(PodName="web-1"))).skipped) == {"forged_source": 1}


# --- OpenShift


@pytest.mark.parametrize("name", ["k8s_audit_level", "openshift_audit_level"])
def test_the_level_that_a_collector_wrote_over_is_the_one_it_kept(name: str) -> None:
    event = only(item(level="default", **{name: "Request"}))

    assert event.level == "Request"
    assert json.loads(encode_line(event, {}))["level"] == "Request"
    assert only(item(level="default", **{name: "info"})).level == "default"
    assert only(item(level="Metadata", **{name: "Request"})).level == "Metadata"


def test_a_code_that_a_store_gives_back_as_a_text_is_a_number_in_records_alone() -> None:
    record = as_kubesphere(item(auditID="one", responseStatus={"code": 403})) | {"SourceIPs": "192.0.2.1,192.0.2.2"}
    name = next(key for key in record if key.lower() == "responsestatus")
    record[name] = {"code": "403"}

    event = only({"_index": "ks-logstash-auditing-2026.11.28", "_source": record})

    assert event.responseStatus is not None
    assert (event.responseStatus.code, event.sourceIPs) == (403, ["192.0.2.1", "192.0.2.2"])
    (reject,) = decode(text_of(item(responseStatus={"code": "403"}))).rejects
    assert reject.reason == "wrong_type"
