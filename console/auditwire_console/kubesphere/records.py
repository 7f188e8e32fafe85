"""Archived events as KubeSphere writes them: the same values under keys as Go spells them.

Keys are renamed at the fixed levels of an event only. What lies in bodies, annotations and statuses stays as it is, to
the digit: what a client wrote need not fit into a number of Python.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from auditwire.events.casing import go_name

_USER: Final = ("username", "uid", "groups", "extra")
_OBJECT: Final = ("resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion", "subresource")
_PARTS: Final = {"user": _USER, "impersonatedUser": _USER, "objectRef": _OBJECT}
_LEFT_OUT: Final = ("kind", "apiVersion", "_auditwire")
_decoder: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def record_of(line: bytes) -> msgspec.Raw:
    """A record of KubeSphere's API out of an archived line, as JSON."""
    return msgspec.Raw(msgspec.json.encode(dict(_members(_decoder.decode(line)))))


def _members(event: dict[str, msgspec.Raw]) -> Iterator[tuple[str, Any]]:
    for name, value in event.items():
        if name not in _LEFT_OUT:
            parts = _PARTS.get(name)
            is_object = bytes(value).lstrip()[:1] == b"{"
            yield go_name(name), _renamed(_decoder.decode(value), parts) if parts and is_object else value


def _renamed(value: dict[str, msgspec.Raw], names: tuple[str, ...]) -> dict[str, msgspec.Raw]:
    return {go_name(name) if name in names else name: part for name, part in value.items()}
