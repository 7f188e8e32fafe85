"""Only this machine's own page may ask, and nothing may be changed."""

import pytest

from auditwire_console.guard import HEADERS
from console_client import HOST, Console
from searched import Archive


@pytest.fixture
def console() -> Console:
    return Console(Archive().store)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8080.evil.example", "localhost:8080", ""]
)
@pytest.mark.parametrize(
    "path", ["/", "/api/about", "/static/app.js", "/kapis/logging.kubesphere.io/v1alpha2/auditing"]
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
@pytest.mark.parametrize("path", ["/", "/api/rows", "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events"])
def test_nothing_but_get_is_answered(console: Console, method: str, path: str) -> None:
    assert console.client.request(method, path, headers={"authorization": "Bearer owner"}).status_code == 405


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/static/style.css", "/api/about", "/no/such/path"])
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
