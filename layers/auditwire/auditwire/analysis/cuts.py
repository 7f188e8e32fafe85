"""What need not be recorded: kinds of requests that no detection can match, and bodies that none needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditwire.analysis.price import PriceTally, RequestKind, kinds_of
from auditwire.analysis.reach import can_match
from auditwire.analysis.recorded import fields_read
from auditwire.events.level import Level
from auditwire.events.one_line import one_line
from auditwire.policy.rule import GroupResources, PolicyRule
from auditwire.rules.rule_set import Rule


@dataclass(frozen=True, slots=True)
class Cut:
    """Recording a kind of requests at a lower level: how many events and bytes that saves."""

    kind: RequestKind
    level: Level
    events: int
    bytes: int

    @property
    def rule(self) -> PolicyRule:
        """The rule of an audit policy that makes the cut, if it stands before the others."""
        kind = self.kind
        name = f"{kind.resource}/{kind.subresource}" if kind.subresource else kind.resource
        return PolicyRule(level=self.level, verbs=(kind.verb,), resources=(GroupResources(kind.group, (name,)),))


def cuts(tally: PriceTally, detections: Sequence[Rule], most: int) -> list[Cut]:
    """The cuts that lose no detection, those that save most first. Only the ``most`` largest kinds are looked at.

    A kind that no detection can match at the level at which it was recorded need not be recorded. A body that no
    detection reads of those that can match it need not be recorded either. Requests for paths are left alone: nothing
    tells them apart but their paths.
    """
    reads = [(rule, fields_read(rule.text.expression)) for rule in detections]
    found = []
    for size in kinds_of(tally)[:most]:
        kind = size.kind
        if not kind.resource or not Level.knows(kind.level) or any(one_line(part) != part for part in kind):
            continue
        needed = _needed(kind, reads)
        if needed is Level.NONE:
            found.append(Cut(kind, needed, size.events, size.bytes))
        elif needed < Level(kind.level):
            found.append(Cut(kind, needed, 0, size.bodies if needed is Level.METADATA else size.responses))
    return sorted((cut for cut in found if cut.bytes), key=lambda cut: (-cut.bytes, cut.kind))


def _needed(kind: RequestKind, detections: Iterable[tuple[Rule, frozenset[str]]]) -> Level:
    """The lowest level at which every detection that can match this kind reads the same as at the recorded one."""
    needed, recorded = Level.NONE, Level(kind.level)
    for rule, reads in detections:
        if can_match(
            rule, verb=kind.verb, group=kind.group, resource=kind.resource, subresource=kind.subresource, level=recorded
        ):
            needed = max(needed, recorded if "Level" in reads else _level_of(reads))
    return min(needed, recorded)


def _level_of(reads: frozenset[str]) -> Level:
    """The level whose events have what is read."""
    if "ResponseObject" in reads:
        return Level.REQUEST_RESPONSE
    return Level.REQUEST if "RequestObject" in reads else Level.METADATA
