"""What a JSON patch (RFC 6902) asks for at some place of an object that nobody here knows.

Only ``add`` and ``replace`` ask for anything; ``remove``, ``test``, ``move`` and ``copy`` do not. Paths are read as the
library of the API server reads them: what stands before the first slash counts for nothing.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final, cast

MAX_OPERATIONS: Final = 10_000
"""The API server refuses a patch of more operations."""

_MAX_TOKENS: Final = 32
"""Nothing that is looked for is as deep."""

_END: Final = "-"
_MAX_DIGITS: Final = 18


class _Object(dict[str, Any]):
    """An object that is built up, as far as it is asked for."""


class _Array:
    """An array of which only some elements are asked for: an index of a billion costs no more than 0."""

    __slots__ = ("by_index", "others")

    def __init__(self, elements: Iterable[Any] = ()) -> None:
        self.by_index: dict[int, Any] = dict(enumerate(elements))
        self.others: list[Any] = []
        """Elements behind the end, and those that another one was inserted before."""

    def elements(self) -> list[Any]:
        return [*(self.by_index[index] for index in sorted(self.by_index)), *self.others]


def asked_for(operations: list[Any], location: tuple[str, ...]) -> Any:
    """The value that a JSON patch asks for at this place, built up from all operations at, above and below it; None for
    nothing.

    Equal indexes are one element, and each ``-`` is a new one. Where an element is inserted before another one that was
    asked for, both are.
    """
    if len(operations) > MAX_OPERATIONS:
        return None
    root: Any = None
    place = list(location)
    for operation in operations:
        if not isinstance(operation, dict) or operation.get("op") not in ("add", "replace"):
            continue
        tokens = _tokens(operation.get("path"), place)
        if tokens is not None and "value" in operation:
            root = _with(root, tokens, operation["value"], is_insertion=operation["op"] == "add")
    found = _plain(root)
    for key in location:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _tokens(path: Any, place: list[str]) -> list[str] | None:
    """The keys and indexes of a path at, above or below a place; None for a path elsewhere."""
    if not isinstance(path, str) or (path and "/" not in path):
        return None
    tokens = path.split("/", _MAX_TOKENS + 1)[1:]
    if len(tokens) > _MAX_TOKENS:
        return None
    if "~" in path:
        tokens = [token.replace("~1", "/").replace("~0", "~") for token in tokens]
    return tokens if tokens[: len(place)] == place[: len(tokens)] else None


def _with(root: Any, tokens: list[str], value: Any, *, is_insertion: bool) -> Any:
    """The value of the root after one operation. Values of the patch itself are never changed."""
    if not tokens:
        return value
    container = root = _container(root, tokens[0])
    for token, below in pairwise(tokens):
        found = _get(container, token)
        child = _container(found, below)
        if child is not found:
            _set(container, token, child, is_insertion=False)
        container = child
    _set(container, tokens[-1], value, is_insertion=is_insertion)
    return root


def _container(value: Any, token: str) -> "_Object | _Array":
    """A value as something that can be built up. Where there is nothing, the token says what it has to be."""
    kind = type(value)
    if kind is _Object or kind is _Array:
        return cast("_Object | _Array", value)
    if kind is dict:
        return _Object(value)
    if kind is list:
        return _Array(value)
    return _Object() if _index(token) is None and token != _END else _Array()


def _index(token: str) -> int | None:
    """The index that a token is, as Go reads one: with zeros and a sign in front."""
    digits = token[1:] if token[:1] in ("+", "-") else token
    if not digits.isdecimal() or not digits.isascii() or len(digits) > _MAX_DIGITS:
        return None
    return int(token)


def _get(container: "_Object | _Array", token: str) -> Any:
    if type(container) is _Object:
        return container.get(token)
    index = _index(token)
    return None if index is None else cast("_Array", container).by_index.get(index)


def _set(container: "_Object | _Array", token: str, value: Any, *, is_insertion: bool) -> None:
    """A key of an array is no operation at all: the API server refuses such a patch."""
    if isinstance(container, _Object):
        container[token] = value
        return
    if token == _END:
        container.others.append(value)
        return
    index = _index(token)
    if index is None:
        return
    if is_insertion and index in container.by_index:
        container.others.append(container.by_index[index])
    container.by_index[index] = value


def _plain(value: Any) -> Any:
    if isinstance(value, _Object):
        return {key: _plain(below) for key, below in value.items()}
    if isinstance(value, _Array):
        return [_plain(element) for element in value.elements()]
    return value
