from auditwire.analysis.tops import MAX_WORDS, Tops


def test_the_most_frequent_words_come_first_and_equal_ones_by_the_alphabet() -> None:
    tops = Tops()
    for word in ("b", "a", "c", "c"):
        tops.add(word)

    assert tops.most(2) == [("c", 2), ("a", 1)]


def test_memory_is_bounded_and_what_was_left_out_is_known() -> None:
    tops = Tops()
    for number in range(3 * MAX_WORDS):
        tops.add(f"user-{number}")
        tops.add("always")

    assert len(tops.counts) <= MAX_WORDS
    assert tops.most(1) == [("always", 3 * MAX_WORDS)]
    assert tops.left_out > 0


def test_a_long_word_is_counted_by_its_beginning() -> None:
    tops = Tops()
    tops.add("x" * 300)
    tops.add("x" * 400)

    assert tops.most(1) == [("x" * 256, 2)]


def test_parts_add_up_to_the_whole() -> None:
    whole, first, second = Tops(), Tops(), Tops()
    for number, part in enumerate((first, second, second)):
        for tops in (whole, part):
            tops.add(f"{number % 2}", number + 1)
    first.merge(second)

    assert first.counts == whole.counts
