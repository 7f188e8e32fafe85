"""Members of a JSON object by the type they should have; None for every other type."""

from contextlib import suppress

import msgspec

from auditwire.events.casing import Fields, fields_of

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_LONGEST_NUMBER = 32


def opening(value: msgspec.Raw) -> bytes:
    """The first byte of a JSON value, which tells its type."""
    return bytes(memoryview(value)[:1])


def text_of(value: "msgspec.Raw | bytes") -> str | None:
    """A JSON value that is a string."""
    try:
        return _TEXT.decode(value)
    except msgspec.DecodeError:
        return None


def text_in(fields: Fields, *names: str) -> str | None:
    """The first of these members that is a string."""
    for name in names:
        value = fields.get(name)
        if value is not None and opening(value) == b'"':
            with suppress(msgspec.DecodeError):
                return _TEXT.decode(value)
    return None


def object_in(fields: Fields, *names: str) -> Fields | None:
    """The members of the first of these members that is an object."""
    for name in names:
        value = fields.get(name)
        if value is not None and opening(value) == b"{":
            return fields_of(value)
    return None


def list_in(fields: Fields, *names: str) -> list[msgspec.Raw] | None:
    """The elements of the first of these members that is an array."""
    for name in names:
        value = fields.get(name)
        if value is not None and opening(value) == b"[":
            return _LIST.decode(value)
    return None


def texts_in(fields: Fields, name: str) -> dict[str, str]:
    """The strings in a member that is an object; an empty dictionary for every other."""
    inner = object_in(fields, name) or {}
    return {key: text for key in inner if (text := text_in(inner, key)) is not None}


def number_in(fields: Fields, *names: str) -> float | None:
    """The first of these members that is a number, or a string that holds one."""
    for name in names:
        value = fields.get(name)
        if value is not None and len(memoryview(value)) <= _LONGEST_NUMBER:
            with suppress(ValueError):
                return float(bytes(value).strip(b'"'))
    return None
