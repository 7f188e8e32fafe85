"""Events that were cut off: CloudWatch Logs, container runtimes and Azure cut what is too long for them, and whoever
pads an object chooses where. What was finished before the cut says who did what, and is judged like any other event.

The text is taken apart at its top level only, member by member from its beginning, as a JSON reader would; it is never
searched. So nothing that stands inside of a member can pass for one.
"""

import re
from typing import Final

import msgspec

from auditwire.events.model import Event

_MARK: Final = b"[Truncated...]"
"""What CloudWatch Logs writes where it cut; kube-apiserver never does."""

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\.)*+"', re.DOTALL)
_LITERAL = re.compile(rb"[-+.0-9A-Za-z]++")
_TOKEN = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\.)*+"|[\[{]|[\]}]|"', re.DOTALL)

_IN_ORDER = tuple(field.name for field in msgspec.structs.fields(Event))
_OF_KUBERNETES = frozenset(_IN_ORDER) - {"cluster", "workspace", "devops", "message"}
_ALWAYS = frozenset(("kind", "apiVersion", "cluster"))
"""What says nothing about a request, wherever it is, and what a credential says instead."""


class CutText(msgspec.Struct, frozen=True, gc=False):
    """The members of an object that was cut off, in order: those that are finished, and the one that is not.

    ``unfinished`` is the name of that one, and what is there of its value; empty where the cut is between two members
    or within a name.
    """

    members: list[tuple[str, bytes]]
    unfinished: tuple[str, bytes] = ("", b"")

    def as_object(self) -> bytes:
        """The finished members as an object of their own."""
        parts = (b"%b:%b" % (msgspec.json.encode(name), value) for name, value in self.members)
        return b"{%b}" % b",".join(parts)


def without_mark(text: bytes) -> tuple[bytes, bool]:
    """A text without the mark of CloudWatch Logs at its end, and whether it was there."""
    text = text.rstrip(b" \t\r\n")
    return (text[: -len(_MARK)], True) if text.endswith(_MARK) else (text, False)


def take_apart(text: bytes) -> CutText | None:
    """The members of a JSON object that ends too early; None for a text that is none, or is faulty before its end."""
    at = _after_space(text, 0)
    if text[at : at + 1] != b"{":
        return None
    members: list[tuple[str, bytes]] = []
    at = _after_space(text, at + 1)
    while at < len(text):
        name = _STRING.match(text, at)
        if name is None:
            return CutText(members) if _is_open_string(text, at) else None
        key = _decoded(name[0])
        at = _after_space(text, name.end())
        if at == len(text):
            return CutText(members)
        if key is None or text[at : at + 1] != b":":
            return None
        start = _after_space(text, at + 1)
        end = _end_of_value(text, start)
        if end is None:
            return None
        if end < 0:
            return CutText(members, (key, text[start:]))
        after = _after_space(text, end)
        if after == len(text):
            # A number may go on behind the cut; anything else has its own end.
            is_number = text[start : start + 1] not in (b'"', b"{", b"[")
            return CutText(members, (key, text[start:])) if is_number else CutText([*members, (key, text[start:end])])
        members.append((key, text[start:end]))
        if text[after : after + 1] != b",":
            return None
        at = _after_space(text, after + 1)
    return CutText(members)


def unknown_paths(finished: set[str], names: list[str], *, of_kubesphere: bool) -> frozenset[str]:
    """The fields of the model of which nobody can say whether the event had them.

    ``names`` are the canonical names of the members in their order, with the one within which the cut is.
    kube-apiserver writes members in the order of the model and leaves out what is empty, so one that is not there but
    should have come before the last that is was empty; in any other order whatever is not finished may have come later.
    """
    order = [_IN_ORDER.index(name) for name in names if name in _IN_ORDER]
    known = [_IN_ORDER.index(name) for name in names if name in finished and name in _IN_ORDER]
    fields = frozenset(_IN_ORDER) if of_kubesphere else _OF_KUBERNETES
    if order == sorted(order) and known:
        fields = fields & frozenset(_IN_ORDER[known[-1] + 1 :])
    return fields - finished - _ALWAYS


def beginning_of(value: bytes) -> str:
    """As much as there is of a string that was cut off, without an escape that was cut in two; empty for no string."""
    if value[:1] != b'"':
        return ""
    for cut in range(min(12, len(value))):
        try:
            text: str = msgspec.json.decode(value[: len(value) - cut] + b'"', type=str)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        return text
    return ""


def _end_of_value(text: bytes, start: int) -> int | None:
    """Where a value ends; -1 where the text ends before it; None for a fault."""
    first = text[start : start + 1]
    if not first:
        return -1
    if first == b'"':
        found = _STRING.match(text, start)
        return found.end() if found else -1 if _is_open_string(text, start) else None
    if first not in (b"{", b"["):
        literal = _LITERAL.match(text, start)
        return literal.end() if literal else None
    depth = 0
    for token in _TOKEN.finditer(text, start):
        kind = text[token.start()]
        if kind in b"[{":
            depth += 1
        elif kind in b"]}":
            depth -= 1
            if not depth:
                return token.end()
        elif token.end() - token.start() == 1:
            return -1 if _is_open_string(text, token.start()) else None
    return -1


_OPEN_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]++|\\.)*+\\?\Z', re.DOTALL)


def _is_open_string(text: bytes, at: int) -> bool:
    """Whether a string begins here and the text ends within it, instead of a line end or the like."""
    return at == len(text) or _OPEN_STRING.match(text, at) is not None


def _after_space(text: bytes, at: int) -> int:
    # Hardly any text has space between its tokens.
    if text[at : at + 1] > b" ":
        return at
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _decoded(name: bytes) -> str | None:
    try:
        return str(msgspec.json.decode(name, type=str))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
