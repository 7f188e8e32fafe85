"""Tables for people."""

from collections.abc import Iterator

from auditwire_cli.terminal.table import MIN_CUT_WIDTH, table, table_lines

HEADS = ("name", "events", "labels")
ROWS = [("prod", "1,024", "team=platform"), ("staging", "7", "")]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table(HEADS, ROWS, right=("events",)) == (
        "NAME     EVENTS  LABELS\n"
        "prod      1,024  team=platform\n"
        "staging       7  -"
    )  # fmt: skip


def test_cells_of_strangers_are_escaped_and_stay_on_their_line() -> None:
    assert table(("user",), [("a\nb\x1b[2J\u202e",)]) == "USER\na\\nb\\u001b[2J\\u202e"


def test_wide_characters_take_two_columns() -> None:
    shown = table(("user", "verb"), [("管理员", "get"), ("admin", "list")])

    assert shown == "USER    VERB\n管理员  get\nadmin   list"


def test_a_terminal_that_is_wide_enough_shows_everything() -> None:
    assert table(HEADS, ROWS, cut=("labels",), width=80) == table(HEADS, ROWS)


def test_only_columns_that_may_be_cut_are_cut_and_the_widest_first() -> None:
    rows = [("system:serviceaccount:kube-system:generic-garbage-collector", "get", "deployments.apps/shop/frontend")]
    shown = table(("user", "verb", "object"), rows, cut=("user", "object"), width=60)

    assert shown == (
        "USER                        VERB  OBJECT\n"
        "system:serviceaccount:kub…  get   deployments.apps/shop/fro…"
    )  # fmt: skip
    assert max(map(len, shown.splitlines())) <= 60


def test_a_column_without_a_head_shows_only_what_is_there() -> None:
    shown = table(("user", "verb", ""), [("ann", "get", ""), ("", "list", "cut_off")])

    assert shown == "USER  VERB\nann   get\n-     list  cut_off"


def test_a_column_keeps_enough_to_be_recognised() -> None:
    shown = table(("user", "object"), [("u" * 50, "o" * 50)], cut=("user", "object"), width=5)

    assert shown.splitlines()[1] == "u" * (MIN_CUT_WIDTH - 1) + "…  " + "o" * (MIN_CUT_WIDTH - 1) + "…"


def test_wide_characters_are_cut_to_the_same_width() -> None:
    shown = table(("user", "verb"), [("管" * 30, "get")], cut=("user",), width=30)

    assert shown.splitlines()[1] == "管" * 11 + "…   get"


def test_rows_are_shown_as_they_come() -> None:
    read = 0

    def rows() -> Iterator[tuple[str]]:
        nonlocal read
        for number in range(1_000):
            read += 1
            yield (str(number),)

    lines = table_lines(("number",), rows())

    assert [next(lines), next(lines)] == ["NUMBER", "0"]
    assert read < 1_000
    assert len(list(lines)) == 999


def test_a_later_cell_that_is_wider_moves_only_its_line() -> None:
    rows = [("a", "b")] * 300 + [("wide one", "b"), ("a", "b")]

    assert table(("x", "y"), rows).splitlines()[-2:] == ["wide one  b", "a  b"]


def test_a_table_without_rows_is_its_head() -> None:
    assert table(HEADS, []) == "NAME  EVENTS  LABELS"
