"""Merkle trees as RFC 9162 hashes them: a root for a list, and a proof that one entry is in it.

https://www.rfc-editor.org/rfc/rfc9162.html#section-2.1: SHA-256, a leaf is hashed behind a zero byte, two nodes behind
a byte of one. So no leaf can be taken for a node, and a list has one root only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way from a leaf to the root: the hash of the neighbour, and on which side it stands."""

    side: Side
    sibling: bytes


class Tree:
    """The root of a list that is taken entry by entry; it keeps one hash for each power of two and nothing else."""

    def __init__(self) -> None:
        self.size = 0
        self._whole: list[bytes] = []

    def append(self, entry: bytes) -> None:
        """Takes the next entry."""
        node = leaf_hash(entry)
        size = self.size
        # Of the number of entries so far every bit that is set is a whole tree that waits for its neighbour.
        while size & 1:
            node = node_hash(self._whole.pop(), node)
            size >>= 1
        self._whole.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of all entries so far; that of no entry is the hash of nothing."""
        if not self._whole:
            return sha256().digest()
        *others, node = self._whole
        for left in reversed(others):
            node = node_hash(left, node)
        return node


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of what stands above two hashes."""
    return sha256(b"\1" + left + right).digest()


def root_of(entries: Iterable[bytes]) -> bytes:
    """The root of a list of entries."""
    tree = Tree()
    for entry in entries:
        tree.append(entry)
    return tree.root()


def path_to(entries: Iterable[bytes], index: int) -> list[Step]:
    """The proof that an entry is in the list, from the leaf up. Raises IndexError where there is no such entry."""
    level = [leaf_hash(entry) for entry in entries]
    if not 0 <= index < len(level):
        raise IndexError(index)
    steps: list[Step] = []
    while len(level) > 1:
        if index & 1:
            steps.append(Step("left", level[index - 1]))
        elif index + 1 < len(level):
            steps.append(Step("right", level[index + 1]))
        # A node without a neighbour goes up as it is.
        level = [node_hash(*level[at : at + 2]) if at + 1 < len(level) else level[at] for at in range(0, len(level), 2)]
        index >>= 1
    return steps


def root_along(entry: bytes, index: int, size: int, path: Sequence[Step]) -> bytes | None:
    """The root of a list of ``size`` entries whose entry at ``index`` this is, by its proof; None where a proof of
    that entry looks otherwise."""
    if not 0 <= index < size:
        return None
    node, steps, last = leaf_hash(entry), iter(path), size - 1
    while last:
        if index & 1 or index < last:
            step = next(steps, None)
            if step is None or step.side != ("left" if index & 1 else "right"):
                return None
            node = node_hash(step.sibling, node) if index & 1 else node_hash(node, step.sibling)
        index, last = index >> 1, last >> 1
    return node if next(steps, None) is None else None
