"""Comparing two sets of rules: rule by rule, by what they decide, not by how they are written.

Conditions are compared after expanding macros, lists and aliases. Layout, comments, the casing of fields and the order
of tests make no difference. If a rule differs because of a definition, the definition is named.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from auditwire.condition.canonical import canonical
from auditwire.condition.precedence import spell
from auditwire.condition.syntax import AnyOf, Comparison, Expression, Path, Reference, replace_leaves
from auditwire.rules.definitions import Definitions
from auditwire.rules.document import Entry, RuleDocument
from auditwire.rules.fields import EventFields, documented
from auditwire.rules.mentions import mentions
from auditwire.rules.output import compile_output
from auditwire.rules.rule_set import RuleSet
from auditwire.rules.settings import Selector, Settings

_FIELDS: Final = EventFields()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A set of rules at some time: its rules as they decide, and the documents they are written in."""

    rule_set: RuleSet
    documents: tuple[RuleDocument, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was ``before`` and is ``after``. None means that there was, or is, nothing."""

    what: str
    before: str | None
    after: str | None

    def as_json(self) -> dict[str, str | None]:
        """The change for ``--format json``."""
        return {"what": self.what, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that was added, removed or changed. ``through`` are the changed definitions that it uses."""

    rule: str
    kind: Literal["added", "removed", "changed"]
    changes: tuple[Change, ...]
    through: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The change for ``--format json``."""
        changes = [change.as_json() for change in self.changes]
        return {"rule": self.rule, "kind": self.kind, "changes": changes, "through": list(self.through)}


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that decides differently. ``policy`` has at most one change: the policy's rules, one per line."""

    rules: tuple[RuleChange, ...] = ()
    settings: tuple[Change, ...] = ()
    policy: tuple[Change, ...] = ()
    exceptions: tuple[Change, ...] = ()
    """By name; what an exception says, in one text."""

    def __bool__(self) -> bool:
        """Whether anything decides differently."""
        return bool(self.rules or self.settings or self.policy or self.exceptions)

    def as_json(self) -> dict[str, Any]:
        """The difference for ``--format json``."""
        return {
            "rules": [change.as_json() for change in self.rules],
            "settings": [change.as_json() for change in self.settings],
            "policy": [change.as_json() for change in self.policy],
            "exceptions": [change.as_json() for change in self.exceptions],
        }


def difference(before: Snapshot, after: Snapshot) -> Difference:
    """Compares two sets of rules: rules by name, settings and policy."""
    old, new = _Side(before), _Side(after)
    changed = {name for name in old.definitions.keys() | new.definitions.keys()
               if old.definitions.get(name) != new.definitions.get(name)}  # fmt: skip
    rules: list[RuleChange] = []
    for name in sorted(old.rules.keys() | new.rules.keys()):
        was, now = old.rules.get(name), new.rules.get(name)
        if was is None or now is None:
            changes = _changes({} if was is None else was.facts, {} if now is None else now.facts)
            rules.append(RuleChange(name, "added" if was is None else "removed", changes))
            continue
        changes = tuple(
            change for change in _changes(was.facts, now.facts) if change.what != "condition" or was.differs_from(now)
        )
        if changes:
            through = sorted(changed & (old.uses(name) | new.uses(name)))
            shown = {change.what for change in changes} & {"condition", "output"}
            rules.append(RuleChange(name, "changed", changes, tuple(through if shown else ())))
    return Difference(
        tuple(rules),
        _changes(_settings(before.rule_set.settings), _settings(after.rule_set.settings)),
        _changes(_policy(before.rule_set), _policy(after.rule_set)),
        _changes(_exceptions(before.rule_set), _exceptions(after.rule_set)),
    )


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    names = dict.fromkeys([*after, *before])
    return tuple(
        Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


@dataclass(frozen=True, slots=True)
class _RuleState:
    facts: dict[str, str]
    meaning: object
    """Equal for conditions that hold for the same events."""

    def differs_from(self, other: "_RuleState") -> bool:
        return self.meaning != other.meaning


class _Side:
    """One of the two sets: its rules by name, the content of each definition, and which names it uses."""

    def __init__(self, snapshot: Snapshot) -> None:
        rule_set = snapshot.rule_set
        self._settings = rule_set.settings
        self._texts = {rule.qualified: rule.text for rule in (*rule_set.archiving, *rule_set.alerting)}
        self._resolver = Definitions(list(snapshot.documents), _FIELDS, "auditwire")
        self.rules: dict[str, _RuleState] = {}
        self.definitions: dict[str, object] = {}
        for document in snapshot.documents:
            for entry in document.entries:
                name = f"{document.name}.{entry.name}"
                if entry.type == "rule":
                    self.rules.setdefault(name, self._rule(name, document, entry))
                else:
                    self.definitions.setdefault(name, _content(entry))
        self._mentions: dict[str, set[str]] = {}
        for mention in mentions(list(snapshot.documents)):
            own = f"{mention.document.name}.{mention.name}"
            meant = own if own in self.definitions else mention.name
            self._mentions.setdefault(f"{mention.document.name}.{mention.entry.name}", set()).add(meant)

    def uses(self, rule: str) -> set[str]:
        """The definitions that a rule uses, directly or through others."""
        found: set[str] = set()
        pending = [rule]
        while pending:
            mentioned = self._mentions.get(pending.pop(), set()) - found
            found |= mentioned
            pending += mentioned
        return found

    def _rule(self, name: str, document: RuleDocument, entry: Entry) -> _RuleState:
        text = self._texts.get(name)
        # A rule that is disabled, or whose document is not selected, is in no rule set, but it can still change.
        expression = text.expression if text else self._resolver.condition(document, entry)
        written = entry.condition.text.strip() if entry.condition else ""
        facts = {
            "enabled": "true" if entry.enable else "false",
            "used for": self._used_for(document),
            "priority": str(entry.priority),
            "condition": spelled(expression) if expression is not None else written,
            "output": self._output(document, entry),
            "desc": entry.desc,
            "alert": entry.alert,
            "threshold": "" if text is None or text.threshold is None else text.threshold.as_text(),
            **{f"label {key}": value.text for key, value in entry.labels.items()},
            **{f"annotation {key}": value.text for key, value in entry.annotations.items()},
        }
        meaning = written if expression is None else canonical(expression, _FIELDS)
        return _RuleState({what: value for what, value in facts.items() if value}, meaning)

    def _output(self, document: RuleDocument, entry: Entry) -> str:
        """The output with its aliases and lists expanded; as written if it has errors."""
        if entry.output is None:
            return ""
        message, findings = compile_output(entry.output.text, document, self._resolver)
        if findings:
            return entry.output.text
        return "".join(part if isinstance(part, str) else f"${{{documented(part).text}}}" for part in message.parts)

    def _used_for(self, document: RuleDocument) -> str:
        selectors = {"archiving": self._settings.archiving_selector, "alerting": self._settings.alerting_selector}
        purposes = [purpose for purpose, selector in selectors.items() if selector.selects(document.labels)]
        return " and ".join(purposes) or "nothing"


def _content(entry: Entry) -> object:
    """The content of a definition."""
    texts = [scalar.text.strip() for scalar in (entry.condition, entry.alias) if scalar is not None]
    return entry.type, texts, [(item.text, item.is_number) for item in entry.items]


def spelled(expression: Expression) -> str:
    """The condition as text, fully parenthesised, with every field in its documented spelling."""
    return spell(replace_leaves(expression, _with_documented_name))


def _with_documented_name(leaf: Comparison | AnyOf | Reference) -> Expression:
    if isinstance(leaf, Comparison | AnyOf) and isinstance(leaf.field, Path):
        return replace(leaf, field=documented(leaf.field))
    return leaf


def _settings(settings: Settings) -> dict[str, str]:
    """The settings by their names in the Webhook document."""
    receivers = ", ".join(
        f"{receiver.name} {receiver.url}{' with its own CA' if receiver.ca_bundle else ''}"
        for receiver in settings.receivers
    )
    redactions = "; ".join(f"{'.'.join(one.path)} of {', '.join(one.resources)}" for one in settings.redactions)
    return {
        "auditLevel": str(settings.audit_level),
        "archivingPriority": str(settings.archiving_priority),
        "alertingPriority": str(settings.alerting_priority),
        "k8sAuditingEnabled": "true" if settings.k8s_auditing_enabled else "false",
        "missingBodies": str(settings.missing_bodies),
        "archivingRuleSelector": _selector(settings.archiving_selector),
        "alertingRuleSelector": _selector(settings.alerting_selector),
    } | {name: value for name, value in (("receivers", receivers), ("redact", redactions)) if value}


def _selector(selector: Selector) -> str:
    labels = [f"{key}: {value}" for key, value in sorted(selector.labels.items())]
    for requirement in selector.requirements:
        values = f" ({', '.join(sorted(requirement.values))})" if requirement.values else ""
        labels.append(f"{requirement.key} {requirement.operator}{values}")
    return ", ".join(labels) or "everything"


def _exceptions(rule_set: RuleSet) -> dict[str, str]:
    """What each exception says, one line for each part."""
    return {
        one.text.name: "\n".join(
            [
                f"rule: {one.text.rule}",
                f"condition: {spelled(one.text.expression)}",
                f"owner: {one.text.owner}",
                f"reason: {one.text.reason}",
                f"expires: {one.text.expires or 'never'}",
            ]
        )
        for one in rule_set.exceptions
    }


def _policy(rule_set: RuleSet) -> dict[str, str]:
    """The audit policy, one line for each setting and each rule."""
    if rule_set.policy is None:
        return {}
    policy = rule_set.policy.as_json()
    rules = policy.pop("rules", [])
    lines = [f"{key}: {json.dumps(value)}" for key, value in policy.items()]
    return {"policy": "\n".join([*lines, *(json.dumps(rule, ensure_ascii=False) for rule in rules)])}
