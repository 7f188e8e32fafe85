import pytest

from auditwire.documents.nearest import nearest

WORDS = ("omitStages", "level", "verbs", "resources")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("omitstage", "omitStages"),
        ("LEVEL", "level"),
        ("verb", "verbs"),
        ("ressources", "resources"),
        ("colour", None),
        ("", None),
    ],
)
def test_the_word_most_like_it_is_found_as_it_is_spelled(word: str, meant: str | None) -> None:
    assert nearest(word, WORDS) == meant


def test_how_much_must_agree_can_be_said() -> None:
    assert nearest("verse", WORDS, likeness=0.6) == "verbs"
    assert nearest("verse", WORDS, likeness=0.9) is None


def test_neither_a_long_word_nor_many_words_are_compared_to_the_end() -> None:
    assert nearest("level" + "x" * 100_000, WORDS) is None
    assert nearest("level", [*(f"word-{number}" for number in range(1_000)), "level"]) is None
