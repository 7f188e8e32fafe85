"""docs/conditions.md shows what conditions really match."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from auditwire.condition import compile_condition
from auditwire.events import Event, decode
from auditwire.rules import Source, load_sources
from auditwire.rules.fields import EventFields
from rule_texts import document, rule

PAGE = Path(__file__).parents[3] / "docs" / "conditions.md"
_EXAMPLE = re.compile(r"^```text condition\n(.*?)^```\n\n```yaml events\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WHOLE = {"level": "RequestResponse", "auditID": "a", "stage": "ResponseComplete", "verb": "create"}


def examples() -> Iterator[Any]:
    text = PAGE.read_text(encoding="utf-8")
    found = _EXAMPLE.findall(text)
    assert text.count("```text condition") == text.count("```yaml events") == len(found)
    for condition, events in found:
        yield pytest.param(condition, yaml.safe_load(events), id=condition.partition("\n")[0][:60])


EXAMPLES = list(examples())


def whole(partial: dict[str, Any]) -> Event:
    (event,) = decode(orjson.dumps(_WHOLE | partial)).events
    return event


@pytest.mark.parametrize(("condition", "events"), EXAMPLES)
def test_a_condition_matches_what_the_page_says(condition: str, events: dict[str, list[dict[str, Any]]]) -> None:
    compiled = compile_condition(condition, fields=EventFields())

    assert set(events) == {"matches", "silent"}
    for said, partials in events.items():
        assert partials
        assert [compiled.evaluate(whole(one)) for one in partials] == [said == "matches"] * len(partials)


@pytest.mark.parametrize(("condition", "events"), EXAMPLES)
def test_kubesphere_does_not_understand_them_and_nothing_else_is_said(condition: str, events: object) -> None:
    source = Source("mine.yaml", document(rule(condition.replace("\n", " "))))

    assert [found for found in load_sources([source]).diagnostics if found.severity != "info"] == []
    codes = {found.code for found in load_sources([source], dialect="kubesphere").diagnostics if found.is_error}
    assert codes == {"AW111"}
