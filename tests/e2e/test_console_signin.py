"""Signing in to a deployed console in a real Chromium: over TLS, at an issuer that is another site, with real cookies.

The console is the application that the function serves, with its guard, sessions, rights and limits. Its engine can be
told to take long.
"""

import random
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from threading import Thread
from typing import Any

import pytest
import uvicorn
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from moto import mock_aws

from auditwire.search import Engine
from auditwire.search.errors import StillRunningError
from auditwire.search.scan import Scan
from auditwire_console import Grant, Limits
from auditwire_console.signin import fetch
from auditwire_console.viewer import ALL
from auditwire_local.certificate import server_context
from chromium import CHROMIUM
from local_road import exec_event
from oidc_issuer import OidcIssuer
from searched import Archive
from signed_console import SignedConsole
from signing_in import Desk
from waiting import HANG_SECONDS, until

if CHROMIUM is None:
    pytest.skip("there is no Chromium: apt-get install chromium", allow_module_level=True)

from playwright.sync_api import BrowserContext, Page, expect

from page_in_chromium import (
    MILLISECONDS,
    assert_accessible,
    launched,
    only_of,
    picture,
    rows,
    search,
    total,
)

HOSTILE = '<img src=x onerror="window.hacked=1">\'"&\u202e'
JANE = {"sub": "jane-1", "email": "jane@shop.example", "email_verified": True, "groups": ["dev"]}
BY_EMAIL = "email#jane@shop.example"
LOOKED_AT = "?is=verb%3Acreate&from="
NOT_SIGNED_IN, ENDED = "You are not signed in", "Your session has ended"


@dataclass
class Slow:
    """An engine that others work for: while it runs, an answer is not there yet."""

    engine: Engine
    name: str = "athena"
    runs: bool = False
    asked: list[str] = field(default_factory=list)

    def rows(self, query: Any, page: Any, coverage: Any) -> Iterator[Any]:
        self.wait(coverage)
        return self.engine.rows(query, page, coverage)

    def summarise(self, query: Any, wanted: Any, coverage: Any) -> Any:
        self.wait(coverage)
        return self.engine.summarise(query, wanted, coverage)

    def wait(self, coverage: Any) -> None:
        self.asked.append(coverage.search)
        if self.runs:
            raise StillRunningError


@dataclass
class World:
    console: SignedConsole
    issuer: OidcIssuer
    engine: Slow
    origin: str
    context: BrowserContext


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    archive, chance = Archive(), random.Random(1)
    names = ("create", "get", "get", "delete")
    archive.take([exec_event(n, verb=verb, user={"username": f"user-{n}"}) for n, verb in enumerate(names)])
    archive.take([exec_event(9, verb="patch", requestObject={"data": chance.randbytes(60_000).hex()})], "big")
    engine = Slow(Scan(archive.store))
    context, _ = server_context(tmp_path_factory.mktemp("tls"))
    with (
        ExitStack() as stack,
        mock_aws(),
        OidcIssuer(claims=dict(JANE)).serving() as issuer,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        host = f"localhost:{listening.getsockname()[1]}"
        issuer.redirect_uris = (f"https://{host}/callback",)
        issuer.instead["/wiki"] = (200, f'<a href="https://{host}/{LOOKED_AT}">who made it</a>'.encode())
        desk = Desk(issuer, fetch=fetch)
        limits = Limits(25, 25, 50_000)
        console = SignedConsole(archive.store, desk=desk, host=host, engine=engine, limits=limits)
        config = uvicorn.Config(
            desk.app, log_level="critical", lifespan="off", ssl_context_factory=lambda *given: context
        )
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        # The browser trusts this key: it keeps no files of a host whose certificate it only forgives.
        key = load_pem_x509_certificate(ssl.get_server_certificate(listening.getsockname()).encode()).public_key()
        digest = sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        browser = stack.enter_context(launched(f"--ignore-certificate-errors-spki-list={b64encode(digest).decode()}"))
        window: Any = {"viewport": {"width": 1360, "height": 800}, "reduced_motion": "reduce"}
        in_browser = browser.new_context(**window)
        in_browser.set_default_timeout(MILLISECONDS)
        yield World(console, issuer, engine, f"https://{host}", in_browser)
        in_browser.close()
        server.should_exit = True
        thread.join(HANG_SECONDS)


@pytest.fixture
def page(world: World) -> Iterator[Page]:
    """A page on which nobody is signed in. Jane may see everything."""
    world.issuer.claims, world.issuer.refuses = dict(JANE), {}
    world.engine.runs = False
    world.console.grant(BY_EMAIL, ALL)
    world.context.clear_cookies()
    page = world.context.new_page()
    with only_of(page, world.origin, world.issuer.url):
        yield page
    assert page.evaluate("window.hacked") is None
    for each in world.context.pages:
        each.close()


def signed_in(world: World, page: Page, search: str = LOOKED_AT) -> None:
    page.goto(f"{world.origin}/{search}")
    page.get_by_role("link", name="Sign in").click()
    rows(page).first.wait_for()


def heading(page: Page, name: str) -> Any:
    return page.get_by_role("heading", name=name)


def test_a_link_of_another_site_leads_through_the_issuer_to_the_very_address(world: World, page: Page) -> None:
    page.goto(f"{world.issuer.url}/wiki")
    page.get_by_role("link").click()
    expect(heading(page, NOT_SIGNED_IN)).to_be_visible()
    picture(page, "deployed-signed-out")
    assert_accessible(page)
    page.get_by_role("link", name="Sign in").click()
    rows(page).first.wait_for()

    assert page.url == f"{world.origin}/{LOOKED_AT}"
    assert total(page) == 1
    expect(page.get_by_text("jane@shop.example")).to_be_visible()
    picture(page, "deployed")
    assert_accessible(page)
    cookies = {one["name"]: one for one in page.context.cookies()}
    session = cookies.pop("__Host-session")
    assert (session["httpOnly"], session["secure"], session["sameSite"]) == (True, True, "Strict")
    assert not cookies
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("Object.keys(localStorage).filter((one) => one.includes('token'))") == []

    # Somebody who is signed in goes on at once: the page asks with its cookie, though the link came without it.
    page.goto(f"{world.issuer.url}/wiki")
    page.get_by_role("link").click()
    rows(page).first.wait_for()
    assert page.url == f"{world.origin}/{LOOKED_AT}"
    # A token in a link takes nobody's session away.
    page.goto(f"{world.origin}/#token=of-somebody-else")
    page.reload()
    rows(page).first.wait_for()
    # The page's files were asked for once.
    files = page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('/static/'))"
        ".map((one) => one.transferSize)"
    )
    assert len(files) > 15
    assert not any(files)


def test_a_session_that_ends_keeps_what_was_looked_for(world: World, page: Page) -> None:
    signed_in(world, page)
    try:
        world.console.desk.now += timedelta(hours=8)
        search(page, "user:user-0")
        expect(heading(page, ENDED)).to_be_visible()
        picture(page, "deployed-session-ended")
        assert_accessible(page)
        looked_at = page.url
        page.get_by_role("link", name="Sign in").click()
        rows(page).first.wait_for()
    finally:
        world.console.desk.now -= timedelta(hours=8)
    assert page.url == looked_at
    assert "user-0" in looked_at


def test_rights_that_are_taken_away_are_gone_with_the_next_search(world: World, page: Page) -> None:
    signed_in(world, page, "")
    world.console.grant(BY_EMAIL, Grant(frozenset({"prod"}), frozenset({"another"})))
    search(page, "verb:get")
    expect(heading(page, "No events")).to_be_visible()
    world.console.viewers.remove(BY_EMAIL)
    search(page, "verb:create")
    expect(heading(page, "Nothing is granted to you")).to_be_visible()
    assert "user-" not in page.locator("main").inner_text()
    picture(page, "deployed-no-rights")
    assert_accessible(page)
    world.console.grant("group#dev", ALL)
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="Clear all").click()
    rows(page).first.wait_for()
    world.console.viewers.remove("group#dev")


def test_after_signing_out_nothing_is_shown_here_or_in_another_window_or_going_back(world: World, page: Page) -> None:
    signed_in(world, page)
    search(page, "user:user-0")
    other = page.context.new_page()
    other.goto(f"{world.origin}/{LOOKED_AT}")
    rows(other).first.wait_for()
    kept = page.context.cookies()

    page.get_by_role("button", name="Sign out").click()
    expect(heading(page, NOT_SIGNED_IN)).to_be_visible()
    expect(heading(other, NOT_SIGNED_IN)).to_be_visible()
    assert page.context.cookies() == []
    for _ in range(2):
        page.go_back()
        expect(heading(page, NOT_SIGNED_IN)).to_be_visible()
        expect(rows(page)).to_have_count(0)
    # Whoever kept the cookie has nothing of it.
    page.context.add_cookies(kept)
    page.reload()
    expect(heading(page, NOT_SIGNED_IN)).to_be_visible()
    assert page.evaluate("localStorage.getItem('auditwire-recent')") is None


def test_what_an_issuer_says_is_shown_as_text(world: World, page: Page) -> None:
    world.issuer.refuses = {"error": "access_denied", "error_description": HOSTILE}
    page.goto(f"{world.origin}/{LOOKED_AT}")
    page.get_by_role("link", name="Sign in").click()
    expect(heading(page, "Not signed in")).to_be_visible()
    expect(page.locator("main")).to_contain_text("<img src=x onerror=")
    picture(page, "deployed-refused")
    assert_accessible(page)
    world.issuer.refuses = {}
    world.issuer.claims = {"sub": "<b>bob</b>", "groups": [HOSTILE.removesuffix("\u202e"), "<script>alert(1)</script>"]}
    page.get_by_role("link", name="Back to the console").click()
    page.get_by_role("link", name="Sign in").click()
    expect(heading(page, "Nothing is granted to you")).to_be_visible()
    expect(page.locator("main")).to_contain_text("<script>alert(1)</script>")
    assert page.locator("main b, main img, main script").count() == 0


def test_it_all_works_by_keyboard_alone(world: World, page: Page) -> None:
    def focused(name: str) -> bool:
        page.keyboard.press("Tab")
        return bool(page.evaluate("document.activeElement?.textContent") == name)

    page.goto(f"{world.origin}/{LOOKED_AT}")
    heading(page, NOT_SIGNED_IN).wait_for()
    assert any(focused("Sign in") for _ in range(20))
    page.keyboard.press("Enter")
    rows(page).first.wait_for()
    assert any(focused("Sign out") for _ in range(20))
    page.keyboard.press("Enter")
    expect(heading(page, NOT_SIGNED_IN)).to_be_visible()


def test_a_search_that_takes_long_says_so_and_can_be_left(world: World, page: Page) -> None:
    signed_in(world, page, "")
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    world.engine.runs = True
    world.engine.asked.clear()
    page.get_by_label("Search events").fill("verb:get")
    page.keyboard.press("Enter")
    expect(heading(page, "Athena is searching")).to_be_visible()
    expect(rows(page).first).to_be_hidden()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"0:0[1-9]"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "deployed-athena-phone-dark")
    assert_accessible(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    page.get_by_role("button", name="Search again").click()
    expect(heading(page, "Athena is searching")).to_be_visible()
    world.engine.runs = False
    until(lambda: total(page) == 2)
    # Counts of days, then of what is finer, and rows, before and after: each has one name, however often it is asked.
    assert 4 <= len(set(world.engine.asked)) <= 5 < len(world.engine.asked)


def test_what_is_too_large_for_an_answer_says_what_to_do(world: World, page: Page) -> None:
    signed_in(world, page, "?is=verb%3Apatch&from=")
    rows(page).first.locator("button.open").click()
    expect(heading(page, "Too much for one answer")).to_be_visible()
    expect(page.locator(".detail")).to_contain_text("auditwire query --export")
    picture(page, "deployed-too-large")
    assert_accessible(page)
    page.locator("summary", has_text="Export").click()
    page.get_by_role("button", name="JSON lines").click()
    expect(page.get_by_role("status").filter(has_text="larger than what a deployed console can send")).to_be_visible()


def test_another_site_can_neither_ask_nor_sign_anybody_out(world: World, page: Page) -> None:
    signed_in(world, page)
    session = page.context.cookies()
    elsewhere = page.context.new_page()
    elsewhere.goto(f"{world.issuer.url}/wiki")
    send = (
        "([url, method]) => fetch(url, {method, mode: 'no-cors', credentials: 'include'})"
        ".then((got) => got.type + got.status, () => 'refused')"
    )
    for path, method in (("/api/rows?limit=7", "GET"), ("/logout", "POST")):
        assert elsewhere.evaluate(send, [world.origin + path, method]) in ("opaque0", "refused")
    elsewhere.evaluate(
        "(url) => { const form = document.createElement('form'); form.method = 'POST'; form.action = url;"
        " document.body.append(form); form.submit(); }",
        f"{world.origin}/logout",
    )
    expect(elsewhere.locator("body")).to_contain_text("requests of other sites are not answered")
    assert not [one for one in world.console.log if one["parameters"].get("limit") == ["7"]]
    page.reload()
    rows(page).first.wait_for()
    assert page.context.cookies() == session
