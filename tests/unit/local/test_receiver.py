"""The built-in receiver refuses what Alertmanager refuses and keeps what it keeps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from auditwire_local.receiver import AlertReceiver
from waiting import HANG_SECONDS


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    receiver = AlertReceiver()
    receiver.start()
    yield receiver
    receiver.stop()


def _call(receiver: AlertReceiver, method: str, body: bytes | None = None, path: str = "/api/v2/alerts") -> Any:
    connection = HTTPConnection(urlsplit(receiver.url).netloc, timeout=HANG_SECONDS)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _alert(**changes: Any) -> dict[str, Any]:
    return {"labels": {"alertname": "A"}, **changes}


PAST = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
LONG_PAST = (datetime.now(UTC) - timedelta(hours=3)).isoformat()


@pytest.mark.parametrize(
    ("body", "status", "stored"),
    [
        ([_alert(labels={"a-b": "x"})], 400, 0),
        ([_alert(labels={"1a": "x"})], 400, 0),
        ([_alert(labels={"é": "x"})], 400, 0),
        ([_alert(annotations={"a.b": "x"})], 400, 0),
        ([_alert(labels={})], 400, 0),
        ([_alert(labels={"a": ""})], 400, 0),
        ([{}], 400, 0),
        ([_alert(startsAt=PAST, endsAt=LONG_PAST)], 400, 0),
        ([_alert(startsAt="yesterday")], 400, 0),
        ([_alert(labels={"a": 1})], 400, 0),
        ({"labels": {"a": "b"}}, 400, 0),
        ([_alert(generatorURL="no uri"), _alert()], 422, 0),
        ([_alert(labels={"a-b": "x"}), _alert()], 400, 1),
        ([_alert(labels={"alertname": "A", "empty": ""})], 200, 1),
        ([_alert(labels={"x": "ü\n", "__y__": "z" * 65536})], 200, 1),
        ([], 200, 0),
        ([_alert(endsAt=PAST)], 200, 0),
        ([_alert(generatorURL="")], 200, 1),
        ([_alert(generatorURL="http://x/y?z"), _alert()], 200, 1),
    ],
    ids=[
        "dash",
        "leading digit",
        "non-ASCII name",
        "annotation name",
        "no labels",
        "only empty values",
        "labels missing",
        "end before start",
        "bad date",
        "value no string",
        "no list",
        "no URI stores nothing",
        "bad one among good ones",
        "empty value dropped",
        "odd values",
        "empty list",
        "resolved",
        "empty URI",
        "same labels are one alert",
    ],
)
def test_what_is_posted(receiver: AlertReceiver, body: Any, status: int, stored: int) -> None:
    assert _call(receiver, "POST", orjson.dumps(body))[0] == status
    assert len(receiver.active()) == stored


def test_a_body_that_is_no_json_is_refused(receiver: AlertReceiver) -> None:
    assert _call(receiver, "POST", b"{")[0] == 400


def test_an_alert_is_active_until_its_end_and_began_when_it_first_began(receiver: AlertReceiver) -> None:
    ends = (datetime.now(UTC) + timedelta(minutes=15)).isoformat()
    for starts in (LONG_PAST, PAST):
        alert = _alert(startsAt=starts, endsAt=ends, annotations={"start": starts})
        assert _call(receiver, "POST", orjson.dumps([alert])) == (200, b"")

    status, body = _call(receiver, "GET")
    [active] = orjson.loads(body)
    assert status == 200
    assert active["annotations"] == {"start": PAST}
    assert datetime.fromisoformat(active["startsAt"]) < datetime.fromisoformat(PAST)

    _call(receiver, "POST", orjson.dumps([_alert(startsAt=LONG_PAST, endsAt=PAST)]))
    assert orjson.loads(_call(receiver, "GET")[1]) == []


@pytest.mark.parametrize(("path", "status"), [("/-/ready", 200), ("/-/healthy", 200), ("/api/v1/alerts", 404)])
def test_other_paths(receiver: AlertReceiver, path: str, status: int) -> None:
    assert _call(receiver, "GET", path=path)[0] == status
