"""An archived line as a record of OCSF: the table applied, and everything else as JSON text in ``unmapped``."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from auditwire.ocsf.archived_line import ArchivedLine, NoEventError
from auditwire.ocsf.mapping import TABLE, Row

MAX_RECORD_BYTES: Final = 8 << 20
"""A longer record is shortened: Athena reads no value of more than 32 MB, and DuckDB makes room for the longest."""

UNREADABLE: Final = "unreadable"
"""The label of a record of a line that is no JSON object."""

SHORTENED: Final = "shortened"
"""The label of a record without the largest members of its line."""

_UNMAPPED: Final = "unmapped"
_LABELS: Final = "labels"

# Members that are larger are left out, until a record is short enough; in the end ``unmapped`` is.
_SHORTER: Final = (256 << 10, 4 << 10)

_Make = Callable[[ArchivedLine], Any]


def record_of(line: bytes, place: str, t: str) -> dict[str, Any]:
    """The record of an archived line, whatever it is. ``place`` is the key of its object, ``#`` and its number; ``t``
    is that of the key."""
    try:
        return _record(ArchivedLine(line, place, t))
    except NoEventError:
        record = _record(ArchivedLine(b"{}", place, t))
        record[_UNMAPPED] = _as_text({"line": line.decode(errors="replace")})
        return _labelled(record, UNREADABLE)


def encode_record(line: bytes, place: str, t: str) -> bytes:
    """The record of an archived line as JSON of at most MAX_RECORD_BYTES."""
    record = record_of(line, place, t)
    encoded = _encoder.encode(record)
    for most in _SHORTER:
        if len(encoded) <= MAX_RECORD_BYTES:
            return encoded
        try:
            record = _record(ArchivedLine(line, place, t, most))
        except NoEventError:
            record[_UNMAPPED] = "{}"
            return _encoder.encode(_labelled(record, UNREADABLE, SHORTENED))
        encoded = _encoder.encode(_labelled(record, SHORTENED))
    if len(encoded) > MAX_RECORD_BYTES:
        record[_UNMAPPED] = "{}"
        encoded = _encoder.encode(record)
    return encoded


def columns() -> dict[str, str]:
    """Every column with its type in SQL, in the order of the table."""
    return {_plain(name): _type_of(name, node) for name, node in _TREE.items()} | {_UNMAPPED: "VARCHAR"}


def _record(line: ArchivedLine) -> dict[str, Any]:
    record: dict[str, Any] = _make(line)
    record[_UNMAPPED] = _as_text(line.rest())
    return record


def _labelled(record: dict[str, Any], *labels: str) -> dict[str, Any]:
    record["metadata"][_LABELS] = labels
    return record


def _as_text(value: Any) -> str:
    return _encoder.encode(value).decode(errors="replace")


# The rows of the table as a tree of names, down to its leaves.


def _tree(rows: Iterable[Row]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for row in rows:
        *parents, name = row.path.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = row
    tree["metadata"][_LABELS] = "VARCHAR[]"
    return tree


def _maker(tree: dict[str, Any]) -> _Make:
    """What makes the object of a part of the tree; None instead of an empty one, without what is None or empty."""
    constants = {name: row.constant for name, row in tree.items() if isinstance(row, Row) and row.constant is not None}
    nodes = {name: node for name, node in tree.items() if not isinstance(node, str) and name not in constants}
    # Numbers may be 0, and texts that are required may be empty.
    may_be_empty = [_member(name, node) for name, node in nodes.items() if isinstance(node, Row) and node.may_be_empty]
    others = [_member(name, node) for name, node in nodes.items() if not isinstance(node, Row) or not node.may_be_empty]

    def make(line: ArchivedLine) -> dict[str, Any] | None:
        made = constants.copy()
        for name, make_member in may_be_empty:
            value = make_member(line)
            if value is not None:
                made[name] = value
        for name, make_member in others:
            value = make_member(line)
            if value:
                made[name] = value
        return made or None

    return make


def _member(name: str, node: Any) -> tuple[str, _Make]:
    if isinstance(node, Row):
        return name, node.read
    if name.endswith("[]"):
        [(inner, row)] = node.items()
        return name[:-2], lambda line: [{inner: value} for value in row.read(line)]
    make = _maker(node)
    if name.endswith("[0]"):
        return name[:-3], lambda line: None if (made := make(line)) is None else [made]
    return name, make


def _type_of(name: str, node: Any) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, Row):
        return node.type
    inner = ", ".join(f'"{_plain(each)}" {_type_of(each, below)}' for each, below in node.items())
    return f"STRUCT({inner})" + ("[]" if name.endswith("]") else "")


def _plain(name: str) -> str:
    return re.sub(r"\[0?\]$", "", name)


_TREE: Final = _tree(TABLE)
_make: Final = _maker(_TREE)
_encoder: Final = msgspec.json.Encoder()
