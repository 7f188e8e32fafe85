"""A document's text as YAML nodes that know their place, down to single characters inside a scalar.

PyYAML composes the nodes, but constructs no objects, so a document can only contain plain values.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import yaml

from auditwire.documents.diagnostics import Diagnostic, Severity
from auditwire.documents.source import Source
from auditwire.documents.utf16 import UTF16_HINT, is_utf16

MAX_DOCUMENT: Final = 1 << 20
"""The largest rules file, in characters."""

MAX_NESTING: Final = 64
MAX_ALIASES: Final = 100

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Report:
    """Collects the findings of one source, each with its place."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text.splitlines() or [""]
        self.diagnostics: list[Diagnostic] = []

    def at(
        self,
        node: yaml.Node | None,
        code: str,
        message: str,
        hint: str = "",
        *,
        severity: Severity = Severity.ERROR,
        offset: int | None = None,
        rule: str = "",
    ) -> None:
        """Adds a finding at a node, or at the character ``offset`` of a scalar's value."""
        line, column = (0, 0) if node is None else self.place(node, offset)
        source_line = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        self.diagnostics.append(
            Diagnostic(
                code=code, severity=severity, message=message, hint=hint, path=self.source.path,
                line=line, column=column, rule=rule, source=source_line,
            )
        )  # fmt: skip

    def place(self, node: yaml.Node, offset: int | None = None) -> tuple[int, int]:
        """The line and column, from 1, of a node or of one character of a scalar's value."""
        start = node.start_mark
        if offset is None or not isinstance(node, yaml.ScalarNode):
            return start.line + 1, start.column + 1
        index = indexes_in_source(self.source.text, node, [offset])[0]
        before = self.source.text[:index]
        return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1


def compose(report: Report) -> Iterator[yaml.Node]:
    """Yields the documents of a source as nodes, without empty ones. Faults are reported (AW201, AW214)."""
    text = report.source.text
    if len(text) > MAX_DOCUMENT:
        report.at(None, "AW214", f"the file has {len(text):,} characters, the limit is {MAX_DOCUMENT:,}", "split it")
        return
    if is_utf16(text):
        report.at(None, "AW201", "the file is UTF-16, not UTF-8", UTF16_HINT)
        return
    try:
        if not _within_limits(report):
            return
        yield from (node for node in yaml.compose_all(text, _Loader) if not _is_null(node))
    except yaml.MarkedYAMLError as error:
        _report_fault(report, error)
    except (yaml.YAMLError, ValueError) as error:
        report.at(None, "AW201", f"the file is not YAML: {str(error).splitlines()[0]}")


def _within_limits(report: Report) -> bool:
    depth = aliases = 0
    for event in yaml.parse(report.source.text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > MAX_NESTING or aliases > MAX_ALIASES:
            what = (
                f"nests deeper than {MAX_NESTING} levels"
                if depth > MAX_NESTING
                else f"has more than {MAX_ALIASES} aliases"
            )
            report.at(None, "AW214", f"the file {what}", "write it out flat: a rules file needs neither")
            return False
    return True


def _report_fault(report: Report, error: yaml.MarkedYAMLError) -> None:
    mark = error.problem_mark or error.context_mark
    problem = " ".join(part for part in (error.context, error.problem) if part) or "not YAML"
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    source = report.lines[line - 1] if 0 < line <= len(report.lines) else ""
    indentation = source[: len(source) - len(source.lstrip())]
    hint = "indent with spaces: YAML allows no tabs" if "\t" in indentation else ""
    report.diagnostics.append(
        Diagnostic(
            code="AW201", severity=Severity.ERROR, message=f"the file is not YAML: {problem}", hint=hint,
            path=report.source.path, line=line, column=column, source=source,
        )
    )  # fmt: skip


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def indexes_in_source(text: str, node: yaml.ScalarNode, offsets: Iterable[int]) -> list[int]:
    """Where in ``text`` the characters at these ascending ``offsets`` of the scalar's value are.

    The offset behind the last character gives the place right behind the scalar.
    """
    places = _places(text, node)
    indexes: list[int] = []
    index, position = next(places), 0
    for offset in offsets:
        while position < min(offset, len(node.value)):
            index = next(places)
            position += 1
        indexes.append(min(index, len(text)))
    return indexes


def _places(text: str, node: yaml.ScalarNode) -> Iterator[int]:
    """Yields the index of each character of the value, and then the one behind the last.

    Walks source and value side by side. Where YAML folded, escaped or dedented, the source is skipped until both agree
    again.
    """
    index = _behind_properties(text, _index_of_mark(text, node.start_mark))
    value = node.value
    style = node.style
    indent = 0
    if style in ("|", ">"):
        index = text.find("\n", index) + 1
        content = _behind(text, index, " \t\n")
        indent = content - (text.rfind("\n", 0, content) + 1) - _leading_spaces(value.lstrip("\n"))
        index += min(_behind(text, index, " \t", content) - index, indent)
    elif style in ("'", '"'):
        index += 1
    for character in value:
        index = _skip_escaped_newline(text, index, style)
        yield index
        index = _advance(text, index, character, style, indent)
    yield _skip_escaped_newline(text, index, style)


def _advance(text: str, index: int, character: str, style: str | None, indent: int) -> int:
    """The index behind the source of one character of the value."""
    if style == '"' and text.startswith("\\", index):
        return index + {"x": 4, "u": 6, "U": 10}.get(text[index + 1 : index + 2], 2)
    if style == "'" and character == "'":
        return index + 2
    if character in " \n":
        if text[index : index + 1] not in (" ", "\t", "\n"):
            return index  # a fold of several line ends, which have been passed already
        run = _behind(text, index, " \t")
        if text.startswith("\n", run):
            run += 1
            while style != "|" and text.startswith("\n", run):
                run += 1
            blanks = _behind(text, run, " \t\n") - run
            return run + (min(blanks, indent) if style in ("|", ">") else blanks)
    return index + 1


def _skip_escaped_newline(text: str, index: int, style: str | None) -> int:
    while style == '"' and text.startswith("\\\n", index):
        index = _behind(text, index + 2, " \t\n")
    return index


def _leading_spaces(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))


def _behind(text: str, index: int, characters: str, end: int | None = None) -> int:
    """The index of the first character, from ``index`` on, that is none of these."""
    end = len(text) if end is None else end
    while index < end and text[index] in characters:
        index += 1
    return index


def _behind_properties(text: str, index: int) -> int:
    """The index behind the anchor (``&name``) and the tag (``!tag``) that may precede a scalar."""
    while text[index : index + 1] in ("&", "!"):
        while index < len(text) and text[index] not in " \t\n":
            index += 1
        index = _behind(text, index, " \t\n")
    return index


def _index_of_mark(text: str, mark: yaml.Mark) -> int:
    index = 0
    for _ in range(mark.line):
        index = text.find("\n", index) + 1
    return index + mark.column
