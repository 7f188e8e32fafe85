"""Names and values as Alertmanager, SNS and people can take them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.alerts.text import annotation_value, label_value, listed
from auditwire.events.label_names import legal_name, legal_names

LEGAL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("team", "team"),
        ("app.kubernetes.io/name", "app_kubernetes_io_name"),
        ("9lives", "_9lives"),
        ("_x", "_x"),
        ("", "_"),
        ("größe", "gr__e"),
        ("名", "_"),
        ("²", "_"),
        ("a\n", "a_"),
        ("x" * 300, "x" * 128),
    ],
)
def test_a_name_becomes_legal(name: str, legal: str) -> None:
    assert legal_name(name) == legal


@given(st.text())
def test_any_name_becomes_legal(name: str) -> None:
    assert LEGAL.fullmatch(legal_name(name))


def test_names_that_become_equal_lose_nothing_and_a_legal_one_keeps_its_own() -> None:
    assert legal_names({"a-b": "1", "a.b": "2", "a_b": "3"}) == {"a_b": "3", "a_b_2": "1", "a_b_3": "2"}


def test_a_long_label_is_seen_to_be_cut_and_stays_different_from_its_like() -> None:
    one, two = label_value("x" * 65_000 + "a"), label_value("x" * 65_000 + "b")
    assert len(one) == len(two) == 256
    assert re.fullmatch(r"x+…[0-9a-f]{8}", one)
    assert one != two
    assert label_value("x" * 256) == "x" * 256


def test_escaping_does_not_make_a_label_longer_than_its_bound() -> None:
    assert len(label_value("\x00" * 200)) == 256


@given(st.text(st.characters(codec=None)))
def test_any_value_becomes_one_bounded_line_that_can_be_sent(value: str) -> None:
    for bounded, limit in ((label_value(value), 256), (annotation_value(value), 1024), (annotation_value(value, 9), 9)):
        assert len(bounded) <= limit
        assert not re.search(r"[\x00-\x1f\x7f\ufffe\uffff]", bounded)
        bounded.encode()


def test_a_long_annotation_is_cut_with_a_mark() -> None:
    assert annotation_value("x" * 1025) == "x" * 1023 + "…"
    assert annotation_value("x" * 1024) == "x" * 1024


def test_a_list_names_each_once_and_says_when_there_are_more() -> None:
    assert listed(["a", "b", "", "a", "c"], 3) == "a, b, c"
    assert listed(["a", "b", "c"], 2, "; ") == "a; b; …"
    assert listed([], 2) == ""
