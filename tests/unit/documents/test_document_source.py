"""Places inside scalars: each character of a value stands where the file has it, however YAML wrote it."""

import pytest
import yaml

from auditwire.documents.document_source import Report, indexes_in_source
from auditwire.documents.source import Source

VALUES = {
    "plain": "a: b and c\n",
    "plain over lines": "a: b\n  and\n\n  c\n",
    "single": "a: 'it''s b\n  and c'\n",
    "double": 'a: "b \\"x\\" \\u00e9 \\x22\\\n   and c"\n',
    "literal": "a: |2-\n    b\n   and\n\n  c\n",
    "folded": "a: >  # comment\n\n  b\n   and\n  c\n\n  d\n",
    "anchored": "a: &here b and c\n",
    "tagged and anchored": "a: !!str &here 'b and c'\n",
    "below its tag": "a: !!str\n  'b and c'\n",
}


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES)
def test_every_character_of_a_value_is_found_in_the_file(text: str) -> None:
    node = yaml.compose(text)
    assert isinstance(node, yaml.MappingNode)
    scalar = node.value[0][1]

    indexes = indexes_in_source(text, scalar, range(len(scalar.value)))

    assert indexes == sorted(indexes)
    for index, character in zip(indexes, scalar.value, strict=True):
        assert character.isspace() or text[index] in (character, "\\")


def composed(text: str) -> yaml.Node:
    node = yaml.compose(text)
    assert node is not None
    return node


def test_the_end_of_a_value_stands_behind_its_last_character() -> None:
    text = 'a: "b\\""\n'
    scalar = composed(text).value[0][1]

    assert indexes_in_source(text, scalar, [0, 1, 2, 9]) == [4, 5, 7, 7]


def test_a_place_is_a_line_and_a_column_from_1() -> None:
    report = Report(Source("own.yaml", "x: 1\na: >-\n  b\n  and c\n"))
    scalar = composed(report.source.text).value[1][1]

    assert report.place(scalar) == (2, 4)
    assert report.place(scalar, 2) == (4, 3)
