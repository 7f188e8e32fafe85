"""KubeSphere's query API: what each parameter means, and what answers and errors look like."""

import itertools
from typing import Any

import orjson
import pytest

from auditwire_console import Limits
from auditwire_console.errors import BrokenOffError
from auditwire_console.kubesphere.records import record_of
from console_client import Console
from local_road import exec_event
from searched import Archive

PATH = "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events"
OF_4 = "/kapis/logging.kubesphere.io/v1alpha2/auditing"
# 2026-11-21T22:00:00Z
TEN = 1_795_298_400


def event(number: int, minute: int = 0, **changes: Any) -> dict[str, Any]:
    at = f"2026-11-21T22:{minute:02}:00.000000Z"
    return exec_event(number, requestReceivedTimestamp=at, stageTimestamp=at, **changes)


EVENTS = [
    event(1, 0, verb="create", user={"username": "jane", "groups": ["devs", "system:authenticated"]},
          sourceIPs=["192.0.2.7"], workspace="shop-ws", level="Metadata",
          objectRef={"resource": "deployments", "apiGroup": "apps", "namespace": "shop", "name": "web-Front"},
          responseStatus={"code": 201, "status": "Success"}),
    event(2, 1, verb="delete", user={"username": "Jane", "groups": ["ops"]}, sourceIPs=["198.51.100.9"],
          workspace="other", level="Request",
          objectRef={"resource": "pods", "namespace": "shop-test", "name": "web_1", "subresource": "status"},
          responseStatus={"code": 403, "status": "Failure", "reason": "Forbidden"}),
    event(3, 31, verb="get", user={"username": "mallory", "groups": []}, sourceIPs=["203.0.113.4"], level="Metadata",
          objectRef={"resource": "pods", "name": "*"}, responseStatus={"code": 200}),
]  # fmt: skip


@pytest.fixture(scope="module")
def console() -> Console:
    archive = Archive()
    archive.take(EVENTS, "prod")
    archive.take([event(9, 40, verb="list")], "test")
    return Console(archive.store)


def found(console: Console, path: str = f"{PATH}?cluster=prod", **params: str) -> list[int]:
    """The numbers of the events that are found, the oldest first."""
    given = {"sort": "asc", "size": "100", "cluster": "prod", **params}
    answer = console.ask(path.partition("?")[0], given)["query"]
    records = answer["records"] or []
    assert answer["total"] == len(records)
    return [int(record["AuditID"][-4:], 16) for record in records]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"verb_filter": "create"}, [1]),
        ({"verb_filter": "create,delete"}, [1, 2]),
        ({"verb_filter": "creat"}, []),
        ({"verb_filter": "CREATE"}, []),
        ({"verb_filter": ""}, [1, 2, 3]),
        ({"verb_filter": "create,"}, [1]),
        ({"verb_filter": " create"}, []),
        ({"level_filter": "Request"}, [2]),
        ({"user_filter": "jane"}, [1]),
        ({"user_search": "jan"}, [1, 2]),
        ({"user_search": "jan,mall"}, [1, 2, 3]),
        ({"user_search": "j*e"}, []),
        ({"group_search": "DEV"}, [1]),
        ({"source_ip_search": "192.0."}, [1]),
        ({"workspace_filter": "shop-ws"}, [1]),
        ({"workspace_filter": "shop"}, []),
        ({"workspace_search": "shop"}, [1]),
        ({"objectref_namespace_filter": "shop"}, [1]),
        ({"objectref_namespace_search": "shop"}, [1, 2]),
        ({"objectref_name_filter": "web-Front"}, [1]),
        ({"objectref_name_search": "WEB"}, [1, 2]),
        ({"objectref_name_search": "*"}, [3]),
        ({"objectref_name_search": "_"}, [2]),
        ({"objectref_resource_filter": "deployment"}, [1]),
        ({"objectref_resource_filter": "Deploy"}, [1]),
        ({"objectref_resource_filter": "ods"}, []),
        ({"objectref_subresource_filter": "stat"}, [2]),
        ({"response_code_filter": "201,403"}, [1, 2]),
        ({"response_status_filter": "Failure"}, [2]),
        ({"response_status_filter": "failure"}, []),
        ({"verb_filter": "create,delete", "user_filter": "Jane"}, [2]),
        ({"start_time": str(TEN), "end_time": str(TEN)}, [1]),
        ({"start_time": str(TEN), "end_time": str(TEN + 60)}, [1, 2]),
        ({"start_time": str(TEN + 1)}, [2, 3]),
        ({"end_time": str(TEN + 59)}, [1]),
        ({"start_time": "0"}, [1, 2, 3]),
        ({"start_time": "-99999999999", "end_time": "9999999999999"}, [1, 2, 3]),
        ({"cluster": "test"}, [9]),
        ({"cluster": "nobody"}, []),
        ({"operation": "whatever"}, [1, 2, 3]),
        ({"operation": "Statistics"}, [1, 2, 3]),
        ({"verb_filter": ","}, [1, 2, 3]),
        ({"user_filter": "jane", "user_search": "JA"}, [1]),
        ({"user_filter": "jane", "objectref_namespace_search": "TEST"}, []),
        ({"user_search": "j?ne"}, []),
        ({"user_search": "'; DROP TABLE found --"}, []),
        ({"objectref_name_search": "%"}, []),
        ({"objectref_resource_filter": "pods,deploy"}, [1, 2, 3]),
        ({"objectref_resource_filter": "deployments.apps"}, []),
        ({"group_search": "system:auth,ops"}, [1, 2]),
        ({"source_ip_search": "203.0.113.4,.9"}, [2, 3]),
        ({"response_code_filter": "+201,-5,0403"}, [1, 2]),
        ({"response_code_filter": ","}, [1, 2, 3]),
        ({"start_time": f"+{TEN + 60}", "end_time": f"000{TEN + 60}"}, [2]),
        ({"start_time": str(TEN + 60), "end_time": str(TEN)}, []),
        ({"end_time": "0"}, []),
        ({"start_time": str(2**63 - 1)}, []),
        ({"interval": "nonsense"}, [1, 2, 3]),
        ({"message_search": "nothing"}, [1, 2, 3]),
    ],
)
def test_what_parameters_mean(console: Console, params: dict[str, str], expected: list[int]) -> None:
    assert found(console, **params) == expected
    assert found(console, OF_4, **params) == expected


def test_the_cluster_of_the_path_wins(console: Console) -> None:
    path = "/kapis/clusters/test/tenant.kubesphere.io/v1alpha2/auditing/events"

    assert console.ask(path, {"cluster": "prod"})["query"]["total"] == 1


def test_host_is_every_cluster_where_the_viewer_has_none(console: Console) -> None:
    assert console.ask(PATH)["query"]["total"] == console.ask(OF_4, {"cluster": "host"})["query"]["total"] == 4


def test_pages_and_their_defaults(console: Console) -> None:
    def page(**params: str) -> list[int]:
        records = console.ask(PATH, {"cluster": "prod", **params})["query"]["records"] or []
        return [int(record["AuditID"][-4:], 16) for record in records]

    assert page() == [3, 2, 1]
    assert page(sort="down") == [3, 2, 1]
    assert page(size="1") == [3]
    assert page(size="1", **{"from": "1"}) == [2]
    assert page(size="many", **{"from": "third"}) == [3, 2, 1]
    assert page(size="+1", **{"from": "+1"}) == [2]
    assert page(size="1.5", **{"from": ""}) == [3, 2, 1]
    assert page(size="9" * 5_000) == [3, 2, 1]
    assert page(size="\u0663") == [3, 2, 1]
    assert page(size="0") == []
    assert page(**{"from": "3"}) == page(**{"from": "9990"}) == []
    assert page(sort="ASC") == [3, 2, 1]


def test_of_a_parameter_that_is_given_twice_the_first_counts(console: Console) -> None:
    first = console.ask(f"{PATH}?operation=statistics&operation=query&cluster=prod&cluster=test")

    assert first == {"statistics": {"resources": 3, "events": 3}}


def test_pages_do_not_limit_what_is_counted(console: Console) -> None:
    for operation, expected in (("statistics", "events"), ("histogram", "total")):
        asked = {"operation": operation, "cluster": "prod", "size": "-1", "from": "99999"}
        assert console.ask(PATH, asked)[operation][expected] == 3


def test_numbers_that_no_float_holds_are_shown_as_they_are_archived() -> None:
    archive = Archive()
    (line,) = archive.lines(archive.take([exec_event(1)])[0])
    huge = b'"size":1e400,"count":123456789012345678901234567890,"requestURI":'
    archive.put_lines([line.replace(b'"requestURI":', huge, 1)])
    console = Console(archive.store)

    text = console.get(PATH, {"sort": "asc"}).text

    assert '"Size":1e400,"Count":123456789012345678901234567890,' in text
    assert '"Size":1e400' in console.get(PATH, {"operation": "export"}).text


def test_an_export_that_takes_too_long_breaks_off_instead_of_ending() -> None:
    archive = Archive()
    archive.take([exec_event(1)])

    with pytest.raises(BrokenOffError):
        Console(archive.store, limits=Limits(seconds=-1)).get(PATH, {"operation": "export"})


def test_objects_that_cannot_be_read_are_counted_in_a_header() -> None:
    archive = Archive()
    (key,) = archive.take([exec_event(1)])
    archive.store.objects[key] = archive.store.objects[key][:-9]

    response = Console(archive.store).get(PATH)

    assert response.headers["warning"] == '199 - "1 stored objects could not be read"'


def test_what_is_empty_is_null(console: Console) -> None:
    params = {"verb_filter": "nothing"}

    assert console.ask(PATH, params) == {"query": {"total": 0, "records": None}}
    assert console.ask(PATH, {**params, "operation": "statistics"}) == {"statistics": {"resources": 0, "events": 0}}
    assert console.ask(PATH, {**params, "operation": "histogram"}) == {"histogram": {"total": 0, "buckets": None}}


def test_the_histogram_has_empty_buckets_between_and_times_in_milliseconds(console: Console) -> None:
    answer = console.ask(PATH, {"operation": "histogram", "cluster": "prod"})["histogram"]
    finer = console.ask(PATH, {"operation": "histogram", "cluster": "prod", "interval": "30s"})["histogram"]

    assert answer == {
        "total": 3,
        "buckets": [
            {"time": TEN * 1000, "count": 2},
            {"time": (TEN + 900) * 1000, "count": 0},
            {"time": (TEN + 1800) * 1000, "count": 1},
        ],
    }
    times = [bucket["time"] for bucket in finer["buckets"]]
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {30_000}
    assert sum(bucket["count"] for bucket in finer["buckets"]) == finer["total"] == 3


def test_statistics_count_requests_and_events(console: Console) -> None:
    answer = console.ask(PATH, {"operation": "statistics", "cluster": "prod"})

    assert answer == {"statistics": {"resources": 3, "events": 3}}


@pytest.mark.parametrize(
    ("params", "status", "text"),
    [
        ({"start_time": "abc"}, 500, 'strconv.ParseInt: parsing "abc": invalid syntax'),
        ({"end_time": "<b>&"}, 500, 'strconv.ParseInt: parsing "&lt;b&gt;&amp;": invalid syntax'),
        ({"start_time": "9" * 30}, 500, f'strconv.ParseInt: parsing "{"9" * 30}": value out of range'),
        ({"start_time": "1.5"}, 500, 'strconv.ParseInt: parsing "1.5": invalid syntax'),
        ({"start_time": "9" * 5_000}, 500, f'strconv.ParseInt: parsing "{"9" * 5_000}": value out of range'),
        ({"start_time": str(2**63)}, 500, f'strconv.ParseInt: parsing "{2**63}": value out of range'),
        ({"start_time": " 1"}, 500, 'strconv.ParseInt: parsing " 1": invalid syntax'),
        ({"start_time": "1_0"}, 500, 'strconv.ParseInt: parsing "1_0": invalid syntax'),
        (
            {"start_time": "2026-11-21T22:00:00Z"},
            500,
            'strconv.ParseInt: parsing "2026-11-21T22:00:00Z": invalid syntax',
        ),
        (
            {"end_time": 'a"\\\n\x01\u202e\u00e9'},
            500,
            r'strconv.ParseInt: parsing "a\"\\\n\x01\u202e' + '\u00e9": invalid syntax',
        ),
        ({"end_time": "\u0661"}, 500, 'strconv.ParseInt: parsing "\u0661": invalid syntax'),
        (
            {"from": "-1"},
            500,
            "type: illegal_argument_exception, reason: [from] parameter cannot be negative, found [-1]",
        ),
        (
            {"size": "-1"},
            500,
            "type: illegal_argument_exception, reason: [size] parameter cannot be negative, found [-1]",
        ),
        (
            {"operation": "histogram", "interval": "2M"},
            500,
            "type: search_phase_execution_exception, reason: Unable to parse interval [2M]",
        ),
        (
            {"operation": "histogram", "interval": "15"},
            500,
            "type: search_phase_execution_exception, reason: Unable to parse interval [15]",
        ),
        (
            {"operation": "histogram", "interval": "15M "},
            500,
            "type: search_phase_execution_exception, reason: Unable to parse interval [15M ]",
        ),
        ({"response_code_filter": "9" * 5_000}, 400, f"response_code_filter: {'9' * 80} is not a whole number"),
        (
            {"operation": "histogram", "interval": "invalid"},
            500,
            "type: search_phase_execution_exception, reason: Unable to parse interval [invalid]",
        ),
        (
            {"operation": "histogram", "interval": "0m"},
            500,
            "type: search_phase_execution_exception, reason: Unable to parse interval [0m]",
        ),
        ({"response_code_filter": "OK"}, 400, "response_code_filter: OK is not a whole number"),
        ({"response_code_filter": "200,x"}, 400, "response_code_filter: x is not a whole number"),
        (
            {"from": "9999", "size": "2"},
            500,
            (
                "type: search_phase_execution_exception, reason: Result window is too large, from + size must be "
                "less than or equal to: [10000] but was [10001]"
            ),
        ),
    ],
)
def test_errors_are_plain_text_as_kubespheres(console: Console, params: dict[str, str], status: int, text: str) -> None:
    response = console.get(PATH, params)

    assert (response.status_code, response.text) == (status, text)
    assert response.headers["content-type"].startswith("text/plain")


def test_a_record_has_keys_as_go_spells_them_at_the_fixed_levels_only() -> None:
    line = (
        b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete",'
        b'"requestURI":"/x","verb":"create","user":{"username":"u","uid":"1","groups":["g"],"extra":{"username":["e"]}},'
        b'"impersonatedUser":{"username":"i"},"sourceIPs":["192.0.2.1"],"userAgent":"c",'
        b'"objectRef":{"resource":"pods","namespace":"n","name":"p","apiGroup":"","apiVersion":"v1","uid":"2",'
        b'"resourceVersion":"3","subresource":"exec"},"responseStatus":{"code":201,"reason":"r"},'
        b'"requestObject":{"user":{"username":"kept"}},"annotations":{"verb":"kept"},'
        b'"requestReceivedTimestamp":"t","stageTimestamp":"s","cluster":"c","workspace":"w","devops":"d","message":"m",'
        b'"_auditwire":{"archiving":["x"]}}'
    )

    assert orjson.loads(bytes(record_of(line))) == {
        "Level": "Request",
        "AuditID": "a",
        "Stage": "ResponseComplete",
        "RequestURI": "/x",
        "Verb": "create",
        "User": {"Username": "u", "UID": "1", "Groups": ["g"], "Extra": {"username": ["e"]}},
        "ImpersonatedUser": {"Username": "i"},
        "SourceIPs": ["192.0.2.1"],
        "UserAgent": "c",
        "ObjectRef": {
            "Resource": "pods",
            "Namespace": "n",
            "Name": "p",
            "APIGroup": "",
            "APIVersion": "v1",
            "UID": "2",
            "ResourceVersion": "3",
            "Subresource": "exec",
        },
        "ResponseStatus": {"code": 201, "reason": "r"},
        "RequestObject": {"user": {"username": "kept"}},
        "Annotations": {"verb": "kept"},
        "RequestReceivedTimestamp": "t",
        "StageTimestamp": "s",
        "Cluster": "c",
        "Workspace": "w",
        "Devops": "d",
        "Message": "m",
    }
