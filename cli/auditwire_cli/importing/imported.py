"""What an import gives: rules for documents, and what became of each rule of the source."""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from auditwire.rules.rule_document import MAX_ANNOTATION, MAX_LABEL

Status = Literal["imported", "partial", "refused"]
_WORD: Final = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRule:
    """A rule as it goes into a document."""

    name: str
    desc: str
    condition: str
    output: str
    priority: str
    enable: bool = True
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    threshold: dict[str, Any] | None = None

    def as_entry(self) -> dict[str, Any]:
        """The entry of ``spec.rules``."""
        entry: dict[str, Any] = {
            "name": self.name,
            "type": "rule",
            "desc": self.desc or self.name,
            "condition": self.condition,
            "enable": self.enable,
            "output": self.output,
            "priority": self.priority,
        }
        if self.threshold:
            entry["threshold"] = self.threshold
        labels = {key: plain(value)[:MAX_LABEL] for key, value in self.labels.items() if value}
        annotations = {key: _cut(plain(value)) for key, value in self.annotations.items() if value}
        return entry | ({"labels": labels} if labels else {}) | ({"annotations": annotations} if annotations else {})


@dataclass(slots=True)
class Outcome:
    """What became of one rule: ``source`` is its file, ``name`` its title or name there. A refused one has no
    ``rule``. ``entry`` is its name in ``document`` where that was a document already."""

    source: str
    name: str
    status: Status
    reason: str | None = None
    rule: ImportedRule | None = None
    notes: list[str] = field(default_factory=list)
    document: str = ""
    entry: str = ""

    @property
    def qualified(self) -> str:
        """``document.rule``, empty where there is no rule."""
        name = self.rule.name if self.rule else self.entry
        return f"{self.document}.{name}" if name else ""

    def refuse(self, reason: str) -> None:
        """Nothing is written for this rule."""
        self.status, self.reason, self.rule, self.entry = "refused", reason, None, ""

    def as_json(self) -> dict[str, Any]:
        """The outcome for ``--format json``."""
        rules = [self.qualified] if self.qualified else []
        found = {"source": self.source, "rule": self.name, "status": self.status, "reason": self.reason, "rules": rules}
        return found | ({"notes": self.notes} if self.notes else {})


def identifier(text: str, taken: set[str], fallback: str = "Rule") -> str:
    """A name made of the words of a text, such as ``CreatePrivilegedPod``, that is not taken yet."""
    words = _WORD.findall(text)
    name = "".join(word[:1].upper() + word[1:] for word in words)[:100] or fallback
    free, number = name, 2
    while free in taken:
        free, number = f"{name}{number}", number + 1
    taken.add(free)
    return free


def plain(text: str) -> str:
    """A text of the source in which nothing is a name of ours."""
    return text.replace("${", "$ {")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_ANNOTATION else text[: MAX_ANNOTATION - 1] + "…"
