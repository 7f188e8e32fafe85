"""Signing in from the first redirect to the session, and what a browser can bring back that is no sign-in."""

import logging
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from aws_errors import client_error
from oidc_issuer import OidcIssuer
from signing_in import Desk

NOT_BEGUN = "This sign-in did not begin in this browser"


def attributes_of(cookie: str) -> tuple[str, set[str]]:
    name, *attributes = cookie.split("; ")
    return name.partition("=")[0], set(attributes)


def test_whoever_signs_in_has_a_session_and_is_led_on() -> None:
    desk = Desk(OidcIssuer(claims={"sub": "1234", "email": "Jane@Shop.example", "email_verified": True}))
    browser = desk.browser()

    answer = browser.sign_in("/login?to=%2F%3Fis%3Dverb%3Aget%26x%3D%22")

    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=/?is=verb:get&amp;x=&quot;">' in answer.text
    assert browser.name == "jane@shop.example"
    assert desk.issuer.asked == ["/.well-known/openid-configuration", "/token", "/keys"]
    browser.client.post("/logout")
    assert browser.name == ""


def test_the_browser_takes_no_secret_of_the_sign_in_to_the_issuer() -> None:
    desk = Desk()

    asked = desk.browser().begin()

    [transaction] = desk.sessions.transactions.values()
    assert set(asked) == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert transaction.verifier not in asked.values()
    assert asked["redirect_uri"] == "https://console.example/callback"
    assert asked["scope"] == "openid email"


def test_an_endpoint_keeps_its_own_query() -> None:
    issuer = OidcIssuer(discovery={"authorization_endpoint": "https://issuer.example/authorize?tenant=a"})

    location = Desk(issuer).browser().get("/login").headers["location"]

    assert location.startswith("https://issuer.example/authorize?tenant=a&response_type=code&")


def test_both_cookies_are_for_this_host_alone_and_no_script() -> None:
    browser = Desk(session_hours=3).browser()

    begun = browser.get("/login")
    asked = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
    done = browser.get(browser.at_issuer(asked))

    common = {"Secure", "HttpOnly", "Path=/"}
    [sign_in] = begun.headers.get_list("set-cookie")
    assert attributes_of(sign_in) == ("__Host-signin", common | {"SameSite=lax", "Max-Age=600"})
    session, ended = done.headers.get_list("set-cookie")
    assert attributes_of(session) == ("__Host-session", common | {"SameSite=strict", "Max-Age=10800"})
    name, attributes = attributes_of(ended)
    assert (name, attributes >= common | {"SameSite=lax", "Max-Age=0"}) == ("__Host-signin", True)


@pytest.mark.parametrize(
    "proofs",
    [None, ["client_secret_basic"], ["client_secret_post"], ["private_key_jwt", "client_secret_post"]],
    ids=str,
)
def test_a_client_shows_its_secret_as_the_issuer_takes_it(proofs: list[str] | None) -> None:
    issuer = OidcIssuer(client_id="con sole:1", client_secret="s:cr%t+/=&ä")
    issuer.discovery = {"token_endpoint_auth_methods_supported": proofs}
    browser = Desk(issuer).browser()

    browser.sign_in()

    assert browser.name == "1234"


def test_a_session_ends_with_its_hours() -> None:
    desk = Desk(session_hours=1)
    browser = desk.browser()
    browser.sign_in()

    desk.now += timedelta(minutes=59)
    assert browser.name == "1234"
    desk.now += timedelta(minutes=1)
    assert browser.name == ""


# --- what is no sign-in


def test_a_callback_is_good_once() -> None:
    browser = Desk().browser()
    back = browser.at_issuer(browser.begin())
    browser.get(back)

    again = browser.get(back)

    assert (again.status_code, NOT_BEGUN in again.text) == (403, True)
    assert "set-cookie" not in again.headers
    assert browser.name == "1234"


def test_of_two_callbacks_at_once_one_is_a_sign_in() -> None:
    # The second comes while the first asks the issuer, with the cookie that the first has not taken away yet.
    desk = Desk()
    browser = desk.browser()
    back = browser.at_issuer(browser.begin())
    second: list[Any] = []

    def meanwhile(claims: dict[str, Any]) -> str:
        second.append(browser.get(back))
        return desk.issuer.signed(claims)

    desk.issuer.forged = meanwhile

    first = browser.get(back)

    assert (first.status_code, second[0].status_code) == (200, 403)
    assert len(desk.sessions.sessions) == 1


def test_a_callback_is_for_the_browser_that_began() -> None:
    desk = Desk()
    mine, other, third = desk.browser(), desk.browser(), desk.browser()
    back = mine.at_issuer(mine.begin())
    other.begin()

    for stranger in (other, third):
        answer = stranger.get(back)
        assert (answer.status_code, NOT_BEGUN in answer.text) == (403, True)
        assert stranger.name == ""
    mine.get(back)
    assert mine.name == "1234"


def test_the_later_of_two_sign_ins_in_a_browser_counts_and_the_earlier_does_not_spoil_it() -> None:
    browser = Desk().browser()
    earlier = browser.at_issuer(browser.begin())
    later = browser.at_issuer(browser.begin())

    assert browser.get(earlier).status_code == 403
    assert browser.get(later).status_code == 200
    assert browser.name == "1234"


def test_a_code_of_another_sign_in_is_worth_nothing() -> None:
    desk = Desk()
    mallory, jane = desk.browser(), desk.browser()
    stolen = jane.at_issuer(jane.begin()).partition("code=")[2].partition("&")[0]
    asked = mallory.begin()

    answer = mallory.get(f"/callback?state={asked['state']}&code={stolen}&iss={desk.issuer.url}")

    assert (answer.status_code, "does not take this sign-in" in answer.text) == (403, True)
    assert mallory.name == ""


def test_a_sign_in_takes_ten_minutes_at_most() -> None:
    desk = Desk()
    slow, quick = desk.browser(), desk.browser()
    late, in_time = slow.at_issuer(slow.begin()), quick.at_issuer(quick.begin())

    desk.now += timedelta(minutes=10, seconds=-1)
    assert quick.get(in_time).status_code == 200
    desk.now += timedelta(seconds=1)
    assert slow.get(late).status_code == 403
    assert slow.name == ""


CHANGES: dict[str, Callable[[str, str], str]] = {
    "state of another": lambda back, state: back.replace(state, 43 * "s"),
    "state shortened": lambda back, state: back.replace(state, state[:-1]),
    "no state": lambda back, state: back.replace(f"state={state}&", ""),
    "empty state": lambda back, state: back.replace(state, ""),
    "two states": lambda back, state: f"{back}&state={state}",
    "two codes": lambda back, state: f"{back}&code=x",
    "another issuer": lambda back, state: back.replace("issuer.example", "other.example"),
    "issuer with a slash": lambda back, state: back.replace("issuer.example", "issuer.example%2F"),
    "no issuer": lambda back, state: back.replace("&iss=https%3A%2F%2Fissuer.example", ""),
    "no code": lambda back, state: back.replace("&code=", "&other="),
    "another code": lambda back, state: back.replace("&code=", "&code=x"),
    "long code": lambda back, state: back.replace("&code=", "&code=" + 8000 * "x"),
    "strange code": lambda back, state: back.replace("&code=", "&code=%00%0a%f0%28%8c"),
    "an error too": lambda back, state: f"{back}&error=server_error",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_callback_that_was_changed_is_no_sign_in(change: str) -> None:
    desk = Desk()
    browser = desk.browser()
    asked = browser.begin()
    back = browser.at_issuer(asked)
    changed = CHANGES[change](back, asked["state"])
    assert changed != back

    answer = browser.get(changed)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert (browser.name, desk.sessions.sessions) == ("", {})


def test_an_issuer_that_does_not_promise_to_name_itself_need_not_but_not_as_another() -> None:
    desk = Desk(OidcIssuer(discovery={"authorization_response_iss_parameter_supported": None}))
    silent, other = desk.browser(), desk.browser()
    named = "&iss=https%3A%2F%2Fissuer.example"

    assert silent.get(silent.at_issuer(silent.begin()).replace(named, "")).status_code == 200
    assert other.get(other.at_issuer(other.begin()).replace(named, f"{named}.other")).status_code == 403


@pytest.mark.parametrize("odd", [False, True])
def test_what_the_issuer_says_of_its_refusal_is_shown_as_text(odd: bool) -> None:
    words = "<img src=x onerror=alert(1)>\n\u202e" + 500 * "x"
    desk = Desk(OidcIssuer(refuses={"error": words if odd else "access_denied", "error_description": words}))

    answer = desk.browser().sign_in()

    assert answer.status_code == 403
    assert "&lt;img src=x onerror=alert(1)&gt;" in answer.text
    assert ("access_denied: &lt;img" in answer.text) == (not odd)
    assert "<img" not in answer.text
    assert "\u202e" not in answer.text
    assert len(answer.text) < 1500


def test_the_words_of_a_refusal_that_nobody_waits_for_are_not_shown() -> None:
    answer = Desk().browser().get("/callback?error=access_denied&error_description=call+0123&state=x")

    assert (answer.status_code, "0123" in answer.text, NOT_BEGUN in answer.text) == (403, False, True)


# --- fixation and theft


def test_no_cookie_that_was_there_before_becomes_a_session() -> None:
    desk = Desk()
    browser = desk.browser()
    for name in ("__Host-session", "__Host-signin"):
        browser.client.cookies.set(name, 43 * "p", domain="console.example")
    back = browser.at_issuer(browser.begin())
    before = [str(cookie.value) for cookie in browser.client.cookies.jar]

    done = browser.get(back)

    made = done.headers.get_list("set-cookie")[0].removeprefix("__Host-session=").partition(";")[0]
    assert len(set(before)) == 2
    assert made not in before
    for value in (made, *before):
        mallory = desk.browser()
        mallory.client.cookies.set("__Host-session", value, domain="console.example")
        assert mallory.name == ("1234" if value == made else "")


def test_the_cookie_of_a_sign_in_is_no_session() -> None:
    browser = Desk().browser()
    browser.begin()
    [begun] = browser.client.cookies.jar
    browser.client.cookies.set("__Host-session", str(begun.value), domain="console.example")

    assert browser.name == ""


def test_every_sign_in_has_secrets_of_its_own() -> None:
    desk = Desk()
    browsers = [desk.browser() for _ in range(3)]

    asked = [browser.begin() for browser in browsers]

    transactions = list(desk.sessions.transactions.values())
    found = [(one.state, one.nonce, one.verifier) for one in transactions]
    cookies = [cookie.value for browser in browsers for cookie in browser.client.cookies.jar]
    assert len({secret for secrets in found for secret in secrets} | set(cookies)) == 12
    assert {one["state"] for one in asked} == {one.state for one in transactions}


def test_no_log_and_no_page_holds_a_code_a_token_a_secret_or_a_cookie(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens: list[str] = []
    issuer = OidcIssuer(client_secret="the-clients-secret")

    def give(claims: dict[str, Any]) -> str:
        tokens.append(issuer.signed(claims))
        return tokens[-1]

    issuer.forged = give
    desk = Desk(issuer)
    browser = desk.browser()
    back = browser.at_issuer(browser.begin())
    [transaction] = desk.sessions.transactions.values()
    [code] = issuer.codes

    pages = [browser.get(back), browser.get(back)]
    issuer.claims["aud"] = "x"
    pages.append(browser.sign_in())

    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith("auditwire"))
    seen = logged + "".join(page.text for page in pages) + repr(transaction)
    secrets = [transaction.state, transaction.nonce, transaction.verifier, code, *tokens, "the-clients-secret"]
    secrets += [b64encode(b"console:the-clients-secret").decode()]
    secrets += [str(cookie.value) for cookie in browser.client.cookies.jar]
    assert "signed in" in seen
    assert "is for another client" in seen
    assert [secret for secret in secrets if secret in seen] == []


# --- what is out of order


@pytest.mark.parametrize("path", ["/login", "/callback"])
def test_an_issuer_that_is_down_is_a_sentence(path: str) -> None:
    desk = Desk()
    browser = desk.browser()
    back = browser.at_issuer(browser.begin())
    desk.issuer.is_down = True
    desk.now += timedelta(minutes=5)

    answer = browser.get(back) if path == "/callback" else Desk(desk.issuer).browser().get("/login")

    assert answer.status_code == 502
    assert "The issuer&#x27;s host issuer.example does not answer (connection refused)" in answer.text


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (302, b"", "answers 302"),
        (500, b"<h1>down</h1>", "answers 500"),
        (401, b'{"error":"invalid_client"}', "answers 401: invalid_client"),
        (400, b'{"error":"<b>"}', "answers 400: &lt;b&gt;"),
        (400, b'{"error":["invalid_grant"]}', "answers 400."),
        (200, b"[]", "no JSON object"),
        (200, b"{" + 2_000 * b"[", "no JSON object"),
        (200, b'{"x":"' + (1 << 20) * b"x" + b'"}', "no JSON object"),
        (200, b"\xff", "no JSON object"),
        (200, b"{}", "gave no ID token"),
        (200, b'{"id_token":["x"]}', "gave no ID token"),
        (200, b'{"id_token":""}', "cannot be read"),
        (200, '{"id_token":"ä.ö.ü"}'.encode(), "cannot be read"),
    ],
    ids=str,
)
def test_a_token_endpoint_that_answers_something_else_is_a_sentence(status: int, body: bytes, problem: str) -> None:
    desk = Desk(OidcIssuer(instead={"/token": (status, body)}))
    browser = desk.browser()

    answer = browser.sign_in()

    assert answer.status_code == 502
    assert problem in answer.text
    assert browser.name == ""
    assert "/elsewhere" not in desk.issuer.asked


def test_an_issuer_that_takes_no_secret_in_a_known_way_is_a_sentence() -> None:
    issuer = OidcIssuer(client_secret="s", discovery={"token_endpoint_auth_methods_supported": ["private_key_jwt"]})

    assert "in no way that the console knows" in Desk(issuer).browser().sign_in().text


def test_a_secret_that_cannot_be_read_is_a_sentence() -> None:
    def refuse() -> str:
        raise client_error(400, "AccessDeniedException")

    answer = Desk(secret=refuse).browser().sign_in()

    assert (answer.status_code, "cannot read its client" in answer.text) == (503, True)


@pytest.mark.parametrize("host", ["console.example/x", "a b", "", "console.example:https", "ä.example"])
def test_a_host_that_is_none_is_not_where_anybody_is_sent_back_to(host: str) -> None:
    answer = Desk().browser().client.get("/login", headers=[(b"host", host.encode())])

    assert (answer.status_code, "names no host" in answer.text) == (403, True)


def test_groups_beyond_those_that_count_are_said_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    desk = Desk(OidcIssuer(claims={"sub": "1234", "groups": [f"group-{number}" for number in range(3_000)]}))

    answer = desk.browser().sign_in()

    assert "200 of your groups count. Left out: 2,800." in answer.text
    assert ("refresh" in answer.text, '<a href="/">Go on</a>' in answer.text) == (False, True)
    assert "1234 signed in; groups that count: 200, left out: 2800" in caplog.text
    [session] = desk.sessions.sessions.values()
    assert session.person.groups == tuple(f"group-{number}" for number in range(200))
