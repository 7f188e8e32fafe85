"""Roots and proofs as RFC 9162 has them."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.evidence.merkle import Step, Tree, leaf_hash, node_hash, path_to, root_along, root_of

ENTRIES = [bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                          "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
# The roots that every implementation of Certificate Transparency tests with, by number of entries.
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LISTS = st.lists(st.binary(max_size=4), max_size=40)


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of(ENTRIES[:size]).hex() == ROOTS[size]


def test_a_root_can_be_asked_for_at_any_time() -> None:
    tree = Tree()
    roots = [tree.root().hex()]
    for entry in ENTRIES:
        tree.append(entry)
        roots.append(tree.root().hex())

    assert roots == ROOTS


@given(LISTS, st.data())
def test_a_path_proves_its_entry_and_no_other(entries: list[bytes], data: st.DataObject) -> None:
    for index, entry in enumerate(entries):
        path = path_to(entries, index)

        assert root_along(entry, index, len(entries), path) == root_of(entries)
        assert root_along(entry + b"x", index, len(entries), path) != root_of(entries)
        if path:
            at = data.draw(st.integers(0, len(path) - 1))
            other = Step("left" if path[at].side == "right" else "right", path[at].sibling)
            assert root_along(entry, index, len(entries), [*path[:at], other, *path[at + 1 :]]) is None
            assert root_along(entry, index, len(entries), path[:-1]) is None
        assert root_along(entry, index, len(entries), [*path, Step("left", b"\0" * 32)]) is None


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.integers(0, 39), st.integers(0, 80))
def test_a_path_proves_at_which_place_an_entry_is(entries: list[bytes], index: int, claimed: int) -> None:
    index %= len(entries)
    path = path_to(entries, index)

    root = root_along(entries[index], claimed, len(entries), path)

    assert (root == root_of(entries)) == (claimed == index)


def test_a_node_is_not_taken_for_a_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")

    assert leaf_hash(left + right) != node_hash(left, right)
    assert node_hash(left, right) == sha256(b"\1" + left + right).digest()


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_path_to_what_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        path_to([b"a", b"b", b"c"], index)
    assert root_along(b"a", index, 3, []) is None
