"""An alert, and the occurrences that are folded into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditwire.events import Event
    from auditwire.rules import Rule


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event that one rule alerts on.

    ``event`` is the stored form, trimmed and redacted: nothing else may reach labels and annotations. ``message`` is
    the rule's output for it (one line, at most 1 kB). ``archive_key`` is the key of its evidence.
    """

    rule: "Rule"
    event: "Event"
    message: str
    archive_key: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """One event of which nobody can say whether some rules alert on it, because a part of it is missing.

    ``event`` is the stored form, as in an occurrence.
    """

    rules: "tuple[Rule, ...]"
    event: "Event"
    archive_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What is published: one rule, one set of labels, one batch.

    ``rule`` is ``document.rule``. ``first`` and ``last`` are stageTimestamps (``…T22:05:00.000000Z``). ``count`` is how
    many events were folded. ``bundle`` is the digest of the rules that decided. Labels and annotations are legal,
    bounded and never empty.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    first: str
    last: str
    rule: str
    document: str
    priority: str
    bundle: str
    count: int
    generator_url: str = ""
    audit_ids: tuple[str, ...] = ()
