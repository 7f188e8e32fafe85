"""Files of tests: what they say, and findings about what they say wrong."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast

import yaml

from auditwire.analysis.senders import TEMPLATES, Partial, merged
from auditwire.documents.diagnostics import Diagnostic
from auditwire.documents.document_source import Report, compose
from auditwire.documents.nearest import nearest
from auditwire.documents.source import Source
from auditwire.events.level import Level
from auditwire.events.timestamps import normalise
from auditwire.policy.policy import STAGES
from auditwire.rules import reader
from auditwire.rules.settings import Priority

Expected = Literal["alert", "archive", "ignore", "silent"]

EXPECTED: Final = ("alert", "archive", "ignore", "silent")
FILE_KEYS: Final = ("tests", "undecisive")
TEST_KEYS: Final = ("name", "rule", "events", "expect", "priority", "message", "labels", "at", "like", "templates")
OWN_KEYS: Final = ("template", "at", "repeat", "every")
MAX_REPEAT: Final = 2_000
EXCUSE_KEYS: Final = ("rule", "operand", "reason")
_FIRST: Final = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)

EVENT_KEYS: Final[dict[str, frozenset[str]]] = {
    "": frozenset((
        "kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "impersonatedUser",
        "authenticationMetadata", "sourceIPs", "userAgent", "objectRef", "responseStatus", "requestObject",
        "responseObject", "requestReceivedTimestamp", "stageTimestamp", "annotations", "cluster", "workspace",
        "devops", "message", *OWN_KEYS,
    )),
    "user": frozenset(("username", "uid", "groups", "extra")),
    "impersonatedUser": frozenset(("username", "uid", "groups", "extra")),
    "objectRef": frozenset((
        "resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion", "subresource",
    )),
    "responseStatus": frozenset(("metadata", "status", "message", "reason", "details", "code")),
}  # fmt: skip

_OBJECTS: Final = ("user", "impersonatedUser", "objectRef", "responseStatus", "annotations", "authenticationMetadata")
_LISTS: Final = ("sourceIPs", "groups")
_OF_ANY_TYPE: Final = ("requestObject", "responseObject", "extra", "metadata", "details", *OWN_KEYS)
_WORDS: Final = {"stage": STAGES, "level": tuple(Level)}
_MOST_CODE: Final = 999


@dataclass(frozen=True, slots=True)
class TestEvent:
    """One event of a test: what is said of it, the kind of its sender, when it happens, and which of its repeats it is,
    from 1."""

    __test__ = False

    partial: Partial
    template: str
    at: datetime
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test. ``rule`` is a name, with or without its document; empty: the test is about the verdict on the event.

    ``priority``, ``message`` and ``labels`` are what the alert must be, where the test says so.
    """

    name: str
    rule: str
    expect: Expected
    events: tuple[TestEvent, ...]
    priority: str | None = None
    message: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Excuse:
    """An operand that no test can make decisive both ways, and the reason why."""

    rule: str
    operand: str
    reason: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What a file of tests says. If a finding is an error, its tests are not complete."""

    cases: tuple[Case, ...]
    excuses: tuple[Excuse, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_cases(source: Source) -> CaseFile:
    """Reads a file of tests. Never raises an error; what is wrong is in ``diagnostics``."""
    report = Report(source)
    reading = _Reading(report)
    for node in compose(report):
        fields = reader.known_keys(report, node, "a file of tests", FILE_KEYS)
        for test in reader.sequence(report, fields.get("tests"), "tests"):
            reading.test(test)
        for excuse in reader.sequence(report, fields.get("undecisive"), "undecisive"):
            reading.excuse(excuse)
    return CaseFile(tuple(reading.cases), tuple(reading.excuses), tuple(report.diagnostics))


class _Reading:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._bases: dict[str, tuple[Partial, str]] = {}
        self.cases: list[Case] = []
        self.excuses: list[Excuse] = []

    def test(self, node: yaml.Node) -> None:
        """One item of ``tests``."""
        report, before = self._report, len(self._report.diagnostics)
        fields = reader.known_keys(report, node, "a test", TEST_KEYS)
        name = self._needed(node, fields, "name")
        expect = reader.choice(report, fields.get("expect"), "expect", EXPECTED, "alert")
        if "expect" not in fields and len(report.diagnostics) == before:
            report.at(node, "AW205", "the test does not say what it expects", f"write expect: {', '.join(EXPECTED)}")
        base, template = self._base(fields.get("like"))
        start = self._time(fields.get("at"), _FIRST)
        nodes = reader.sequence(report, fields.get("events"), "events")
        if not nodes and len(report.diagnostics) == before:
            report.at(node, "AW205", "the test has no events", "write events: with at least one partial event")
        templates = [self._template(one) for one in reader.sequence(report, fields.get("templates"), "templates")]
        events = [
            event for one in nodes for event in self._events(one, base, templates or [template], start, bool(templates))
        ]
        priority = reader.choice(report, fields.get("priority"), "priority", Priority, "")
        case = Case(
            name=name,
            rule=reader.plain_text(report, fields.get("rule"), "rule"),
            expect=cast("Expected", expect),
            events=tuple(events),
            priority=priority or None,
            message=reader.plain_text(report, fields.get("message"), "message") or None,
            labels=reader.text_map(report, fields.get("labels"), "labels"),
            path=report.source.path,
            line=node.start_mark.line + 1,
        )
        if events:
            self._bases[name] = events[0].partial, events[0].template
        if len(report.diagnostics) == before:
            self.cases.append(case)

    def excuse(self, node: yaml.Node) -> None:
        """One item of ``undecisive``."""
        before = len(self._report.diagnostics)
        fields = reader.known_keys(self._report, node, "an item of undecisive", EXCUSE_KEYS)
        rule, operand, reason = (self._needed(node, fields, key) for key in EXCUSE_KEYS)
        if len(self._report.diagnostics) == before:
            self.excuses.append(Excuse(rule, operand, reason, self._report.source.path, node.start_mark.line + 1))

    def _needed(self, node: yaml.Node, fields: dict[str, yaml.Node], key: str) -> str:
        text = reader.plain_text(self._report, fields.get(key), key)
        if not text and key not in fields:
            self._report.at(node, "AW205", f"there is no {key}")
        return text

    def _base(self, node: yaml.Node | None) -> tuple[Partial, str]:
        name = reader.plain_text(self._report, node, "like")
        if name and name not in self._bases:
            near = nearest(name, self._bases)
            hint = f"did you mean {near!r}?" if near else "name a test above this one in the same file"
            self._report.at(node, "AW105", f"there is no test {name!r} above this one", hint)
        return self._bases.get(name, ({}, "kube"))

    def _template(self, node: yaml.Node | None) -> str:
        return reader.choice(self._report, node, "template", TEMPLATES, "kube")

    def _events(
        self, node: yaml.Node, base: Partial, templates: list[str], start: datetime, are_given: bool
    ) -> Iterable[TestEvent]:
        """The events that one item of ``events`` stands for: one for each template, as often as it is repeated."""
        partial = self._partial(node)
        fields = reader.mapping(self._report, node, "an event") if isinstance(node, yaml.MappingNode) else {}
        own = self._template(fields["template"]) if "template" in fields else None
        at = self._time(fields.get("at"), start)
        times = reader.whole_number(self._report, fields.get("repeat"), "repeat", 1, MAX_REPEAT)
        apart = self._time(fields.get("every"), at, "every") - at
        whole = merged(base, {key: value for key, value in partial.items() if key not in OWN_KEYS})
        for number in range(times or 1):
            one = whole if times is None else numbered(whole, number + 1)
            for template in [own] if own and not are_given else templates:
                yield TestEvent(one, template, at + number * apart, number + 1)

    def _partial(self, node: yaml.Node) -> Partial:
        """What an event says, its keys in canonical casing. Unknown keys are reported."""
        fields = self._canonical(node, "")
        return {
            key: self._parts(value, key)
            if EVENT_KEYS.get(key) and isinstance(value, yaml.MappingNode)
            else plain(value)
            for key, value in fields.items()
        }

    def _parts(self, node: yaml.Node, part: str) -> Partial:
        return {key: plain(value) for key, value in self._canonical(node, part).items()}

    def _canonical(self, node: yaml.Node, part: str) -> dict[str, yaml.Node]:
        """The members of an event or of a part of it; None values too, because they remove something."""
        names = {name.lower(): name for name in EVENT_KEYS[part]}
        what = part or "an event"
        if not isinstance(node, yaml.MappingNode):
            return reader.mapping(self._report, node, what)
        found = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # reading the mapping reports it
            name = names.get(key.value.lower())
            if name is None:
                near = nearest(key.value, names.values())
                hint = f"did you mean {near!r}?" if near else ""
                self._report.at(key, "AW203", f"{what} has no field {key.value!r}", hint)
            else:
                found[name] = value
                if plain(value) is not None:
                    self._check_type(value, name)
        return found

    def _check_type(self, node: yaml.Node, key: str) -> None:
        """Reports a value of a type that this member of an event never has."""
        report = self._report
        if key in _WORDS:
            reader.choice(report, node, key, _WORDS[key], "")
        elif key in _OBJECTS:
            reader.mapping(report, node, key)
        elif key in _LISTS:
            for item in reader.sequence(report, node, key):
                reader.text(report, item, f"an item of {key}")
        elif key == "code":
            reader.whole_number(report, node, key, 0, _MOST_CODE)
        elif key not in _OF_ANY_TYPE and not isinstance(plain(node), str):
            reader.text(report, node, key)

    def _time(self, node: yaml.Node | None, start: datetime, key: str = "at") -> datetime:
        """A time, or how long after the first one: ``30s``, ``5m``, ``2h``."""
        if node is None:
            return start
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        seconds = _seconds(text)
        if seconds is not None:
            return datetime.fromtimestamp(start.timestamp() + seconds, UTC)
        normal = normalise(text)
        if normal is None:
            self._report.at(
                node, "AW206", f"{key} cannot be {text!r}", "write a time, or how much later: 30s, 5m or 2h"
            )
            return start
        return datetime.fromisoformat(normal)


def numbered(value: Any, number: int) -> Any:
    """The same value with ``{n}`` in its texts replaced by a number."""
    if isinstance(value, dict):
        return {key: numbered(one, number) for key, one in value.items()}
    if isinstance(value, list):
        return [numbered(one, number) for one in value]
    return value.replace("{n}", str(number)) if isinstance(value, str) else value


def plain(node: yaml.Node) -> Any:
    """The value of a node: maps, lists, texts, numbers, true, false and None. A date is a text."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: plain(value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    try:
        value = _Values("").construct_object(node)
    except (ValueError, OverflowError, yaml.YAMLError):
        return node.value  # such as 2026-99-99, which only looks like a date
    return value if value is None or isinstance(value, bool | int | float) else node.value


class _Values(yaml.SafeLoader):
    """Makes plain values of scalars."""


def _seconds(text: str) -> float | None:
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    digits = text[:-1].removeprefix("+")
    return float(digits) * unit if unit and digits.isdecimal() and len(digits) < 9 else None
