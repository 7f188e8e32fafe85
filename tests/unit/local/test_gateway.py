"""Requests become payload format 2.0 events and results become answers, as API Gateway does it."""

import base64
from typing import Any

import pytest

from auditwire_local.errors import DeployError
from auditwire_local.gateway import FAILED, HttpAnswer, Request, answer, event, routes

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f:live"


def _operation(**changes: Any) -> dict[str, Any]:
    integration = {
        "type": "aws_proxy",
        "payloadFormatVersion": "2.0",
        "httpMethod": "POST",
        "uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}/invocations",
    }
    return {"x-amazon-apigateway-integration": {**integration, **changes}, "responses": {}}


BODY = {
    "paths": {
        "/hook/{credential+}": {"post": _operation()},
        "/hook/{id}/state": {"get": _operation()},
        "/hook": {"post": _operation(), "x-amazon-apigateway-any-method": _operation()},
    }
}


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("POST", "/hook", "POST /hook", {}),
        ("POST", "/hook/", "POST /hook", {}),
        ("DELETE", "/hook", "ANY /hook", {}),
        ("POST", "/hook/a/b", "POST /hook/{credential+}", {"credential": "a/b"}),
        ("GET", "/hook/7/state", "GET /hook/{id}/state", {"id": "7"}),
        ("GET", "/hook/7", None, None),
        ("GET", "/", None, None),
        ("POST", "/hooky", None, None),
    ],
)
def test_the_most_specific_route_serves_a_request(
    method: str, path: str, key: str | None, parameters: dict[str, str] | None
) -> None:
    for route in routes(BODY):
        found = route.match(method, path)
        if found is not None:
            assert (route.key, found, route.function) == (key, parameters, ARN)
            break
    else:
        assert key is None


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ({**_operation(), "x-amazon-apigateway-request-validator": "all"}, "x-amazon-apigateway-request-validator"),
        (_operation(requestParameters={}), "requestParameters"),
        (_operation(payloadFormatVersion="1.0"), "an integration other than a Lambda proxy of format 2.0"),
    ],
    ids=["validator", "mapping", "format"],
)
def test_a_route_that_is_not_understood_is_refused(operation: dict[str, Any], what: str) -> None:
    with pytest.raises(DeployError) as caught:
        routes({"paths": {"/p": {"post": operation}}})

    assert str(caught.value) == f"the local system does not know {what} of the route post /p"


def _event(**changes: Any) -> dict[str, Any]:
    request = {
        "method": "POST",
        "target": "/hook/a%2Fb?timeout=30s&x=1&x=2&empty=",
        "headers": [("Host", "localhost:8080"), ("Content-Type", "application/json")],
        "body": b'{"a":1}',
        **changes,
    }
    route = next(route for route in routes(BODY) if route.key == "POST /hook/{credential+}")
    return event(Request(**request), route, {"credential": "a%2Fb"}, api="api1")


def test_an_event_says_what_the_request_said() -> None:
    made = _event(
        headers=[
            ("Host", "localhost:8080"),
            ("Content-Type", "application/json"),
            ("Accept", "a"),
            ("ACCEPT", "b"),
            ("Cookie", "k=v; l=w"),
            ("User-Agent", "kube-apiserver/v1.31"),
        ]
    )
    context = made.pop("requestContext")

    assert made == {
        "version": "2.0",
        "routeKey": "POST /hook/{credential+}",
        "rawPath": "/hook/a/b",
        "rawQueryString": "timeout=30s&x=1&x=2&empty=",
        "cookies": ["k=v", "l=w"],
        "headers": {
            "host": "localhost:8080",
            "content-type": "application/json",
            "accept": "a,b",
            "user-agent": "kube-apiserver/v1.31",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "8080",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"timeout": "30s", "x": "1,2", "empty": ""},
        "pathParameters": {"credential": "a/b"},
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }
    assert context["http"] == {
        "method": "POST",
        "path": "/hook/a/b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "kube-apiserver/v1.31",
    }
    assert (context["apiId"], context["stage"], context["routeKey"]) == ("api1", "$default", made["routeKey"])
    assert context["timeEpoch"] > 1_600_000_000_000


def test_cookies_of_several_headers_are_separate() -> None:
    made = _event(headers=[("Host", "localhost"), ("Cookie", "k=v; l=w"), ("cookie", "m=x,y")])

    assert made["cookies"] == ["k=v", "l=w", "m=x,y"]
    assert "cookie" not in made["headers"]


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("APPLICATION/JSON", True),
        ("text/plain", True),
        ("application/problem+json", True),
        ("application/gzip", False),
        ("application/x-www-form-urlencoded", False),
        ("application/jsonlines", True),
        (None, False),
    ],
)
def test_text_types_come_as_text_and_others_as_base64(content_type: str | None, is_text: bool) -> None:
    headers = [] if content_type is None else [("Content-Type", content_type)]
    made = _event(headers=headers, body=b"\xc3\xa9")

    assert made["isBase64Encoded"] is not is_text
    assert made["body"] == ("é" if is_text else base64.b64encode(b"\xc3\xa9").decode())


def test_a_text_type_loses_bytes_that_are_no_utf_8() -> None:
    assert _event(body=b"\x1f\x8b{}")["body"] == "\x1f\ufffd{}"


def test_an_empty_body_is_left_out() -> None:
    made = _event(body=b"", target="/hook/a")

    assert "body" not in made
    assert "queryStringParameters" not in made


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param(
            {"statusCode": 200, "body": ""},
            HttpAnswer(200, [("Content-Type", "text/plain;charset=UTF-8")], b""),
            id="empty",
        ),
        pytest.param(
            {"statusCode": 401, "headers": {"content-type": "text/html"}, "body": "é", "cookies": ["a=b"]},
            HttpAnswer(401, [("content-type", "text/html"), ("Set-Cookie", "a=b")], "é".encode()),
            id="headers",
        ),
        pytest.param(
            {"statusCode": "200", "headers": {"Content-Type": "x/y"}, "body": "AAE=", "isBase64Encoded": True},
            HttpAnswer(200, [("Content-Type", "x/y")], b"\x00\x01"),
            id="base64",
        ),
        pytest.param({"a": 1}, HttpAnswer(200, [("Content-Type", "application/json")], b'{"a":1}'), id="bare JSON"),
        pytest.param({"statusCode": "soon"}, FAILED, id="no status"),
        pytest.param({"statusCode": 200, "body": "%", "isBase64Encoded": True}, FAILED, id="no base64"),
        pytest.param({"statusCode": 200, "body": 5}, FAILED, id="no text"),
    ],
)
def test_a_result_becomes_an_answer(result: Any, expected: HttpAnswer) -> None:
    assert answer(result) == expected
