"""Inputs out of inputs: changes to bytes, and to the values of JSON texts."""

from collections.abc import Sequence
from random import Random
from typing import Any

import orjson

from fuzz.target import Mutate

LARGEST = 4 * 1024 * 1024
"""Bytes of the largest input; Lambda takes 6 MB requests, a third of which base64 uses up."""

_USUAL = 4 * 1024
_NUMBERS = (
    b"0", b"-1", b"1e999", b"-1e999", b"9" * 400, b"1." + b"0" * 40 + b"1", b"18446744073709551616",
    b"-9223372036854775809", b"1e-400", b"0.1", b"NaN", b"Infinity", b"01", b"+1", b"0x10", b"1_000",
)  # fmt: skip
_JSON_TOKENS = (
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"null", b"true", b"false", b'""', b"{}", b"[]", b'"\\ud800"',
    b'"\\u0000"', b'"\\u000a"', b"\xef\xbb\xbf", b"\xff", b"\x00", b"\n", b"\r\n", b"\xc2\x85", b"\xe2\x80\xa8", b"\\u",
    b'"a":', b"}{", b"}\n{", b"][",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, 2**63, -(2**63), 2**64 - 1, 0.1, "", "\x00", "a\nb", "\u2028\u202e", "\ufffe\uffff",
    "x" * 300, "x" * 70_000, "2026-11-21T22:05:00.000001Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:60-23:59",
    "../../../etc/passwd", "cluster=other/date=", "${User.Username}", [], {}, [[]], [None], {"": ""}, [{"a": 1}], "🦊",
    {"kind": "Secret"}, "1e999", "-", "*", "secrets", "token", "items",
)  # fmt: skip


def mutator(tokens: Sequence[bytes] = _JSON_TOKENS, *, trees: bool = True, largest: int = LARGEST) -> Mutate:
    """Changes one input of the corpus in one to six places, some by what they mean as JSON (``trees``)."""
    words = (*tokens, *_NUMBERS)

    def mutate(rng: Random, corpus: list[bytes]) -> bytes:
        random = rng.random
        data = corpus[int(random() * len(corpus))]
        if trees and random() < 0.4:
            data = _changed_tree(rng, data)
            if random() < 0.6:
                return data[:largest]
        for _ in range(1 + int(random() * random() * 6)):
            data = _change(rng, data, corpus, words)
        if random() < 0.0005:
            data = _blown_up(rng, data, largest)
        elif len(data) > _USUAL and random() < 0.9:
            start = int(random() * len(data))
            data = data[:start] + data[start + len(data) - _USUAL :]
        return data[:largest]

    return mutate


def _change(rng: Random, data: bytes, corpus: list[bytes], words: Sequence[bytes]) -> bytes:
    random = rng.random
    at = int(random() * (len(data) + 1))
    end = min(len(data), at + 1 + int(random() ** 4 * 200))
    match int(random() * 9):
        case 0:
            return data[:at] + data[end:]
        case 1 | 2:
            return data[:at] + words[int(random() * len(words))] + data[at:]
        case 3:
            return data[:at] + words[int(random() * len(words))] + data[end:]
        case 4:
            return data[:at] + bytes((int(random() * 256),)) + data[at + 1 :]
        case 5:
            return data[:at] + data[at:end] * (2 + int(random() * 3)) + data[end:]
        case 6:
            other = corpus[int(random() * len(corpus))]
            return data[:at] + other[int(random() * (len(other) + 1)) :]
        case 7:
            other = corpus[int(random() * len(corpus))]
            start = int(random() * (len(other) + 1))
            return data[:at] + other[start : start + 1 + int(random() ** 2 * 300)] + data[at:]
        case _:
            return data[:at] if random() < 0.3 else data[at:] + data[:at] if random() < 0.1 else _flip(rng, data)


def _flip(rng: Random, data: bytes) -> bytes:
    if not data:
        return b"\x00"
    at = int(rng.random() * len(data))
    return data[:at] + bytes((data[at] ^ (1 << int(rng.random() * 8)),)) + data[at + 1 :]


def _blown_up(rng: Random, data: bytes, largest: int) -> bytes:
    """Much of the same: a stretch repeated until the input is large, or opening brackets without end."""
    at = int(rng.random() * (len(data) + 1))
    piece = data[at : at + 1 + int(rng.random() ** 3 * 100)] or b"["
    size = min(largest, 1 << (10 + int(rng.random() * 12)))
    return data[:at] + piece * (size // len(piece)) + data[at:]


def _changed_tree(rng: Random, data: bytes) -> bytes:
    try:
        value: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return data
    for _ in range(1 + int(rng.random() * 3)):
        value = change_value(rng, value)
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, RecursionError):
        return data


def change_value(rng: Random, value: Any) -> Any:
    """The JSON value with one part of it removed, replaced, doubled, renamed, wrapped or moved; ``value`` is altered."""
    random = rng.random
    holder: Any = None
    key: Any = None
    here = value
    while isinstance(here, dict | list) and here and (holder is None or random() < 0.8):
        holder = here
        keys: Sequence[Any] = list(here) if isinstance(here, dict) else range(len(here))
        key = keys[int(random() * len(keys))]
        here = here[key]
    if holder is None:
        return VALUES[int(random() * len(VALUES))] if random() < 0.2 else [value]
    choice = int(random() * 7)
    if choice == 0:
        del holder[key]
    elif choice in (1, 2):
        holder[key] = VALUES[int(random() * len(VALUES))]
    elif choice == 3 and isinstance(holder, dict):
        holder[_renamed(rng, key)] = holder.pop(key)
    elif choice == 4:
        holder[key] = [here] if random() < 0.5 else {"items": [here]}
    elif isinstance(holder, list):
        holder.insert(int(random() * len(holder)), here)
    else:
        holder[_renamed(rng, key)] = here
    return value


def _renamed(rng: Random, key: str) -> str:
    choice = int(rng.random() * 6)
    if choice == 0:
        return key.lower()
    if choice == 1:
        return key[:1].upper() + key[1:]
    if choice == 2:
        return key.upper()
    if choice == 3:
        return key + "\n"
    return ("", "_auditwire", "_AuditWire", "items", "kind", "data", "a.b", "\x00", "x" * 5_000)[int(rng.random() * 9)]
