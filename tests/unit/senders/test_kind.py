import pytest

from auditwire.senders.kind import SenderKind


@pytest.mark.parametrize("kind", SenderKind)
def test_a_word_names_its_kind(kind: SenderKind) -> None:
    assert SenderKind.of(kind.value) is kind
    assert kind.value in SenderKind.words()


@pytest.mark.parametrize("word", ["", "Kubernetes", "openshift", "any "])
def test_another_word_names_none(word: str) -> None:
    assert SenderKind.of(word) is None
