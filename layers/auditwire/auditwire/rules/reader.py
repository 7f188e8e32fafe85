"""Reading YAML nodes strictly: each function returns a value of one type, or reports why it cannot."""

import re
from collections.abc import Callable, Iterable
from typing import Final

import yaml

from auditwire.documents.diagnostics import Severity
from auditwire.documents.document_source import Report
from auditwire.documents.nearest import nearest
from auditwire.rules.document import Item, Scalar

_TAG: Final = "tag:yaml.org,2002:"
_KINDS: Final = {"str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "null": "nothing",
                 "timestamp": "a date", "map": "a mapping", "seq": "a list"}  # fmt: skip
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


def mapping(report: Report, node: yaml.Node | None, what: str) -> dict[str, yaml.Node]:
    """The entries of a mapping by key, without nulls. Anything else is reported (AW204) and read as empty."""
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        report.at(node, "AW204", f"{what} must be a mapping, not {kind_of(node)}")
        return {}
    entries: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            report.at(key, "AW204", f"a key of {what} must be a text")
            continue
        if key.value in entries:
            report.at(key, "AW207", f"the key {key.value!r} occurs twice in {what}", "remove one of them")
        entries[key.value] = value
    return {key: value for key, value in entries.items() if not _is(value, "null")}


def known_keys(
    report: Report, node: yaml.Node | None, what: str, known: Iterable[str], meant: Callable[[str], str] | None = None
) -> dict[str, yaml.Node]:
    """``mapping`` with a finding (AW203) for each unknown key, which names the key that was probably meant."""
    names = list(known)
    entries = mapping(report, node, what)
    for key, key_node in _keys(node):
        if key not in names and key != "":
            hint = (meant(key) if meant else "") or _did_you_mean(key, names)
            report.at(key_node, "AW203", f"{what} has no field {key!r}", hint)
    return {key: value for key, value in entries.items() if key in names}


def text(report: Report, node: yaml.Node | None, what: str) -> Scalar | None:
    """The text of a scalar. Other types are reported (AW204)."""
    if node is None:
        return None
    if isinstance(node, yaml.ScalarNode) and _is(node, "str"):
        return Scalar(node.value, node)
    report.at(node, "AW204", f"{what} must be a text, not {kind_of(node)}", _quote_hint(node))
    return None


def plain_text(report: Report, node: yaml.Node | None, what: str, default: str = "") -> str:
    """The text of a scalar, or ``default``."""
    scalar = text(report, node, what)
    return default if scalar is None else scalar.text


def boolean(report: Report, node: yaml.Node | None, what: str, *, default: bool) -> bool:
    """``true`` or ``false``. Other values are reported (AW204) and read as ``default``."""
    if node is None:
        return default
    if isinstance(node, yaml.ScalarNode) and _is(node, "bool"):
        return bool(node.value.lower() in ("true", "yes", "on"))
    report.at(node, "AW204", f"{what} must be true or false, not {kind_of(node)}")
    return default


def whole_number(report: Report, node: yaml.Node | None, what: str, least: int, most: int) -> int | None:
    """A whole number within bounds. Other types (AW204) and other numbers (AW206) are reported."""
    if node is None:
        return None
    if not isinstance(node, yaml.ScalarNode) or not _is(node, "int"):
        report.at(node, "AW204", f"{what} must be a whole number, not {kind_of(node)}")
    elif not _WHOLE.fullmatch(node.value) or not least <= int(node.value) <= most:
        report.at(node, "AW206", f"{what} cannot be {node.value}", f"write a number from {least:,} to {most:,}")
    else:
        return int(node.value)
    return None


def sequence(report: Report, node: yaml.Node | None, what: str) -> list[yaml.Node]:
    """The items of a list. Anything else is reported (AW204) and read as empty."""
    if node is None:
        return []
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    report.at(node, "AW204", f"{what} must be a list, not {kind_of(node)}")
    return []


def items(report: Report, node: yaml.Node | None, what: str) -> tuple[Item, ...]:
    """The items of a list of the rule language: texts, and numbers as they are written."""
    found: list[Item] = []
    for item in sequence(report, node, what):
        if isinstance(item, yaml.ScalarNode) and _is(item, "str"):
            found.append(Item(item.value, is_number=False, node=item))
        elif isinstance(item, yaml.ScalarNode) and _NUMBER.fullmatch(item.value):
            found.append(Item(item.value, is_number=True, node=item))
        else:
            report.at(item, "AW204", f"an item of {what} must be a text, not {kind_of(item)}", _quote_hint(item))
    return tuple(found)


def text_map(report: Report, node: yaml.Node | None, what: str) -> dict[str, str]:
    """A mapping of texts to texts, such as labels and annotations."""
    return {key: scalar.text for key, scalar in scalar_map(report, node, what).items()}


def scalar_map(report: Report, node: yaml.Node | None, what: str) -> dict[str, Scalar]:
    """The same with the nodes of the texts."""
    return {
        key: scalar
        for key, value in mapping(report, node, what).items()
        if (scalar := text(report, value, f"{what}.{key}")) is not None
    }


def choice(report: Report, node: yaml.Node | None, what: str, choices: Iterable[str], default: str) -> str:
    """One of a few words. Others are reported (AW206) with the word that was probably meant."""
    scalar = text(report, node, what)
    if scalar is None:
        return default
    words = [str(word) for word in choices]
    if scalar.text in words:
        return scalar.text
    hint = _did_you_mean(scalar.text, words) or f"write {', '.join(words[:-1])} or {words[-1]}"
    report.at(node, "AW206", f"{what} cannot be {scalar.text!r}", hint)
    return default


def no_effect(report: Report, node: yaml.Node, what: str, why: str) -> None:
    """A note (AW209) that a field is accepted but has no effect here."""
    report.at(node, "AW209", f"{what} has no effect here", why, severity=Severity.INFO)


def kind_of(node: yaml.Node) -> str:
    """The type of a node, in words."""
    return _KINDS.get(node.tag.removeprefix(_TAG), f"{node.tag}")


def _did_you_mean(word: str, words: list[str]) -> str:
    near = nearest(word, words)
    return f"did you mean {near!r}?" if near else ""


def _quote_hint(node: yaml.Node) -> str:
    return f'quote it: "{node.value}"' if isinstance(node, yaml.ScalarNode) and node.value else ""


def _is(node: yaml.Node, tag: str) -> bool:
    return bool(node.tag == _TAG + tag)


def _keys(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key.value, key) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
