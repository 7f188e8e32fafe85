"""Who is signed in, for how long, and that signing out ends it."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.requests import Request

from auditwire_console.person import Person
from auditwire_console.signin import Session, Settings
from signing_in import Desk

COOKIE = 43 * "c"
JANE = Person("1234", "jane@shop.example", ("ops",))


def desk_with_session(lasts: timedelta = timedelta(hours=8), **settings: Any) -> Desk:
    """Jane's session began just now."""
    desk = Desk(**settings)
    desk.sessions.open(COOKIE, Session(JANE, desk.now, desk.now + lasts))
    return desk


def person(desk: Desk, *cookies: str) -> Person | None:
    headers = [(b"cookie", cookie.encode()) for cookie in cookies]
    return desk.sign_in.person_of(Request({"type": "http", "headers": headers}))


def test_a_session_is_who_signed_in() -> None:
    desk = desk_with_session()

    assert person(desk, f"__Host-session={COOKIE}") == JANE
    assert person(desk, f"theme=dark; __Host-session={COOKIE}; other=1") == JANE
    assert JANE.name == "jane@shop.example"
    assert Person("1234").name == "1234"


@pytest.mark.parametrize(
    "cookies",
    [
        (),
        ("",),
        (f"session={COOKIE}",),
        (f"__host-session={COOKIE}",),
        (f"__Host-signin={COOKIE}",),
        (f"__Host-session={COOKIE[:-1]}",),
        (f"__Host-session={COOKIE}c",),
        (f'__Host-session="{COOKIE}"',),
        (f"__Host-session={43 * 'd'}",),
        (f"__Host-session={COOKIE}; __Host-session={COOKIE}",),
        (f"__Host-session={COOKIE}", f"__Host-session={43 * 'd'}"),
        ("__Host-session=" + 43 * "é",),
    ],
    ids=str,
)
def test_nothing_else_is_a_session(cookies: tuple[str, ...]) -> None:
    desk = desk_with_session()

    assert person(desk, *cookies) is None


def test_a_session_ends_by_its_row_though_the_row_is_still_there() -> None:
    desk = desk_with_session(timedelta(minutes=30))

    desk.now += timedelta(minutes=30, seconds=-1)
    assert person(desk, f"__Host-session={COOKIE}") == JANE
    desk.now += timedelta(seconds=1)
    assert person(desk, f"__Host-session={COOKIE}") is None


def test_no_row_makes_a_session_longer_than_it_may_be() -> None:
    desk = desk_with_session(timedelta(days=365), session_hours=2)

    desk.now += timedelta(hours=2, seconds=-1)
    assert person(desk, f"__Host-session={COOKIE}") == JANE
    desk.now += timedelta(seconds=1)
    assert person(desk, f"__Host-session={COOKIE}") is None


def test_a_session_of_the_future_is_none() -> None:
    desk = Desk()
    desk.sessions.open(COOKIE, Session(JANE, desk.now + timedelta(hours=1), desk.now + timedelta(hours=2)))

    assert person(desk, f"__Host-session={COOKIE}") is None


def test_signing_out_ends_the_session_here_and_in_the_browser() -> None:
    desk = desk_with_session()

    answer = desk.browser().client.post("/logout", headers={"cookie": f"__Host-session={COOKIE}"})

    assert answer.status_code == 204
    assert desk.sessions.find(COOKIE) is None
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name == '__Host-session=""'
    assert {"HttpOnly", "Max-Age=0", "Path=/", "SameSite=strict", "Secure"} <= set(attributes)


@pytest.mark.parametrize("cookie", ["", f"__Host-session={43 * 'd'}", "__Host-session=x"])
def test_signing_out_of_a_session_that_is_gone_is_no_error(cookie: str) -> None:
    desk = desk_with_session()

    assert desk.browser().client.post("/logout", headers={"cookie": cookie}).status_code == 204
    assert desk.sessions.find(COOKIE) is not None


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"issuer": "http://issuer.example"}, "https address"),
        ({"issuer": "https://issuer.example?a=b"}, "https address"),
        ({"issuer": "https://issuer.example#x"}, "https address"),
        ({"issuer": "https://me:word@issuer.example"}, "https address"),
        ({"issuer": "https://"}, "https address"),
        ({"issuer": "https://issuer.example:99999"}, "https address"),
        ({"issuer": "http://127.0.0.1.issuer.example"}, "https address"),
        ({"issuer": "http://127.0.0.1@issuer.example"}, "https address"),
        ({"client_id": ""}, "client id"),
        ({"client_id": "a\nb"}, "client id"),
        ({"scopes": "email profile"}, "openid"),
        ({"session_hours": 0}, "1 to 8 hours"),
        ({"session_hours": 9}, "1 to 8 hours"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_meant_are_refused(given: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Settings(**({"issuer": "https://issuer.example", "client_id": "console"} | given))


@pytest.mark.parametrize(
    "issuer",
    [
        "https://issuer.example",
        "https://issuer.example/",
        "https://id.example:8443/realms/ops",
        "http://127.0.0.1:9",
        "http://[::1]:9",
        "http://localhost",
    ],
)
def test_an_issuer_is_https_or_on_this_machine(issuer: str) -> None:
    assert Settings(issuer, "console").issuer == issuer
