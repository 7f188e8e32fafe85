"""The vectors taken from KubeSphere's engine: loading them, and what each must give here."""

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from auditwire.condition import ConditionError, EvaluationError, compile_condition
from auditwire.condition.compile import Dialect
from auditwire.condition.dialect import BEHAVIOURS
from auditwire.condition.parse import parse
from auditwire.condition.paths import find, judge_of, steps_of
from auditwire.condition.precedence import Precedence, read
from auditwire.condition.syntax import Path as FieldPath
from auditwire.condition.syntax import comparisons

FOLDER = Path(__file__).parent
KEPT = {behaviour.name for behaviour in BEHAVIOURS if behaviour.status == "kept"}
EVENTS: dict[str, Any] = json.loads((FOLDER / "events.json").read_text())


@dataclass(frozen=True)
class Vector:
    id: str
    group: str
    condition: str
    event: str
    expected: str
    quirks: tuple[str, ...]
    if_fixed: dict[str, str]

    def outcome(self, dialect: Dialect = "kubesphere") -> str:
        """true, false, error (refused or not judged) or syntax_error, as it comes out here."""
        try:
            condition = compile_condition(self.condition, precedence="kubesphere", dialect=dialect)
        except ConditionError as error:
            return "syntax_error" if error.diagnostics[0].code == "AW101" else "error"
        try:
            return str(condition.evaluate(EVENTS[self.event])).lower()
        except EvaluationError:
            return "error"

    def accepted(self) -> set[str]:
        """The outcomes that are right, with the divergences of the dialect table."""
        fixed = [quirk for quirk in self.quirks if quirk not in KEPT]
        if not fixed:
            # References are part of our language but not of the engine's: they are refused, though not by the grammar.
            return (
                {self.expected, "error"}
                if self.expected == "syntax_error" and "${" in self.condition
                else {self.expected}
            )
        if self.if_fixed:
            return {self.if_fixed[fixed[0]]}
        return {"true", "false"}  # a spelling the engine cannot read at all

    @property
    def is_dont_care(self) -> bool:
        """Depends on evaluating both sides, or on the text of a printed array."""
        return "no-short-circuit" in self.quirks or self._reaches_array()

    def _reaches_array(self) -> bool:
        if self.expected == "syntax_error":
            return False
        reached: list[Any] = []

        def leaf(value: Any, answer: bool) -> bool:
            reached.append(value)
            return answer

        for comparison in comparisons(read(parse(self.condition), Precedence.KUBESPHERE)):
            assert isinstance(comparison.field, FieldPath)
            steps = steps_of(comparison.field.segments)
            if len(steps) == 1 and steps[0].index is None:
                reached.append(find(EVENTS[self.event], steps[0].keys))
                continue
            for answer in (True, False):
                with suppress(EvaluationError):
                    judge_of(steps, partial(leaf, answer=answer))(EVENTS[self.event])
        return any(isinstance(value, list) for value in reached)


def load() -> list[Vector]:
    """Every vector, in the order of the file."""
    with (FOLDER / "conditions.jsonl").open(encoding="utf-8") as lines:
        return [
            Vector(
                one["id"], one["group"], one["condition"], one["event"], one["expected"],
                tuple(one.get("quirk", ())), one.get("if_fixed", {}),
            )
            for one in map(json.loads, lines)
        ]  # fmt: skip
