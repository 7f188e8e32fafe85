"""Packing what is to be sent into as few requests as possible."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def packed(
    items: Iterable[_Item], size_of: Callable[[_Item], int], *, max_size: int, max_items: int | None = None
) -> Iterator[list[_Item]]:
    """Yields the items in order, in lists whose sizes add up to at most ``max_size``, of at most ``max_items``.

    A single item makes a list of its own even if it is larger.
    """
    request: list[_Item] = []
    size = 0
    for item in items:
        item_size = size_of(item)
        if request and (len(request) == max_items or size + item_size > max_size):
            yield request
            request, size = [], 0
        request.append(item)
        size += item_size
    if request:
        yield request
