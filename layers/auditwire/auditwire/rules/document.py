"""``Rule`` documents as typed values, with the nodes of their texts for later findings."""

from dataclasses import dataclass, field
from typing import Final, Literal

import yaml

from auditwire.documents.document_source import Report
from auditwire.rules.settings import Priority

API_VERSION: Final = "auditing.kubesphere.io/v1alpha1"
DOCUMENT_KEYS: Final = ("apiVersion", "kind", "metadata", "spec", "status")
PRECEDENCE_ANNOTATION: Final = "auditwire.io/precedence"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text of a document, and its node."""

    text: str
    node: yaml.Node = field(compare=False)


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list: its text, and whether it was written as a number."""

    text: str
    is_number: bool
    node: yaml.Node = field(compare=False)


@dataclass(frozen=True, slots=True)
class ThresholdKey:
    """The key ``threshold`` of a rule. Its fields are still texts; ``distinct`` is None where matches are counted."""

    at_least: int
    within: int
    by: tuple[Scalar, ...]
    distinct: Scalar | None
    node: yaml.Node = field(compare=False)


EntryType = Literal["rule", "macro", "list", "alias"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of ``spec.rules``: a rule, macro, list or alias. What its type does not use is None."""

    name: str
    type: EntryType
    node: yaml.Node = field(compare=False)
    desc: str = ""
    condition: Scalar | None = None
    """The condition of a rule or the text of a macro."""
    items: tuple[Item, ...] = ()
    alias: Scalar | None = None
    enable: bool = True
    output: Scalar | None = None
    priority: Priority = Priority.DEBUG
    labels: dict[str, Scalar] = field(default_factory=dict)
    annotations: dict[str, Scalar] = field(default_factory=dict)
    alert: Literal["fold", "distinct"] = "fold"
    threshold: ThresholdKey | None = None


@dataclass(frozen=True, slots=True)
class RuleDocument:
    """A ``Rule`` document."""

    name: str
    labels: dict[str, str]
    precedence: str
    entries: tuple[Entry, ...]
    report: Report = field(compare=False)
    node: yaml.Node = field(compare=False)
