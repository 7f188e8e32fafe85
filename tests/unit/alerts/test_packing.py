import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.alerts.packing import packed


@pytest.mark.parametrize(
    ("sizes", "requests"),
    [
        ([], []),
        ([4, 6], [[4, 6]]),
        ([4, 7], [[4], [7]]),
        ([30], [[30]]),
        ([1, 30, 1], [[1], [30], [1]]),
        ([1, 1, 1, 1], [[1, 1, 1], [1]]),
    ],
    ids=["nothing", "just fits", "does not fit", "too large", "too large between others", "too many"],
)
def test_items_share_requests_as_far_as_they_fit(sizes: list[int], requests: list[list[int]]) -> None:
    assert list(packed(sizes, lambda size: size, max_size=10, max_items=3)) == requests


@given(st.lists(st.integers(0, 20)))
def test_nothing_is_lost_and_nothing_comes_out_of_order(sizes: list[int]) -> None:
    requests = list(packed(sizes, lambda size: size, max_size=10))

    assert [size for request in requests for size in request] == sizes
    assert all(sum(request) <= 10 or len(request) == 1 for request in requests)
