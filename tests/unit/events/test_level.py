"""Levels are ordered by how much they keep."""

import pytest

from auditwire.events import Level


def test_levels_are_in_order() -> None:
    assert sorted(Level, reverse=True) == [Level.REQUEST_RESPONSE, Level.REQUEST, Level.METADATA, Level.NONE]
    assert Level.NONE < Level.METADATA <= Level.METADATA
    assert Level.REQUEST_RESPONSE > "Metadata"
    assert Level.REQUEST >= Level.REQUEST
    assert min(Level.REQUEST, Level.METADATA) is Level.METADATA


@pytest.mark.parametrize("text", ["None", "Metadata", "Request", "RequestResponse"])
def test_a_level_is_found_by_its_name(text: str) -> None:
    assert Level.knows(text)
    assert Level.of(text) == Level(text) == text


@pytest.mark.parametrize("text", ["metadata", "", "Everything"])
def test_an_unknown_level_counts_as_the_highest(text: str) -> None:
    assert not Level.knows(text)
    assert Level.of(text) is Level.REQUEST_RESPONSE
