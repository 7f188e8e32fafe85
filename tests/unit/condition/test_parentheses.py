import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.condition.parentheses import insert, is_ambiguous, missing_parentheses
from auditwire.condition.parse import SyntaxFinding, parse
from auditwire.condition.precedence import Precedence, read
from examples import examples

KUBESPHERE, STANDARD, STRICT = Precedence.KUBESPHERE, Precedence.STANDARD, Precedence.STRICT

# Text, as KubeSphere reads it, as everybody else does.
CASES = [
    ("a or b and c", "(a or b) and c", "a or (b and c)"),
    ("a and b or c and d", "(a and b or c) and d", "a and b or (c and d)"),
    ("a or b and c or d and e", "((a or b) and c or d) and e", "a or (b and c) or (d and e)"),
    ("not a and b", "not (a and b)", "(not a) and b"),
    ("!a and b", "!(a and b)", "(!a) and b"),
    ("a or not b and c", "a or not (b and c)", "a or ((not b) and c)"),
    ("a and not b or c", "a and not (b or c)", "a and (not b) or c"),
    ("not (a or b) and c", "not ((a or b) and c)", "(not (a or b)) and c"),
    ("x or (a or b and c)", "x or ((a or b) and c)", "x or (a or (b and c))"),
    ("not a or b and c", "not ((a or b) and c)", "(not a) or (b and c)"),
    ("a or b and not c and d", "(a or b) and not (c and d)", "a or (b and (not c) and d)"),
    ('a not in (1, 2) or b like "x" and c', '(a not in (1, 2) or b like "x") and c',
     'a not in (1, 2) or (b like "x" and c)'),
    ("a = 1and b or c and d", "(a = 1and b or c) and d", "a = 1and b or (c and d)"),
    ('a = "x and y" or\n  b\n  and c', '(a = "x and y" or\n  b)\n  and c', 'a = "x and y" or\n  (b\n  and c)'),
    ('a["x] or ("] or b["\\"and"] and c', '(a["x] or ("] or b["\\"and"]) and c',
     'a["x] or ("] or (b["\\"and"] and c)'),
    ("${m} or ${n} and c", "(${m} or ${n}) and c", "${m} or (${n} and c)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kubesphere", "standard"), CASES, ids=[case[0] for case in CASES])
def test_parentheses_go_where_a_reading_needs_them_and_nowhere_else(text: str, kubesphere: str, standard: str) -> None:
    assert insert(text, missing_parentheses(text, KUBESPHERE)) == kubesphere
    assert insert(text, missing_parentheses(text, STANDARD)) == standard


@pytest.mark.parametrize(
    "text", ["a", "a and b and c", "a and b or c", "not a", "a or not b", "not not a and b", "(a or b) and c", "((a))"]
)
def test_a_condition_everybody_reads_alike_gets_none(text: str) -> None:
    assert missing_parentheses(text, KUBESPHERE) == missing_parentheses(text, STANDARD) == ()


words = st.lists(st.sampled_from(["a", "b", "c", "and", "or", "and", "or", "not", "!", "(", ")"]), max_size=14)


TESTS = ("a", 'b = "and ( or"', "c not in (1, 2)", "d[*] contains 1", 'e["or ("]', "${m}")


def _chain_text(draw: st.DrawFn, depth: int) -> str:
    parts: list[str] = []
    for position in range(draw(st.integers(1, 5))):
        if position:
            parts.append(draw(st.sampled_from(["and", "or"])))
        parts += draw(st.lists(st.sampled_from(["not", "!"]), max_size=2))
        if depth and draw(st.integers(0, 3)) == 0:
            parts.append(f"({_chain_text(draw, depth - 1)})")
        else:
            parts.append(
                draw(
                    st.sampled_from(["a", 'b = "and ( or"', "c not in (1, 2)", "d[*] contains 1", 'e["or ("]', "${m}"])
                )
            )
    return draw(st.sampled_from([" ", "\n  "])).join(parts)


@st.composite
def ambiguous(draw: st.DrawFn) -> str:
    return _chain_text(draw, 2)


@given(ambiguous(), st.sampled_from([KUBESPHERE, STANDARD]))
@examples(400)
def test_read_strictly_the_text_with_its_parentheses_gives_the_chosen_reading(
    text: str, precedence: Precedence
) -> None:
    mended = insert(text, missing_parentheses(text, precedence))

    assert read(parse(mended), STRICT) == read(parse(text), precedence)
    assert missing_parentheses(mended, precedence) == ()
    assert _without_parentheses(mended) == _without_parentheses(text)
    assert is_ambiguous(parse(text)) or mended == text


@given(words)
@examples(300)
def test_a_text_is_mended_or_refused(some: list[str]) -> None:
    text = " ".join(some)
    for precedence in (KUBESPHERE, STANDARD):
        try:
            insertions = missing_parentheses(text, precedence)
        except SyntaxFinding as error:
            assert error.finding.code == "AW101"
        else:
            assert read(parse(insert(text, insertions)), STRICT) == read(parse(text), precedence)


def test_many_nots_that_nest_too_deep_only_for_kubesphere_can_be_settled_as_everybody_reads_them() -> None:
    text = " and ".join(["!a"] * 200)

    with pytest.raises(SyntaxFinding, match="150 levels"):
        missing_parentheses(text, KUBESPHERE)
    mended = insert(text, missing_parentheses(text, STANDARD))

    assert mended == " and ".join(["(!a)"] * 199 + ["!a"])


@pytest.mark.slow
@pytest.mark.parametrize("precedence", [KUBESPHERE, STANDARD])
def test_the_longest_conditions_are_mended_or_refused(precedence: Precedence) -> None:
    for text in (" or ".join(["a and b"] * 5_000), "(" * 5_000 + "a or b and c" + ")" * 5_000, "(a or b and " * 5_000):
        try:
            missing_parentheses(text, precedence)
        except SyntaxFinding as error:
            assert error.finding.code in ("AW101", "AW110")


def _without_parentheses(text: str) -> str:
    return text.replace("(", "").replace(")", "")
