"""Reading objects ahead: the next ones are fetched while one is processed."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextvars import copy_context
from typing import Final, TypeVar

from auditwire.aws.attempts import MAX_SIDE_BY_SIDE

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_AHEAD: Final = MAX_SIDE_BY_SIDE
"""How many objects are fetched before they are needed."""

MAX_BYTES_AHEAD: Final = 64 << 20


def read_ahead(
    pool: Executor,
    items: Iterable[Item],
    read: Callable[[Item], Result],
    size: Callable[[Item], int] = lambda item: 0,
) -> Iterator[tuple[Item, Result]]:
    """Yields each item with the result of ``read``, in order. An error of ``read`` is raised when its item's turn
    comes.

    At most MAX_AHEAD items are read at the same time. Except for a single item, they have at most MAX_BYTES_AHEAD by
    ``size``.
    """
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    held = 0
    for item in items:
        while waiting and (len(waiting) == MAX_AHEAD or held + size(item) > MAX_BYTES_AHEAD):
            first, future = waiting.popleft()
            yield first, future.result()
            held -= size(first)
        waiting.append((item, pool.submit(copy_context().run, read, item)))
        held += size(item)
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()
