"""The page's files: what is vendored is what was taken, and nothing of the page is from elsewhere."""

import hashlib
import json
import re

from auditwire_console.guard import HEADERS
from auditwire_console.page import STATIC
from console_client import Console
from searched import Archive


def test_vendored_files_are_as_they_were_published() -> None:
    lock = json.loads((STATIC / "vendor" / "lock.json").read_text())

    assert {path.name for path in (STATIC / "vendor").glob("*.js")} == set(lock)
    for name, entry in lock.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == entry["sha256"]
        for licence in entry["licences"].values():
            file = re.search(r"\(([^)]+)\)", licence)
            assert file
            assert (STATIC / "vendor" / file[1]).is_file()


def test_the_page_needs_nothing_from_elsewhere() -> None:
    for path in STATIC.glob("*.*"):
        text = path.read_text()
        addresses = re.findall(r"""(?:from|import|src|href|url)\s*[=(]?\s*["'(]([^"')]+)["')]""", text)
        assert not [one for one in addresses if one.startswith(("http:", "https:", "//"))], path.name
        assert "innerHTML" not in text
        assert "dangerouslySetInnerHTML" not in text


def test_the_page_has_no_style_or_script_of_its_own_in_the_markup() -> None:
    markup = (STATIC / "index.html").read_text()

    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=", markup)


def test_the_page_is_asked_for_each_time_and_its_files_once() -> None:
    console = Console(Archive().store)
    page = console.get("/")
    addresses = re.findall(r'"(/static/[^"]+)"', page.text)

    assert page.headers["cache-control"] == "no-store"
    # Every module is named, so that none is asked for only when another has come.
    modules = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js")}
    assert sorted(one.split("/", 3)[3] for one in addresses) == sorted({"icon.svg", "style.css"} | modules)
    for address in addresses:
        answer = console.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert HEADERS.keys() <= answer.headers.keys()
    for other in ("/static/app.js", "/static/0123456789abcdef/app.js", addresses[0].replace("icon", "no-icon")):
        missing = console.get(other)
        assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
