"""Archived events as KubeSphere writes them: the same values under keys as Go spells them.

Keys are renamed at the fixed levels of an event only. What lies in bodies, annotations and statuses stays as it is.
"""

from typing import Any, Final

import orjson

from auditwire.events.casing import go_name

_USER: Final = ("username", "uid", "groups", "extra")
_OBJECT: Final = ("resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion", "subresource")
_PARTS: Final = {"user": _USER, "impersonatedUser": _USER, "objectRef": _OBJECT}
_LEFT_OUT: Final = ("kind", "apiVersion", "_auditwire")


def record_of(line: bytes) -> dict[str, Any]:
    """A record of KubeSphere's API out of an archived line."""
    event = orjson.loads(line)
    record: dict[str, Any] = {}
    for name, value in event.items():
        if name in _LEFT_OUT:
            continue
        parts = _PARTS.get(name)
        record[go_name(name)] = _renamed(value, parts) if parts and isinstance(value, dict) else value
    return record


def _renamed(value: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {go_name(name) if name in names else name: part for name, part in value.items()}
