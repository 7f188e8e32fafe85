"""A policy file as typed values that know their place, as sigs.k8s.io/yaml and Go's JSON decoder read it.

YAML becomes JSON first, and JSON is decoded into Go types. So a scalar has the type that YAML 1.1 gives it: ``yes`` is
a boolean and ``123`` a number, and neither is a text. ``null`` is the empty value of the wanted type. Unknown keys are
left out, and if a key occurs twice, the last one counts; both are reported as warnings. (kubernetes-sigs/yaml:
goyaml.v2/resolve.go, goyaml.v2/decode.go; kubernetes/apimachinery: pkg/runtime/serializer/json.)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml

from auditwire.documents.diagnostics import Severity
from auditwire.documents.document_source import Report

_STR: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"
_TRUE: Final = frozenset(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"))
_FALSE: Final = frozenset(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"))
_NULL: Final = frozenset(("", "~", "null", "Null", "NULL"))
_INFINITE: Final = re.compile(r"\.(?:nan|NaN|NAN)|[+-]?\.(?:inf|Inf|INF)")
_INTEGER: Final = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)", re.ASCII)
_FLOAT: Final = re.compile(r"[+-]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_PROPERTIES: Final = re.compile(r"(?:&\S+\s+)?(!\S*)")
_KINDS: Final = {"string": "a text", "bool": "true or false", "number": "a number", "null": "nothing"}


MAX_VALUES: Final = 100_000
"""How many keys, texts and other values a policy may have. They count again wherever an alias repeats them."""


class TooLargeError(Exception):
    """The policy has more than MAX_VALUES values."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The type of a list of texts or, with ``entries``, of a list of structures."""

    entries: "Fields | None" = None


@dataclass(frozen=True, slots=True)
class Fields:
    """The type of a structure: its keys, each with the type of its value. ``meant`` maps common mistakes to keys."""

    keys: Mapping[str, "Type"]
    meant: Mapping[str, str] = field(default_factory=dict)


Type = str | Texts | Fields
"""``string``, ``bool``, ``number``, ``strings`` (a map of texts to texts), ``any``, or one of the classes above."""


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar (text, or True or False), a list, or a structure by key; and the node from which it was read."""

    node: yaml.Node
    scalar: str | bool = ""
    items: tuple["Value", ...] = ()
    fields: dict[str, "Value"] = field(default_factory=dict)
    keys: dict[str, yaml.Node] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """The text under a key; empty if there is none."""
        value = self.fields.get(key)
        return str(value.scalar) if value else ""

    def boolean(self, key: str) -> bool | None:
        """The boolean under a key; None if there is none."""
        value = self.fields.get(key)
        return bool(value.scalar) if value else None

    def listed(self, key: str) -> tuple["Value", ...]:
        """The items of the list under a key."""
        value = self.fields.get(key)
        return value.items if value else ()

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of the list under a key."""
        return tuple(str(item.scalar) for item in self.listed(key))


@dataclass(slots=True)
class UnknownKey:
    """A key that Kubernetes does not know. It is left out, with its value."""

    path: str
    """Its place, such as ``rules[0].verb``."""
    key: str
    node: yaml.Node
    inside: Fields


@dataclass(slots=True)
class TypedReader:
    """Reads nodes as types. Reports what does not fit (AW303) and what is lost (AW311)."""

    report: Report
    unknown: list[UnknownKey] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)
    """The places of values of the wrong type; empty for the whole."""
    values: int = 0

    def read(self, node: yaml.Node, wanted: Type, path: str) -> Value | None:
        """The value of a node. None for null, and for what does not fit, which is reported.

        Raises TooLargeError if aliases make the policy larger than allowed.
        """
        self._count()
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, wanted, path)
        if isinstance(node, yaml.SequenceNode) and isinstance(wanted, Texts):
            item: Type = wanted.entries or "string"
            values = (self._item(entry, item, f"{path}[{index}]") for index, entry in enumerate(node.value))
            return Value(node, items=tuple(values))
        if isinstance(node, yaml.MappingNode) and (isinstance(wanted, Fields) or wanted == "strings"):
            return self._structure(node, wanted, path)
        if wanted != "any":
            self._misfit(node, wanted, path, "a list" if isinstance(node, yaml.SequenceNode) else "a mapping")
        return None

    def _item(self, node: yaml.Node, wanted: Type, path: str) -> Value:
        # In a list, null is the empty value, which still counts as an item.
        return self.read(node, wanted, path) or Value(node)

    def _scalar(self, node: yaml.ScalarNode, wanted: Type, path: str) -> Value | None:
        kind = self.kind_of(node)
        if kind == "null" or wanted == "any":
            return None
        if kind == wanted:
            return Value(node, node.value if kind == "string" else node.value in _TRUE)
        self._misfit(node, wanted, path, _KINDS[kind])
        return None

    def _structure(self, node: yaml.MappingNode, wanted: Type, path: str) -> Value:
        value = Value(node)
        for key, key_node, value_node in self._entries(node, path or "the policy"):
            inside = f"{path}.{key}" if path else key
            if not isinstance(wanted, Fields):
                self.read(value_node, "string", inside)
            elif key not in wanted.keys:
                self.unknown.append(UnknownKey(inside, key, key_node, wanted))
            else:
                read = self.read(value_node, wanted.keys[key], inside)
                value.fields.pop(key, None)
                value.keys[key] = key_node
                if read is not None:
                    value.fields[key] = read
        return value

    def _entries(self, node: yaml.MappingNode, what: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
        """Keys and values, with merged mappings expanded in place. If a key occurs twice, the last one counts."""
        found: dict[str, tuple[str, yaml.Node, yaml.Node]] = {}
        for key_node, value_node, merged in self._flattened(node, frozenset()):
            key = self._key(key_node, what)
            if key is None:
                continue
            if key in found:
                self.repeated.append(f'key "{key}" already set in {what}')
                self.report.at(
                    key_node,
                    "AW311",
                    f"the key {key!r} is already set in {what}" + (" by a merged mapping" if merged else ""),
                    "the last one counts; remove the other",
                    severity=Severity.WARNING,
                )
            found[key] = (key, key_node, value_node)
        return list(found.values())

    def _flattened(self, node: yaml.MappingNode, above: frozenset[int]) -> list[tuple[yaml.Node, yaml.Node, bool]]:
        """The entries of a mapping, with the entries of ``<<`` in its place."""
        entries: list[tuple[yaml.Node, yaml.Node, bool]] = []
        for key, value in node.value:
            self._count()
            if key.tag != _MERGE or id(node) in above:
                entries.append((key, value, False))
                continue
            # Of several merged mappings the first wins, so it has to come last.
            merged = reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]
            for mapping in merged:
                if isinstance(mapping, yaml.MappingNode):
                    inner = self._flattened(mapping, above | {id(node)})
                    entries += [(inner_key, inner_value, True) for inner_key, inner_value, _ in inner]
        return entries

    def _count(self) -> None:
        self.values += 1
        if self.values > MAX_VALUES:
            raise TooLargeError

    def _key(self, node: yaml.Node, what: str) -> str | None:
        kind = self.kind_of(node) if isinstance(node, yaml.ScalarNode) else ""
        if kind in ("", "null"):
            self.misfits.append(what)
            self.report.at(node, "AW303", f"a key of {what} must be a text")
            return None
        if kind == "bool":
            return "true" if node.value in _TRUE else "false"
        return str(node.value)

    def kind_of(self, node: yaml.ScalarNode) -> str:
        """``string``, ``bool``, ``number`` or ``null``, by YAML 1.1 as Go reads it."""
        tag = self._tag(node)
        if node.style and not tag:
            return "string"
        short = tag.removeprefix("!!")
        if tag and short not in ("int", "float", "bool", "null", "timestamp"):
            return "string"
        return _plain_kind(node.value)

    def _tag(self, node: yaml.ScalarNode) -> str:
        """The tag written before a scalar; empty if there is none. The composer does not tell it from a resolved
        tag."""
        line = self.report.lines[node.start_mark.line : node.start_mark.line + 1]
        found = _PROPERTIES.match(line[0], node.start_mark.column) if line else None
        return found.group(1) if found else ""

    def _misfit(self, node: yaml.Node, wanted: Type, path: str, found: str) -> None:
        self.misfits.append(path)
        hint = ""
        if isinstance(node, yaml.ScalarNode) and wanted == "string":
            hint = f'quote it: "{node.value}"'
        elif isinstance(wanted, Texts) and wanted.entries is None and found == "a text":
            hint = f"write a list: [{node.value}]"
        elif isinstance(wanted, Texts) and found == "a mapping":
            hint = "begin its first line with a dash"
        elif isinstance(wanted, Fields) and found == "a text" and "group" in wanted.keys:
            hint = f'write {{group: "", resources: [{node.value}]}}, with the API group of the resource'
        self.report.at(node, "AW303", f"{path or 'a policy'} must be {_name_of(wanted)}, not {found}", hint)


def _name_of(wanted: Type) -> str:
    if isinstance(wanted, Texts):
        return "a list" if wanted.entries else "a list of texts"
    return "a mapping" if isinstance(wanted, Fields) or wanted == "strings" else _KINDS[wanted]


def _plain_kind(text: str) -> str:
    if text in _NULL:
        return "null"
    if text in _TRUE or text in _FALSE:
        return "bool"
    digits = text.replace("_", "") if text[:1] in "+-0123456789" else text
    if _INFINITE.fullmatch(text) or _INTEGER.fullmatch(digits) or _FLOAT.fullmatch(digits):
        return "number"
    return "string"
