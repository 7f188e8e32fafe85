"""The pages of the documentation: which there are, and what commands they show."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "events" / "README.md",
    ROOT / "fuzz" / "README.md",
]
# Where one command of a line ends and the next begins, and what sends its output elsewhere.
_BETWEEN = {"|", "&", "&&", ";"}
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


@dataclass(frozen=True)
class Shown:
    """A command line as a page shows it, ``text`` as somebody would type it, and the ``output`` shown below it."""

    page: Path
    line: int
    text: str
    output: str = ""

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[list[str]]:
        """The words of each of its commands, without what is redirected and without a comment."""
        lexer = shlex.shlex(self.text, posix=True, punctuation_chars="|&;<>")
        lexer.commenters = "#"
        lexer.whitespace_split = True
        found: list[list[str]] = [[]]
        skip = False
        for word in lexer:
            if word in _BETWEEN:
                found.append([])
            elif set(word) <= {">", "<"}:
                skip = True
            elif not skip:
                found[-1].append(word)
            else:
                skip = False
        return [words for words in found if words]


def fences(page: Path) -> Iterator[tuple[str, int, str]]:
    """Each block of a page: its language, the line it begins at, and its lines without their indentation."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        lines = (line.removeprefix(found["indent"]) for line in found["body"].splitlines())
        yield found["language"], text.count("\n", 0, found.start("body")) + 1, "\n".join(lines)


def shown(page: Path) -> Iterator[Shown]:
    """The commands of a page in their order: every line of a ``console`` block that begins with a dollar."""
    for language, first, body in fences(page):
        if language != "console":
            continue
        lines = body.splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            last = start
            while lines[last].endswith("\\"):
                last += 1
            text = "\n".join(lines[start : last + 1]).removeprefix("$ ").replace("\\\n", " ")
            yield Shown(page, first + start, text, "\n".join(lines[last + 1 : end]))


def named(page: Path) -> Iterator[Shown]:
    """The commands of auditwire that the running text names in backticks, often without all of their arguments."""
    text = page.read_text(encoding="utf-8")
    for language, _, body in fences(page):
        text = text.replace(body, re.sub(r"[^\n]", " ", body)) if language else text
    for found in _SPAN.finditer(text):
        words = " ".join(found[1].split())
        if words.startswith("auditwire ") and "…" not in words:
            yield Shown(page, text.count("\n", 0, found.start()) + 1, words)
