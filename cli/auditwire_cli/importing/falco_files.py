"""Files of Falco, loaded in order as Falco does: later entries replace, append to, or switch earlier ones."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_text

_KINDS: Final = ("rule", "macro", "list")
_TEXT_KEYS: Final = ("condition", "output", "desc")
_LIST_KEYS: Final = ("items", "tags", "exceptions")


@dataclass(slots=True)
class Entry:
    """A rule, a macro or a list, as the files up to here leave it. ``fault`` says why it cannot be used."""

    kind: str
    name: str
    source: str
    values: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    def text(self, key: str) -> str:
        """A value as text, empty where there is none."""
        value = self.values.get(key)
        return "" if value is None else scalar(value)

    def listed(self, key: str) -> list[Any]:
        """A value as a list."""
        value = self.values.get(key)
        return value if isinstance(value, list) else []


@dataclass(slots=True)
class Loaded:
    """All entries of the files by kind and name, in the order in which the names first came."""

    rules: dict[str, Entry] = field(default_factory=dict)
    macros: dict[str, Entry] = field(default_factory=dict)
    lists: dict[str, Entry] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, Entry]:
        """The entries of a kind."""
        return {"rule": self.rules, "macro": self.macros, "list": self.lists}[kind]


_COMMENT: Final = re.compile(r"#\s*(?:SPDX-License-Identifier:\s*)?(Copyright.*|(?<=: )[A-Za-z0-9.+-]+)$")
_HEAD_LINES: Final = 30


class _Loader(yaml.SafeLoader):
    """Also takes a bare ``=``, which YAML 1.1 has a type of its own for."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _loader, node: node.value)


def load_files(paths: Sequence[Path]) -> Loaded:
    """The entries of these files, in this order. Raises UsageError for what cannot be read as YAML."""
    loaded = Loaded()
    for path in paths:
        for entry in _entries(path):
            _take(loaded, entry, str(path))
    return loaded


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    try:
        documents = list(yaml.load_all(read_text(path), _Loader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        place = f":{where.line + 1}:{where.column + 1}" if where else ""
        raise UsageError(f"{path}{place}: this is not YAML: {getattr(error, 'problem', error)}") from None
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, list):
            raise UsageError(f"{path}: this is no file of Falco", "one is a list of rules, macros and lists")
        yield from (entry for entry in document if isinstance(entry, dict))


def _take(loaded: Loaded, values: dict[str, Any], source: str) -> None:
    kind = next((kind for kind in _KINDS if kind in values), None)
    if kind is None:
        return
    name = scalar(values[kind])
    entries = loaded.of(kind)
    earlier = entries.get(name)
    override = values.get("override")
    changes = dict(override) if isinstance(override, dict) else {}
    if values.get("append") is True:
        changes = {key: "append" for key in (*_TEXT_KEYS, *_LIST_KEYS) if key in values}
    if changes:
        if earlier is None:
            entries[name] = Entry(kind, name, source, dict(values), f"it changes a {kind} {name} that is not there")
        else:
            _change(earlier, values, changes)
    elif kind == "rule" and earlier is not None and values.keys() <= {"rule", "enabled"}:
        earlier.values["enabled"] = values.get("enabled", True)
    else:
        # A name keeps its place; what it stands for is new.
        entries[name] = Entry(kind, name, earlier.source if earlier else source, dict(values))


def _change(earlier: Entry, values: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, how in changes.items():
        new = values.get(key)
        if how != "append":
            earlier.values[key] = new
        elif key in _TEXT_KEYS:
            earlier.values[key] = f"{earlier.text(key)} {scalar(new)}".strip()
        elif key == "exceptions":
            earlier.values[key] = _with_exceptions(earlier.listed(key), new if isinstance(new, list) else [])
        elif key in _LIST_KEYS:
            earlier.values[key] = [*earlier.listed(key), *(new if isinstance(new, list) else [])]
        else:
            earlier.fault = f"{key} cannot be appended to"


def _with_exceptions(earlier: list[Any], added: list[Any]) -> list[Any]:
    """The exceptions with more of them, or with more values for one of the same name."""
    merged = [dict(one) for one in earlier if isinstance(one, dict)]
    for one in added:
        if not isinstance(one, dict):
            continue
        same = next((each for each in merged if each.get("name") == one.get("name")), None)
        if same is None:
            merged.append(dict(one))
        else:
            same["values"] = [*(same.get("values") or []), *(one.get("values") or [])]
    return merged


@cache
def license_of(path: Path) -> str:
    """What the comments at the head of a file say about its licence and its authors; empty where they say nothing."""
    said = [_COMMENT.match(line) for line in read_text(path).splitlines()[:_HEAD_LINES]]
    return ", ".join(dict.fromkeys(found[1].strip(" .") for found in said if found))


def scalar(value: Any) -> str:
    """A value of YAML as Falco sees it: a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
