"""Every link of the pages leads somewhere: to a file that is there, and to a heading that it has."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages import PAGES, ROOT, fences

_LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """How the headings of a page are addressed on GitHub, GitLab and most others."""
    text = page.read_text(encoding="utf-8")
    for _, _, body in fences(page):
        text = text.replace(body, "")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists():
            yield f"{target}: there is no such file"
        elif anchor and anchor not in anchors(path):
            yield f"{target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in _LINK.findall(index.read_text(encoding="utf-8"))}

    assert set(PAGES) - linked == {index, ROOT / "README.md"}


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One heading\n\n[a](#one-heading) [b](#two) [c](other.md) [d](page.md#one-heading)\n")

    assert list(broken(page)) == ["#two: there is no such heading", "other.md: there is no such file"]


def test_the_modules_in_the_tables_of_the_architecture_exist() -> None:
    library = ROOT / "layers" / "auditwire" / "auditwire"
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| module of `(\w+)` \|.*\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    named = [(package, name) for package, rows in tables for row in rows.splitlines() for name in _named(row)]

    assert len(named) > 40
    files = {path.relative_to(library).as_posix() for path in library.rglob("*")}
    assert {f"{package}/{name}" for package, name in named} <= files | {name.removesuffix(".py") for name in files}


def _named(row: str) -> list[str]:
    """What stands in backticks in the first column of a table."""
    return re.findall(r"`([\w.]+)`", row.split("|")[1])
