"""Outputs: the template of a message, compiled."""

from typing import Any

from auditwire.condition.errors import Finding
from auditwire.condition.quoting import REFERENCE
from auditwire.condition.syntax import Boolean, Number, Path
from auditwire.rules.definitions import Definitions
from auditwire.rules.document import RuleDocument
from auditwire.rules.message import MessageTemplate


def compile_output(
    text: str, document: RuleDocument, definitions: Definitions
) -> tuple[MessageTemplate, list[Finding]]:
    """The message that an output describes, and the findings about it (AW106, AW212)."""
    parts: list[str | Path] = []
    findings: list[Finding] = []
    position = 0
    for match in REFERENCE.finditer(text):
        parts.append(text[position : match.start()])
        shown = _part_of_name(match[1]) or definitions.output_field(document, match[1])
        if isinstance(shown, Finding):
            code = "AW212" if shown.code == "AW105" else shown.code
            findings.append(Finding(code, shown.message, shown.hint, match.start()))
        elif isinstance(shown, Path):
            parts.append(shown)
        else:
            parts.append(", ".join(_literal_text(literal) for literal in shown))
        position = match.end()
    parts.append(text[position:])
    return MessageTemplate(tuple(part for part in parts if part)), findings


def _part_of_name(name: str) -> Finding | None:
    """Refuses ``${$1}``, which KubeSphere's outputs know."""
    if not (name.startswith("$") and name[1:].isdigit()):
        return None
    what = f"${{{name}}} is part {name[1:]} of ObjectRef.Name between colons in KubeSphere, and not supported here"
    return Finding("AW212", what, "write ${ObjectRef.Name}, which shows the whole name")


def _literal_text(literal: Any) -> str:
    if isinstance(literal, Number):
        return literal.spelling
    return str(literal.value).lower() if isinstance(literal, Boolean) else literal.value
