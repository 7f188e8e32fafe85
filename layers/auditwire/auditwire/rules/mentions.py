"""Finding where documents mention names: every ``${name}``, in texts that parse and in texts that do not."""

from collections.abc import Iterator
from dataclasses import dataclass

from auditwire.condition.quoting import REFERENCE
from auditwire.rules.document import Entry, RuleDocument, Scalar


@dataclass(frozen=True, slots=True)
class Mention:
    """One ``${name}``: its place, as a character of its scalar, and whether that is an output."""

    name: str
    document: RuleDocument
    entry: Entry
    scalar: Scalar
    offset: int
    is_output: bool


def mentions(documents: list[RuleDocument]) -> Iterator[Mention]:
    """Yields every mention of a name in conditions, macros, lists, outputs and thresholds."""
    for document in documents:
        for entry in document.entries:
            for item in entry.items:
                yield from _in(Scalar(item.text, item.node), document, entry, is_output=False)
            if entry.condition is not None:
                yield from _in(entry.condition, document, entry, is_output=False)
            if entry.output is not None:
                yield from _in(entry.output, document, entry, is_output=True)
            if entry.threshold is not None:
                for scalar in filter(None, (*entry.threshold.by, entry.threshold.distinct)):
                    yield from _in(scalar, document, entry, is_output=False)


def _in(scalar: Scalar, document: RuleDocument, entry: Entry, *, is_output: bool) -> Iterator[Mention]:
    for match in REFERENCE.finditer(scalar.text):
        yield Mention(match[1], document, entry, scalar, match.start(), is_output)
