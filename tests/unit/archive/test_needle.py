"""Lines are picked out by their bytes: never one too few, however a sender chose to write what is looked for."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.archive.needle import Needle, Text

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
UNITS = "{:04x}"


def escaped(sign: str, pattern: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join("\\u" + pattern.format(int.from_bytes(units[at : at + 2])) for at in range(0, len(units), 2))


WAYS: list[Callable[[str], str]] = [
    lambda sign: SHORT.get(sign, sign if sign >= " " else escaped(sign, UNITS)),
    lambda sign: escaped(sign, UNITS),
    lambda sign: escaped(sign, "{:04X}"),
    lambda sign: "\\/" if sign == "/" else SHORT.get(sign, sign if sign >= " " else escaped(sign, UNITS)),
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def picked(content: bytes, text: str) -> list[bytes]:
    return list(Needle(Text(text)).lines(content))


@given(st.lists(st.tuples(TEXTS, st.lists(st.sampled_from(WAYS), min_size=1)), max_size=5), st.data())
def test_no_line_is_passed_over_that_holds_the_text(
    written: list[tuple[str, list[Callable[[str], str]]]], data: st.DataObject
) -> None:
    lines = [
        '{"a":"' + "".join(ways[at % len(ways)](sign) for at, sign in enumerate(text)) + '"}' for text, ways in written
    ]
    content = "".join(f"{line}\n" for line in lines).encode()
    text = data.draw(st.sampled_from([text for text, _ in written]) if written else TEXTS)

    found = picked(content, text)

    assert all(json.loads(line)["a"] in {text for text, _ in written} for line in lines)
    missed = [line for line in lines if text in json.loads(line)["a"] and line.encode() not in found]
    assert not missed
    assert found == [line for line in content.split(b"\n") if line in found]


@pytest.mark.parametrize(
    ("content", "text", "expected"),
    [
        (b'{"a":"jane"}\n{"a":"joe"}\n', "jane", [b'{"a":"jane"}']),
        (b'{"a":"joe"}\n{"a":"jane"}', "jane", [b'{"a":"jane"}']),
        (b'{"a":"jane","b":"jane"}\n', "jane", [b'{"a":"jane","b":"jane"}']),
        (b'{"a":"joe"}\n{"a":"j\\u0061ne"}\n{"a":"jan"}\n', "jane", [b'{"a":"j\\u0061ne"}']),
        (b'{"a":"\\u003cb\\u003e"}\n{"a":"\\u004A"}\n', "J", [b'{"a":"\\u004A"}']),
        (b'{"a":"x\\/y"}\n', "x/y", [b'{"a":"x\\/y"}']),
        (b'{"a":"x\\/y"}\n', "xy", []),
        (b'{"a":"say \\"hi\\""}\n', 'say "hi"', [b'{"a":"say \\"hi\\""}']),
        ('{"a":"Zoë"}\n'.encode(), "Zoë", ['{"a":"Zoë"}'.encode()]),
        (b'{"a":"\\ud83d"}\n{"a":"b"}\n', "\ud83d", [b'{"a":"\\ud83d"}']),
        (b"", "jane", []),
        (b"\n\n", "jane", []),
    ],
)  # fmt: skip
def test_only_what_can_hold_it_is_picked_out(content: bytes, text: str, expected: list[bytes]) -> None:
    assert picked(content, text) == expected


@given(st.lists(TEXTS, min_size=1, max_size=3), st.sampled_from(WAYS), st.booleans())
def test_any_of_several_texts_will_do(texts: list[str], way: Callable[[str], str], is_whole: bool) -> None:
    lines = [('{"a":"' + "".join(map(way, text)) + '"}').encode() for text in texts]
    wanted = [Text(text, is_whole) for text in texts]

    assert list(Needle(*wanted).lines(b"\n".join([*lines, b"{}"])))[: len(lines)] == lines


def test_a_whole_text_is_no_part_of_another() -> None:
    content = b'{"a":"/namespaces/x"}\n{"a":"namespaces"}\n'

    assert list(Needle(Text("namespaces", is_whole=True)).lines(content)) == [b'{"a":"namespaces"}']


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(ValueError, match="in every line"):
        Needle(Text("a"), Text(""))
