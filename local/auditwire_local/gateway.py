"""Does what API Gateway does between a socket and a function: routes, payload format 2.0, answers, limits.

Pure: a request in, an event out; the answer of a function in, an HTTP answer out. The sizes and forms are those of
AWS's documentation of HTTP APIs (payload format version 2.0, quotas) and of the quotas of Lambda.
"""

import base64
import binascii
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from auditwire_local.errors import DeployError
from auditwire_local.sandbox import ACCOUNT

MAX_BODY = 10 * 1024 * 1024
"""The bytes of a request that an HTTP API accepts."""
MAX_EVENT = 6 * 1024 * 1024
"""From this many bytes of an event on, Lambda refuses a synchronous call."""
MAX_RESULT = 6 * 1024 * 1024 + 100
"""With more bytes a result of a function fails the call."""

_ARN = re.compile(r"functions/(?P<arn>arn:aws:lambda:[^/]+)/invocations$")
_INTEGRATION_KEYS = {"payloadFormatVersion", "type", "uri", "httpMethod", "timeoutInMillis"}
_OPERATION_KEYS = {"x-amazon-apigateway-integration", "responses", "parameters", "security"}
_TEXT_TYPES = re.compile(r"text/.*|application/(json|javascript|xml|[^;]*\+(json|xml))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request with its whole body. ``target`` is the request target as it was sent, with its query string."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)
    source: str = "127.0.0.1"
    scheme: str = "http"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the deployed API: ``key`` is ``METHOD /path``, ``function`` is the ARN that it calls."""

    key: str
    function: str
    pattern: re.Pattern[str]
    authorizer: str | None = None
    """The name of the authorizer that a request must pass."""

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path parameters if the route serves this request, else None."""
        wanted = self.key.partition(" ")[0]
        if wanted not in {method, "ANY"} or (match := self.pattern.fullmatch(path)) is None:
            return None
        return match.groupdict()


def message(status: int, text: str) -> HttpAnswer:
    """An answer by API Gateway itself: a JSON object with a message."""
    return HttpAnswer(status, [("Content-Type", "application/json")], orjson.dumps({"message": text}))


UNAUTHORIZED = message(401, "Unauthorized")
NOT_FOUND = message(404, "Not Found")
FAILED = message(500, "Internal Server Error")
FORBIDDEN = message(403, "Forbidden")
TOO_LARGE = message(413, "Request Entity Too Large")


def routes(body: Mapping[str, Any]) -> list[Route]:
    """The routes of an API's OpenAPI document, the most specific first. Raises DeployError for what is not
    understood."""
    found = []
    for template, operations in body["paths"].items():
        for method, operation in operations.items():
            integration = operation["x-amazon-apigateway-integration"]
            unknown = operation.keys() - _OPERATION_KEYS | integration.keys() - _INTEGRATION_KEYS
            proxied = integration["type"] == "aws_proxy" and integration["payloadFormatVersion"] == "2.0"
            arn = _ARN.search(integration["uri"])
            if unknown or not proxied or arn is None:
                what = ", ".join(sorted(unknown)) or "an integration other than a Lambda proxy of format 2.0"
                msg = f"the local system does not know {what} of the route {method} {template}"
                raise DeployError(msg)
            name = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            security = [authorizer for one in operation.get("security", ()) for authorizer in one]
            found.append(Route(f"{name} {template}", arn["arn"], _pattern(template), next(iter(security), None)))
    return sorted(found, key=_specificity)


def event(
    request: Request,
    route: Route,
    parameters: Mapping[str, str],
    *,
    api: str,
    claims: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The event of a request in payload format 2.0; ``claims`` are those of the token that an authorizer verified.

    As on AWS, the path is decoded, header names are lower-cased and repeated headers joined by a comma, and cookies are
    separate. Bodies of text types are text and all others base64, so a body of a text type loses bytes that are not
    UTF-8.
    """
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        # Browsers that speak HTTP/2 may send several headers of cookies.
        between = ";" if key == "cookie" else ","
        headers[key] = f"{headers[key]}{between}{value}" if key in headers else value
    cookies = headers.pop("cookie", None)
    host = headers.get("host", "localhost")
    headers["x-forwarded-for"] = request.source
    headers["x-forwarded-port"] = host.rpartition(":")[2] if ":" in host else "443"
    headers["x-forwarded-proto"] = request.scheme
    raw_path, _, query = request.target.partition("?")
    path = unquote(raw_path)
    now = time.time()
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": api,
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": uuid.uuid4().hex,
            "routeKey": route.key,
            "stage": "$default",
            "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if claims is not None:
        made["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    if cookies is not None:
        made["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if query:
        made["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if parameters:
        made["pathParameters"] = {name: unquote(value) for name, value in parameters.items()}
    if request.body:
        text = _TEXT_TYPES.match(headers.get("content-type", "")) is not None
        made["isBase64Encoded"] = not text
        made["body"] = request.body.decode("utf-8", "replace") if text else base64.b64encode(request.body).decode()
    return made


def answer(result: Any) -> HttpAnswer:
    """The HTTP answer for the result of a function; FAILED for one that API Gateway could not read."""
    if not isinstance(result, dict) or "statusCode" not in result:
        # Format 2.0 takes any other JSON for the body itself.
        return HttpAnswer(200, [("Content-Type", "application/json")], orjson.dumps(result))
    body = result.get("body") or ""
    headers = [(name, str(value)) for name, value in (result.get("headers") or {}).items()]
    headers += [("Set-Cookie", cookie) for cookie in result.get("cookies") or []]
    if all(name.lower() != "content-type" for name, _ in headers):
        headers.append(("Content-Type", "text/plain;charset=UTF-8"))
    try:
        status = int(result["statusCode"])
        content = base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode("utf-8")
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return FAILED
    return HttpAnswer(status, headers, content)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _pattern(template: str) -> re.Pattern[str]:
    """The path of a route as a regular expression. HTTP APIs ignore one slash at the end of the request's path."""
    expression = ""
    for part in re.split(r"(\{[^}]+\})", template):
        if part.startswith("{"):
            name = part[1:-1]
            greedy = name.endswith("+")
            expression += f"(?P<{name.rstrip('+')}>{'.+' if greedy else '[^/]+'})"
        else:
            expression += re.escape(part)
    return re.compile(f"{expression}/?", re.DOTALL)


def _specificity(route: Route) -> tuple[bool, bool, int]:
    """Routes without variables first and greedy ones last, longer ones before shorter ones."""
    return "+}" in route.key, "{" in route.key, -len(route.key)
