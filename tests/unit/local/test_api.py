"""A deployed API answers by the functions of its routes, within the bounds of Lambda."""

from collections.abc import Mapping
from typing import Any

import pytest

from auditwire_local.api import Api, has_host, hosts_of
from auditwire_local.authorizer import Issuer
from auditwire_local.errors import InvocationError
from auditwire_local.gateway import MAX_RESULT, Request
from auditwire_local.resources import Deployed

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.fixture
def api() -> Api:
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}/invocations"
    integration = {"type": "aws_proxy", "payloadFormatVersion": "2.0", "httpMethod": "POST", "uri": uri}
    operation = {"x-amazon-apigateway-integration": integration, "responses": {}}
    body = {"paths": {"/": {"get": operation}, "/{proxy+}": {"get": operation}, "/logout": {"post": operation}}}
    return Api.of(Deployed("Api", "AWS::ApiGatewayV2::Api", "api1", {}, {"Body": body}))


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/static/app.js?x=1", 200),
        ("POST", "/logout", 200),
        ("POST", "/", 404),
        ("PUT", "/logout", 404),
    ],
)
def test_a_request_reaches_the_function_of_its_route(api: Api, method: str, target: str, status: int) -> None:
    called: list[tuple[str, str]] = []

    def invoke(function: str, event: Mapping[str, Any]) -> Any:
        called.append((function, event["rawPath"]))
        return {"statusCode": 200, "cookies": ["a=b; Secure", "c=d"], "body": "x"}

    answer = api.respond(Request(method, target, [("Host", "localhost")], b""), Issuer(), invoke)

    assert answer.status == status
    assert called == ([(ARN, target.partition("?")[0])] if status == 200 else [])
    cookies = [value for name, value in answer.headers if name == "Set-Cookie"]
    assert cookies == (["a=b; Secure", "c=d"] if status == 200 else [])


@pytest.mark.parametrize(("length", "status"), [(MAX_RESULT - 100, 200), (MAX_RESULT, 500)])
def test_a_result_beyond_the_bounds_of_lambda_fails(api: Api, length: int, status: int) -> None:
    request = Request("GET", "/", [], b"")

    answer = api.respond(request, Issuer(), lambda *_: {"statusCode": 200, "body": "x" * length})

    assert answer.status == status


def test_a_function_that_fails_is_a_500(api: Api) -> None:
    def fail(*_: object) -> Any:
        raise InvocationError("it raised")

    assert api.respond(Request("GET", "/", [], b""), Issuer(), fail).status == 500


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (["127.0.0.1:8443"], True),
        (["LOCALHOST:8443"], True),
        (["localhost"], False),
        (["evil.example:8443"], False),
        (["localhost:8443", "evil.example"], False),
        ([], False),
    ],
)
def test_only_names_of_the_api_reach_it(given: list[str], known: bool) -> None:
    request = Request("GET", "/", [("host", value) for value in given], b"")

    assert has_host(request, hosts_of(8443)) is known
