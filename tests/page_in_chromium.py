"""The console's page in a real Chromium: what tests of it do and look for. Pictures go to build/pictures."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chromium import CHROMIUM
from waiting import HANG_SECONDS

PICTURES = Path(__file__).parents[1] / "build" / "pictures"
MILLISECONDS = HANG_SECONDS * 1000
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
expect.set_options(timeout=MILLISECONDS)


@contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_ARGUMENTS, *arguments])
        yield browser
        browser.close()


@contextmanager
def only_of(page: Page, *hosts: str) -> Iterator[None]:
    """Inside, nothing may be logged as an error, nor asked of another host than these."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith((*hosts, "blob:")) else problems.append(asked.url))
    yield
    assert [one for one in problems if not one.startswith("Failed to load resource")] == []


def rows(page: Page) -> Any:
    return page.locator("table.events tbody tr")


def total(page: Page) -> int:
    """The number of events, once it is there."""
    settled = page.locator('.total[aria-busy="false"]')
    expect(settled).to_have_text(re.compile(r"[0-9,]+ events?"), timeout=MILLISECONDS)
    return int(settled.inner_text().split()[0].replace(",", ""))


def search(page: Page, typed: str) -> None:
    page.get_by_label("Search events").fill(typed)
    page.keyboard.press("Enter")
    expect(page.locator('.results[aria-busy="true"]')).to_have_count(0)


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
