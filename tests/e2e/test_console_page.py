"""The console's page in a real Chromium: searching, zooming, looking at events, hostile names, keyboard, accessibility.

The archive is a folder with a million events behind most of these, so that what is slow is seen here. Pictures of the
main states go to build/pictures.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import pytest

from auditwire.evidence.folder import FolderReader
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire_cli.console.console import server_of
from auditwire_console import Source, Viewer, Viewers
from auditwire_console.cost import Costs
from auditwire_console.viewer import ALL, digest_of
from chromium import CHROMIUM
from dev_process import AUDITWIRE
from many_events import COUNT, HOSTILE, write_archive
from paid import Paid
from waiting import HANG_SECONDS, until

if CHROMIUM is None:
    pytest.skip("there is no Chromium: apt-get install chromium", allow_module_level=True)

from playwright.sync_api import Browser, Page, expect

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


@contextmanager
def served(folder: Path, scratch: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A console over a folder, as a process of its own: the address it printed."""
    command = [*AUDITWIRE, "console", str(folder), "--no-open", "--token-file", str(scratch / "token")]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "TZ": "UTC"}
    with subprocess.Popen(command, cwd=scratch, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = next(line.strip() for line in process.stdout if line.startswith("http://"))
            yield address, process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(HANG_SECONDS) in (0, -signal.SIGTERM)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    write_archive(folder)
    return folder


@pytest.fixture(scope="module")
def address(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(archive, tmp_path_factory.mktemp("console")) as (address, _):
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that is open and has its first rows. Nothing may be logged as an error, nor asked of another host."""
    context = browser.new_context(
        viewport={"width": 1360, "height": 900}, accept_downloads=True, timezone_id="UTC", reduced_motion="reduce"
    )
    context.set_default_timeout(MILLISECONDS)
    page = context.new_page()
    with only_of(page, address.split("#", maxsplit=1)[0]):
        page.goto(address)
        rows(page).first.wait_for()
        yield page
    context.close()


def test_the_token_leaves_the_address_and_all_events_are_there(page: Page) -> None:
    assert "token" not in page.url
    assert total(page) == COUNT
    picture(page, "events")
    assert_accessible(page)


def test_searching_makes_chips_and_an_address_that_says_it_all(page: Page, browser: Browser, address: str) -> None:
    search(page, "user:mallory")
    search(page, "-verb:get")
    expect(page.locator(".chip")).to_have_count(2)
    found = total(page)
    assert 0 < found < COUNT
    assert "get" not in {text.split("\t")[1] for text in rows(page).all_inner_texts()}

    again = browser.new_page()
    again.goto(address)
    rows(again).first.wait_for(timeout=MILLISECONDS)
    again.goto(page.url)
    rows(again).first.wait_for(timeout=MILLISECONDS)
    assert total(again) == found
    again.close()

    page.go_back()
    expect(page.locator(".chip")).to_have_count(1)
    page.get_by_role("button", name="Clear all").click()
    until(lambda: total(page) == COUNT)


def test_a_bar_and_a_drag_zoom(page: Page) -> None:
    total(page)
    bars = page.locator(".bar").filter(has=page.locator(".part"))
    box = page.locator(".bars").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 50, steps=4)
    page.mouse.up()
    until(lambda: "from=" in page.url)
    until(lambda: 0 < total(page) < COUNT)
    before = total(page)
    picture(page, "zoomed")
    bars.nth(2).focus()
    page.keyboard.press("Enter")
    until(lambda: 0 < total(page) < before)


def test_more_rows_come_on_scroll_the_newest_first(page: Page) -> None:
    assert rows(page).count() == 100
    page.mouse.move(700, 700)
    page.mouse.wheel(0, 20_000)
    until(lambda: rows(page).count() >= 200)
    times = [text.split("\t")[0] for text in rows(page).all_inner_texts()]
    assert times == sorted(times, reverse=True)


def test_an_event_opens_with_its_tree_its_reasons_and_its_evidence(page: Page) -> None:
    search(page, "user:mallory")
    rows(page).first.locator("button.open").click()
    detail = page.locator(".detail")
    expect(detail.get_by_text("mallory").first).to_be_visible()
    picture(page, "event")
    assert_accessible(page)
    shown = page.evaluate(
        "import(document.querySelector('script[src]').src.replace('app.js', 'tree.js'))"
        ".then((tree) => tree.parsed('[1e400, 12345678901234567890, 1.0]'))"
    )
    assert [one["text"] for one in shown] == ["1e400", "12345678901234567890", "1.0"]
    detail.get_by_role("tab", name="Raw").click()
    expect(detail.locator("pre")).to_contain_text('"username":"mallory"')
    detail.get_by_role("tab", name="Why").click()
    expect(detail.get_by_text("When it was archived")).to_be_visible()
    assert_accessible(page)
    detail.get_by_role("tab", name="Evidence").click()
    expect(detail.get_by_text("Not sealed yet")).to_be_visible()
    assert_accessible(page)
    detail.get_by_role("button", name="Same request").click()
    expect(page.locator(".chip")).to_contain_text("audit_id")
    assert total(page) == 1


def test_names_that_are_code_are_shown_as_text(page: Page) -> None:
    for name in HOSTILE:
        page.goto(f"{page.url.split('?')[0]}?{urlencode({'is': f'user:{name}', 'from': ''})}")
        rows(page).first.wait_for()
        assert total(page) == 1
        rows(page).first.locator("button.open").click()
        page.locator(".detail .tree").wait_for()
        page.locator(".detail").get_by_role("button", name="Close the event").click()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[onerror], script:not([src])").count() == 0


def test_everything_works_by_keyboard_alone(page: Page) -> None:
    page.locator("body").press("/")
    expect(page.get_by_label("Search events")).to_be_focused()
    page.keyboard.type("verb:delete")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_contain_text("verb is delete")
    total(page)
    rows(page).first.locator("button.open").focus()
    page.keyboard.press("j")
    expect(rows(page).nth(1).locator("button.open")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_be_focused()
    page.locator("#tab-event").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-raw")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".detail")).to_have_count(0)
    page.locator("body").press("?")
    expect(page.get_by_role("region", name="Keys")).to_be_visible()


def test_exports_are_what_is_shown(page: Page) -> None:
    search(page, "user:mallory")
    found = total(page)
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as lines:
        page.get_by_role("button", name="JSON lines").click()
    with page.expect_download() as cells:
        page.get_by_role("button", name="CSV").click()
    assert len(Path(lines.value.path()).read_bytes().splitlines()) == found
    assert len(Path(cells.value.path()).read_text().splitlines()) == found + 1


def test_facets_filter_for_and_out(page: Page) -> None:
    total(page)
    page.locator(".facets").get_by_role("button", name="Without verb get").click()
    until(lambda: 0 < total(page) < COUNT)
    page.locator(".facets button.value", has_text="mallory").click()
    expect(page.locator(".chip")).to_have_count(2)


@pytest.mark.parametrize("name", ["Alerts", "Rules", "Clusters", "Ledger"])
def test_the_other_pages_are_there_and_accessible(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name).click()
    heading = page.get_by_role("heading", level=1, name=name)
    expect(heading).to_be_visible()
    page.locator(".coverage, .notice").first.wait_for()
    assert heading.evaluate("one => one.compareDocumentPosition(document.querySelector('.coverage, .notice'))") == 4
    picture(page, name.lower())
    assert_accessible(page)


def test_nothing_found_and_wrong_searches_say_what_to_do(page: Page) -> None:
    search(page, "user:nobody-at-all")
    expect(page.get_by_role("heading", name="No events")).to_be_visible()
    picture(page, "empty")
    assert_accessible(page)
    page.evaluate("history.pushState(null, '', '?is=nofield:x&from=')")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("the fields are")
    picture(page, "wrong")
    assert_accessible(page)


def test_it_is_usable_on_a_phone_and_in_the_dark(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    total(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "phone-dark")
    assert_accessible(page)
    rows(page).first.locator("button.open").click()
    page.locator(".detail .tree").wait_for()
    picture(page, "phone-event")
    assert_accessible(page)


def test_without_a_token_and_without_a_console_it_says_so(browser: Browser, archive: Path, tmp_path: Path) -> None:
    page = browser.new_page()
    page.set_default_timeout(MILLISECONDS)
    with served(archive, tmp_path) as (address, _):
        page.goto(address.split("#")[0])
        expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
        picture(page, "signed-out")
        assert_accessible(page)
        page.goto("about:blank")
        page.goto(address)
        rows(page).first.wait_for()
    search(page, "verb:get")
    expect(page.get_by_role("heading", name="No connection").first).to_be_visible()
    picture(page, "no-connection")
    page.close()


def test_a_search_that_costs_much_is_asked_about_before_it_runs(browser: Browser, archive: Path) -> None:
    reader = FolderReader(archive)
    engine = Paid(DuckDBEngine(reader), "duckdb", dollars=0.4)
    with served_in_thread(reader, engine, limit=0.5) as address:
        page = browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.goto(address)
        expect(page.get_by_role("heading", name="This search may cost $1.20")).to_be_visible()
        assert engine.asked == []
        picture(page, "costly")
        assert_accessible(page)
        page.get_by_role("button", name="Search for up to $1.20").click()
        rows(page).first.wait_for()
        assert total(page) == COUNT
        expect(page.get_by_role("button", name="Count the most frequent values")).to_be_visible()
        page.close()


@contextmanager
def served_in_thread(reader: FolderReader, engine: Paid, limit: float) -> Iterator[str]:
    """A console whose searches have a price: its address with the token."""
    source = Source("paid", engine, reader, {}, lambda: datetime.now(UTC), costs=Costs((engine,), limit))
    you = Viewer("you", (ALL,))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = server_of(source, Viewers({digest_of("t"): you}), port)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}/#token=t"
        server.should_exit = True
        thread.join(HANG_SECONDS)


def test_a_page_of_another_site_cannot_ask(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto("data:text/html,<p>another site</p>")
    asked = page.evaluate(
        "(url) => fetch(url, {mode: 'no-cors'}).then((got) => got.type + got.status, (error) => 'refused')",
        f"{address.split('#', maxsplit=1)[0]}api/about",
    )
    assert asked in ("opaque0", "refused")
    page.close()
