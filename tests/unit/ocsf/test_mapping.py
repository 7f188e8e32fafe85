"""Each attribute comes from what the table says, and what no attribute stands for is in ``unmapped``."""

import json
import re
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from auditwire.ocsf.mapping import TABLE
from auditwire.ocsf.record import columns, record_of

PLACE: Final = "events/cluster=prod/date=2026-11-21/hour=22/x.jsonl.gz#3"
T: Final = "20261121T220000.000000Z"
NOTED: Final = {"received": "2026-11-21T22:05:02.000000Z", "batch": "b", "archiving": ["doc.a"]}
EVENT: Final[dict[str, Any]] = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "RequestResponse",
    "auditID": "a-1",
    "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/shop/pods/web/exec?command=sh",
    "verb": "create",
    "user": {
        "username": "jane",
        "uid": "u-1",
        "groups": ["dev", "ops"],
        "extra": {
            "accessKeyId": ["AKIA"],
            "arn": ["arn:aws:sts::123456789012:assumed-role/r/s"],
            "canonicalArn": ["arn:aws:iam::123456789012:role/r"],
            "principalId": ["AROA"],
            "sessionName": ["s"],
        },
    },
    "impersonatedUser": {"username": "root"},
    "sourceIPs": ["192.0.2.1", "198.51.100.2", "203.0.113.3"],
    "userAgent": "kubectl/v1.34",
    "objectRef": {
        "resource": "pods",
        "namespace": "shop",
        "name": "web",
        "uid": "p-1",
        "apiGroup": "apps",
        "apiVersion": "v1",
        "resourceVersion": "7",
        "subresource": "exec",
    },
    "responseStatus": {"metadata": {}, "status": "Failure", "message": "no", "reason": "Forbidden", "code": 403},
    "requestObject": {"spec": {"n": 1}},
    "responseObject": {"kind": "Status"},
    "requestReceivedTimestamp": "2026-11-21T22:05:00.100000Z",
    "stageTimestamp": "2026-11-21T22:05:01.234567Z",
    "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "no RBAC", "x": "y"},
    "cluster": "prod",
    "workspace": "ws",
    "message": "of KubeSphere",
    "_auditwire": NOTED,
}


def record(**changes: Any) -> dict[str, Any]:
    """The record of the event with changes; a member that is None is left out."""
    event = {name: value for name, value in {**EVENT, **changes}.items() if value is not None}
    return record_of(orjson.dumps(event), PLACE, T)


def at(made: Any, path: str) -> Any:
    """The value at a path of the table; None where there is none."""
    name, _, rest = path.partition(".")
    if name.endswith("[]"):
        return [at(each, rest) for each in made.get(name[:-2], [])]
    if name.endswith("[0]"):
        [made] = made.get(name[:-3]) or [{}]
    else:
        made = made.get(name)
    return made if not rest or made is None else at(made, rest)


def observable(name: str, kind: str, number: int, value: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "type_id": number, "value": value}


# Every row of the table, with the event as it is, and with changes.
ROWS: Final[list[tuple[str, dict[str, Any], Any]]] = [
    ("class_uid", {}, 6003),
    ("class_name", {}, "API Activity"),
    ("category_uid", {}, 6),
    ("category_name", {}, "Application Activity"),
    *(
        ("activity_id", {"verb": verb}, number)
        for number, verbs in {
            1: "create",
            2: "get list watch head",
            3: "update patch put",
            4: "delete deletecollection",
            99: "impersonate Create proxy",
        }.items()
        for verb in verbs.split()
    ),
    ("activity_id", {"verb": ""}, 0),
    ("activity_id", {"verb": None}, 0),
    ("activity_id", {"verb": 5}, 0),
    ("activity_name", {}, "Create"),
    ("activity_name", {"verb": "approve"}, "approve"),
    ("activity_name", {"verb": None}, "Unknown"),
    ("type_uid", {}, 600301),
    ("type_uid", {"verb": "approve"}, 600399),
    ("type_name", {}, "API Activity: Create"),
    ("type_name", {"verb": "approve"}, "API Activity: Other"),
    ("type_name", {"verb": ""}, "API Activity: Unknown"),
    ("severity_id", {}, 1),
    ("severity", {}, "Informational"),
    *(
        ("status_id", {"responseStatus": {"code": code}}, expected)
        for code, expected in [(101, 1), (200, 1), (399, 1), (400, 2), (500, 2), (0, 0), (-1, 0), (2**40, 0), ("2", 0)]
    ),
    ("status_id", {"responseStatus": None}, 0),
    ("status_id", {"responseStatus": {}}, 0),
    ("status", {}, "Failure"),
    ("status", {"responseStatus": {"code": 200}}, "Success"),
    ("status", {"responseStatus": {"code": 0}}, "Unknown"),
    ("status_code", {}, "403"),
    ("status_code", {"responseStatus": {"code": 0}}, None),
    ("status_code", {"responseStatus": {"code": 2**31}}, None),
    ("time", {}, 1795298701234),
    ("time", {"stageTimestamp": None}, 1795298400000),
    ("time", {"stageTimestamp": "2026-11-21T23:00:00.000000Z"}, 1795298400000),
    ("time", {"_auditwire": {**NOTED, "flags": ["stage_time_missing"]}}, 1795298400000),
    ("time_dt", {}, "2026-11-21T22:05:01.234567Z"),
    ("time_dt", {"stageTimestamp": "2026-11-21T22:junk"}, "2026-11-21T22:00:00.000000Z"),
    ("start_time", {}, 1795298700100),
    ("start_time", {"requestReceivedTimestamp": "yesterday"}, None),
    ("start_time_dt", {}, "2026-11-21T22:05:00.100000Z"),
    ("start_time_dt", {"requestReceivedTimestamp": None}, None),
    ("message", {}, "ResponseComplete"),
    ("action_id", {}, 2),
    ("action_id", {"annotations": {"authorization.k8s.io/decision": "allow"}}, 1),
    ("action_id", {"annotations": {"authorization.k8s.io/decision": "maybe"}}, 0),
    ("action_id", {"annotations": ["no", "object"]}, 0),
    ("action", {}, "Denied"),
    ("action", {"annotations": {"authorization.k8s.io/decision": "allow"}}, "Allowed"),
    ("action", {"annotations": None}, "Unknown"),
    ("policy.name", {}, "no RBAC"),
    ("policy.name", {"annotations": {"authorization.k8s.io/reason": ""}}, None),
    ("is_alert", {}, False),
    ("is_alert", {"_auditwire": {**NOTED, "alerting": ["doc.b"]}}, True),
    (
        "is_alert",
        {"_auditwire": {**NOTED, "alerting": ["doc.b"], "excepted": [{"rule": "doc.b", "exception": "e"}]}},
        False,
    ),
    ("metadata.version", {}, "1.5.0"),
    ("metadata.profiles", {}, ["datetime", "security_control", "cloud"]),
    ("metadata.profiles", {"user": {"username": "jane"}}, ["datetime", "security_control"]),
    ("metadata.product.name", {}, "Kubernetes"),
    ("metadata.product.vendor_name", {}, "Kubernetes"),
    ("metadata.product.version", {}, "audit.k8s.io/v1"),
    ("metadata.log_provider", {}, "auditwire"),
    ("metadata.log_name", {}, "Event"),
    ("metadata.log_name", {"kind": ""}, None),
    ("metadata.log_level", {}, "RequestResponse"),
    ("metadata.uid", {}, PLACE),
    ("metadata.correlation_uid", {}, "a-1"),
    ("metadata.original_time", {}, "2026-11-21T22:05:01.234567Z"),
    ("metadata.logged_time", {}, 1795298702000),
    ("metadata.logged_time", {"_auditwire": None}, None),
    ("actor.user.name", {}, "jane"),
    ("actor.user.name", {"user": None}, ""),
    ("actor.user.name", {"user": {"username": 7}}, ""),
    ("actor.user.uid", {}, "u-1"),
    ("actor.user.uid_alt", {}, "AROA"),
    ("actor.user.uid_alt", {"user": {"extra": {"principalId": []}}}, None),
    ("actor.user.type_id", {}, 0),
    ("actor.user.groups[].name", {}, ["dev", "ops"]),
    ("actor.user.groups[].name", {"user": {"username": "jane", "groups": []}}, []),
    ("actor.user.groups[].name", {"user": {"username": "jane", "groups": ["a", 1]}}, []),
    ("actor.session.uid", {}, "s"),
    ("actor.session.credential_uid", {}, "AKIA"),
    ("actor.session.issuer", {}, "arn:aws:iam::123456789012:role/r"),
    ("cloud.provider", {}, "AWS"),
    ("cloud.provider", {"user": {"username": "jane", "extra": {"arn": "no list"}}}, None),
    ("cloud.account.uid", {}, "arn:aws:sts::123456789012:assumed-role/r/s"),
    ("src_endpoint.ip", {}, "192.0.2.1"),
    ("src_endpoint.ip", {"sourceIPs": ["unix", "2001:db8::1"]}, "2001:db8::1"),
    ("src_endpoint.ip", {"sourceIPs": ["192.0.2.1", 5]}, None),
    ("src_endpoint.intermediate_ips", {}, ["198.51.100.2", "203.0.113.3"]),
    ("src_endpoint.intermediate_ips", {"sourceIPs": ["192.0.2.1"]}, None),
    ("src_endpoint.intermediate_ips", {"sourceIPs": ["192.0.2.1"] * 99 + ["::1"]}, ["192.0.2.1"] * 18 + ["::1"]),
    ("src_endpoint.name", {}, None),
    ("src_endpoint.name", {"sourceIPs": []}, "Unknown"),
    ("dst_endpoint.name", {}, "prod"),
    ("http_request.user_agent", {}, "kubectl/v1.34"),
    ("http_request.url.path", {}, "/api/v1/namespaces/shop/pods/web/exec?command=sh"),
    ("api.operation", {}, "create"),
    ("api.operation", {"verb": None}, ""),
    ("api.version", {}, "v1"),
    ("api.group.name", {}, "apps"),
    ("api.request.uid", {}, "a-1"),
    ("api.request.uid", {"auditID": None}, ""),
    ("api.request.data", {}, '{"spec":{"n":1}}'),
    ("api.request.data", {"requestObject": None}, None),
    ("api.response.code", {}, 403),
    ("api.response.code", {"responseStatus": {"code": 0}}, 0),
    ("api.response.code", {"responseStatus": {"code": 2**31}}, None),
    ("api.response.message", {}, "no"),
    ("api.response.error", {}, "Forbidden"),
    ("api.response.error_message", {}, "Failure"),
    ("api.response.data", {}, '{"kind":"Status"}'),
    ("resources[0].name", {}, "web"),
    ("resources[0].name", {"objectRef": {"resource": "pods"}}, ""),
    ("resources[0].name", {"objectRef": {}}, None),
    ("resources[0].namespace", {}, "shop"),
    ("resources[0].type", {}, "pods/exec"),
    ("resources[0].type", {"objectRef": {"resource": "pods", "subresource": ""}}, "pods"),
    ("resources[0].uid", {}, "p-1"),
    ("resources[0].version", {}, "7"),
    (
        "observables",
        {},
        [
            observable("actor.user.name", "User Name", 4, "jane"),
            observable("src_endpoint.ip", "IP Address", 2, "192.0.2.1"),
            observable("src_endpoint.intermediate_ips", "IP Address", 2, "198.51.100.2"),
            observable("src_endpoint.intermediate_ips", "IP Address", 2, "203.0.113.3"),
            observable("http_request.url.path", "URL String", 6, EVENT["requestURI"]),
        ],
    ),
    ("observables", {"user": None, "sourceIPs": None, "requestURI": ""}, None),
]  # fmt: skip


def test_every_row_has_a_case() -> None:
    assert {path for path, _, _ in ROWS} == {row.path for row in TABLE}


@pytest.mark.parametrize(("path", "changes", "expected"), ROWS, ids=str)
def test_an_attribute_comes_from_what_the_table_says(path: str, changes: dict[str, Any], expected: Any) -> None:
    assert at(record(**changes), path) == expected


def unmapped(**changes: Any) -> dict[str, Any]:
    rest: dict[str, Any] = json.loads(record(**changes)["unmapped"])
    return rest


def test_what_no_attribute_stands_for_is_left_as_it_is_archived() -> None:
    kept = ("cluster", "workspace", "message", "impersonatedUser", "annotations", "_auditwire")
    assert unmapped() == {
        **{name: EVENT[name] for name in kept},
        "user": {"extra": EVENT["user"]["extra"]},
        "responseStatus": {"metadata": {}},
    }


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        ({"hostName": "ks-0"}, "hostName", "ks-0"),
        ({"verb": 5}, "verb", 5),
        ({"user": "jane"}, "user", "jane"),
        ({"user": {"username": 7, "uid": "u", "more": 1}}, "user", {"username": 7, "more": 1}),
        ({"user": {"username": "jane", "groups": ["a", 1]}}, "user", {"groups": ["a", 1]}),
        ({"objectRef": {"name": "web", "kind": "Pod"}}, "objectRef", {"kind": "Pod"}),
        ({"responseStatus": {"code": "2", "details": {"a": 1}}}, "responseStatus", {"code": "2", "details": {"a": 1}}),
        ({"responseStatus": {"code": 2**31}}, "responseStatus", {"code": 2**31}),
        ({"sourceIPs": ["unix", "192.0.2.1"]}, "sourceIPs", ["unix", "192.0.2.1"]),
        ({"sourceIPs": "192.0.2.1"}, "sourceIPs", "192.0.2.1"),
        ({"sourceIPs": ["::1"] * 21}, "sourceIPs", ["::1"] * 21),
        ({"requestReceivedTimestamp": "yesterday"}, "requestReceivedTimestamp", "yesterday"),
        ({"stageTimestamp": 5}, "stageTimestamp", 5),
        ({"annotations": ["x"]}, "annotations", ["x"]),
        ({"cluster": 5}, "cluster", 5),
        ({"_auditwire": {"alerting": "no list"}}, "_auditwire", {"alerting": "no list"}),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_as_it_should_be_is_left_too(changes: dict[str, Any], path: str, expected: Any) -> None:
    assert unmapped(**changes)[path] == expected


def test_the_columns_are_those_of_the_table() -> None:
    first = {re.sub(r"\[0?\]$", "", row.path.partition(".")[0]) for row in TABLE}
    assert columns().keys() == first | {"unmapped"}
    assert columns()["resources"] == (
        'STRUCT("name" VARCHAR, "namespace" VARCHAR, "type" VARCHAR, "uid" VARCHAR, "version" VARCHAR)[]'
    )


def test_the_page_shows_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "ocsf.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| `[a-z_.\[\]0]+` \| ", line)]
    assert rows == [f"| `{row.path}` | {row.source} |" for row in TABLE]
