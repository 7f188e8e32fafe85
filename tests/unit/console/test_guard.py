"""Only this machine's own page may ask, and nothing may be changed."""

import asyncio
import itertools
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from auditwire_console.guard import HEADERS, HEADERS_OF_HTTPS, Guard, Site, behind_gateway
from console_client import HOST, Console
from searched import Archive


@pytest.fixture
def console() -> Console:
    return Console(Archive().store)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8080.evil.example", "localhost:8080", ""]
)
@pytest.mark.parametrize(
    "path", ["/", "/api/about", "/static/app.js", "/login", "/kapis/logging.kubesphere.io/v1alpha2/auditing"]
)
def test_a_foreign_host_is_misdirected(console: Console, host: str, path: str) -> None:
    assert console.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"https://{HOST}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:9"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/about"])
def test_another_sites_request_is_refused(console: Console, headers: dict[str, str], path: str) -> None:
    assert console.get(path, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers", [{}, {"origin": f"http://{HOST}"}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}]
)
def test_the_pages_own_requests_are_answered(console: Console, headers: dict[str, str]) -> None:
    response = console.get("/api/about", headers=headers)

    assert response.status_code == 200
    assert not [name for name in response.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/api/rows", "/logout", "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events"])
def test_nothing_but_get_is_answered(console: Console, method: str, path: str) -> None:
    assert console.client.request(method, path, headers={"authorization": "Bearer owner"}).status_code == 405


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/about", "/no/such/path"])
def test_every_answer_has_the_headers_that_keep_a_page_to_itself(console: Console, path: str) -> None:
    response = console.get(path)

    assert HEADERS.items() <= response.headers.items()
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", "bearer ", "Basic !", "Basic b3duZXI6d3Jvbmc=", "Token owner"]
)
def test_without_the_token_nothing_is_told(console: Console, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    own = console.client.get("/api/about", headers=headers)
    kubesphere = console.client.get(
        "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events", headers={**headers, "x-remote-user": "admin"}
    )

    assert own.status_code == 401
    assert (kubesphere.status_code, kubesphere.text) == (403, "cannot obtain user info")


def test_the_password_of_http_basic_is_the_token_too(console: Console) -> None:
    response = console.client.get("/kapis/logging.kubesphere.io/v1alpha2/auditing", auth=("anybody", "owner"))

    assert response.status_code == 200


PUBLIC = "console.example"
OTHER: dict[str, str] = {"sec-fetch-site": "cross-site"}
LINK = {**OTHER, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-user": "?1"}
OWN = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
# Where a request may come from, by the headers that a browser puts on it.
FROM: dict[str, dict[str, str]] = {
    "a client that is no browser": {},
    "the address bar": {**LINK, "sec-fetch-site": "none"},
    "the page itself": OWN,
    "the page itself, posting": {**OWN, "origin": f"https://{PUBLIC}"},
    "a link of another site": LINK,
    "a link of a neighbour": {**LINK, "sec-fetch-site": "same-site"},
    "a form of another site": {**LINK, "origin": "https://evil.example"},
    "a form of a page without an origin": {**LINK, "origin": "null"},
    "a frame of another site": {**LINK, "sec-fetch-dest": "iframe"},
    "an object of another site": {**LINK, "sec-fetch-dest": "object"},
    "a script of another site": {**OTHER, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
    "a fetch of another site": {**OTHER, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
    "the same name without TLS": {"origin": f"http://{PUBLIC}"},
}
PATHS = (
    "/", "/login", "/callback", "/logout", "/logout/", "/api/about", "/api/export", "/static/x/app.js", "//login",
    "/Login", "/login/x", "/kapis/logging.kubesphere.io/v1alpha2/auditing",
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
OWN_POST = "the page itself, posting"
# By the headers alone a client without them, and the address bar, ask for themselves.
OWN_GET = ("a client that is no browser", "the address bar", "the page itself")


def expected(path: str, where: str, method: str) -> int:
    """What a deployed console answers, said anew."""
    link = where in ("a link of another site", "a link of a neighbour") and method == "GET"
    if where not in (*OWN_GET, OWN_POST) and not (link and path in ("/", "/login", "/callback")):
        return 403
    if path == "/logout":
        return 405 if method != "POST" else 200 if where == OWN_POST else 403
    return 200 if method in ("GET", "HEAD") else 405


def statuses(where: str, *, is_public: bool) -> dict[tuple[str, str], int]:
    """What is answered, by path and method, to requests from somewhere."""
    guard = Guard(PlainTextResponse("reached"), Site(lambda scope: [PUBLIC], is_public=is_public))
    headers = [(name.encode(), value.encode()) for name, value in {"host": PUBLIC, **FROM[where]}.items()]
    found: dict[tuple[str, str], int] = {}

    async def ask(path: str, method: str) -> None:
        async def send(message: Any) -> None:
            found.setdefault((path, method), message.get("status"))

        async def receive() -> Any:
            raise AssertionError("no body is read")

        await guard({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)

    async def ask_all() -> None:
        for path, method in itertools.product(PATHS, METHODS):
            await ask(path, method)

    asyncio.run(ask_all())
    return found


@pytest.mark.parametrize("where", FROM)
def test_a_deployed_console_answers_by_path_by_method_and_by_where_a_request_comes_from(where: str) -> None:
    for (path, method), status in statuses(where, is_public=True).items():
        assert status == expected(path, where, method), (path, method)


@pytest.mark.parametrize("where", FROM)
def test_a_console_on_loopback_is_never_linked_to_and_nobody_signs_out(where: str) -> None:
    own = where in (*OWN_GET, "the same name without TLS")
    for (path, method), status in statuses(where, is_public=False).items():
        assert status == (403 if not own else 200 if method in ("GET", "HEAD") else 405), (path, method)


def test_a_deployed_console_has_the_name_that_the_gateway_was_called_by() -> None:
    asked = {"requestContext": {"domainName": PUBLIC}}
    guard = Guard(PlainTextResponse("reached"), behind_gateway())

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await guard({**scope, "aws.event": asked}, receive, send)

    answers = [TestClient(behind).get("/", headers={"host": host}) for host in (PUBLIC, "evil.example", "")]

    assert [one.status_code for one in answers] == [200, 421, 421]
    assert (HEADERS | HEADERS_OF_HTTPS).items() <= answers[0].headers.items()
    assert (HEADERS | HEADERS_OF_HTTPS).items() <= answers[1].headers.items()


def test_without_tls_no_browser_is_told_to_use_it(console: Console) -> None:
    assert not HEADERS_OF_HTTPS.keys() & console.get("/").headers.keys()


def test_nobody_is_told_to_use_tls_for_whatever_else_is_called_localhost() -> None:
    guard = Guard(PlainTextResponse("reached"), Site(lambda scope: ["localhost:8443"], is_public=True))
    answer = TestClient(guard).get("https://localhost:8443/")

    assert answer.status_code == 200
    assert not HEADERS_OF_HTTPS.keys() & answer.headers.keys()
