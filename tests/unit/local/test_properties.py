"""Properties refuse what no shim has named."""

import pytest

from auditwire_local.errors import MissingPropertyError, UnknownPropertyError
from auditwire_local.properties import Properties


def test_a_reader_is_content_when_everything_was_named() -> None:
    properties = Properties({"A": 1, "B": {"C": 2}, "D": [{"E": 3}], "F": 4, "G": 5}, "T x")

    assert properties.take("A") == 1
    assert properties.nested("B").require("C") == 2
    assert [item.take("E") for item in properties.items("D")] == [3]
    assert properties.select("F", "Absent") == {"F": 4}
    properties.record("G", "Absent")
    properties.finish()


def test_every_leftover_is_named_with_its_place() -> None:
    properties = Properties({"A": 1, "B": {"C": 2, "Z": 0}, "D": [{}, {"Y": 0}], "X": 0}, "T x")
    properties.take("A")
    properties.nested("B").take("C")
    properties.items("D")

    with pytest.raises(UnknownPropertyError) as caught:
        properties.finish()

    assert str(caught.value) == "the local system does not know T x.B.Z, T x.D[1].Y, T x.X"


def test_a_missing_property_is_named() -> None:
    with pytest.raises(MissingPropertyError) as caught:
        Properties({}, "T x").require("A")

    assert str(caught.value) == "T x needs the property A"
