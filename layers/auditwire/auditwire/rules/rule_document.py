"""Reading ``Rule`` documents."""

from typing import Any, Final, cast

import yaml

from auditwire.documents.diagnostics import Severity
from auditwire.documents.document_source import Report
from auditwire.events.label_names import OWN_ANNOTATIONS, OWN_LABELS, RUNBOOK, added_names, is_runbook
from auditwire.rules import reader
from auditwire.rules.document import PRECEDENCE_ANNOTATION, Entry, EntryType, RuleDocument, Scalar
from auditwire.rules.settings import Priority
from auditwire.rules.threshold_key import read_threshold

MAX_ENTRIES: Final = 5_000
"""How many entries (rules, macros, lists, aliases) one document may have."""

MAX_ITEMS: Final = 10_000
"""How many items one list may have, before it is expanded."""

MAX_ADDED: Final = 32
"""How many labels, and how many annotations, one rule may add to its alerts."""

MAX_LABEL: Final = 256
MAX_ANNOTATION: Final = 1_024
"""The longest value of a label or annotation of a rule, in characters. Alertmanager gets it unchanged."""

METADATA_KEYS: Final = (
    "name", "namespace", "labels", "annotations", "uid", "resourceVersion", "generation", "creationTimestamp",
    "managedFields", "selfLink", "ownerReferences", "finalizers",
)  # fmt: skip

ENTRY_KEYS: Final = (
    "name", "type", "desc", "condition", "macro", "list", "alias", "enable", "output", "priority",
    "labels", "annotations", "alert", "threshold",
)  # fmt: skip

PRECEDENCES: Final = ("kubesphere", "standard")
ALERT_KINDS: Final = ("fold", "distinct")

# The keys that an entry of each type needs and may have, besides name, type, desc and enable.
NEEDED_KEY: Final = {"rule": "condition", "macro": "macro", "list": "list", "alias": "alias"}
RULE_KEYS: Final = ("condition", "output", "priority", "labels", "annotations", "alert", "threshold")


def read_rule_document(report: Report, node: yaml.Node, fields: dict[str, yaml.Node]) -> RuleDocument | None:
    """Reads the ``Rule`` document of a node whose top-level ``fields`` are known to be allowed. None if it has no
    name."""
    metadata = reader.known_keys(report, fields.get("metadata"), "metadata", METADATA_KEYS)
    name = reader.plain_text(report, metadata.get("name"), "metadata.name")
    if not name:
        report.at(fields.get("metadata") or node, "AW205", "the document has no metadata.name", "give it a name")
        return None
    annotations = reader.text_map(report, metadata.get("annotations"), "metadata.annotations")
    spec = reader.known_keys(report, fields.get("spec"), "spec", ("rules",))
    nodes = reader.sequence(report, spec.get("rules"), "spec.rules")
    if len(nodes) > MAX_ENTRIES:
        report.at(nodes[MAX_ENTRIES], "AW214", f"the document has {len(nodes):,} entries, the limit is {MAX_ENTRIES:,}")
        nodes = nodes[:MAX_ENTRIES]
    entries: dict[str, Entry] = {}
    for entry_node in nodes:
        entry = _read_entry(report, entry_node, name)
        if entry is None:
            continue
        if entry.name in entries:
            report.at(
                entry.node, "AW207", f"the name {entry.name!r} is used twice in {name}", "rename one of them",
                rule=f"{name}.{entry.name}",
            )  # fmt: skip
        else:
            entries[entry.name] = entry
    return RuleDocument(
        name=name,
        labels=reader.text_map(report, metadata.get("labels"), "metadata.labels"),
        precedence=_precedence(report, metadata.get("annotations"), annotations),
        entries=tuple(entries.values()),
        report=report,
        node=node,
    )


def _precedence(report: Report, node: yaml.Node | None, annotations: dict[str, str]) -> str:
    value = annotations.get(PRECEDENCE_ANNOTATION, "strict")
    if value not in ("strict", *PRECEDENCES):
        report.at(node, "AW206", f"{PRECEDENCE_ANNOTATION} cannot be {value!r}", "write kubesphere or standard")
        return "strict"
    return value


def _read_entry(report: Report, node: yaml.Node, document: str) -> Entry | None:
    fields = reader.known_keys(report, node, "an entry of spec.rules", ENTRY_KEYS, _meant)
    name = reader.plain_text(report, fields.get("name"), "name")
    if not name:
        if isinstance(node, yaml.MappingNode):
            report.at(node, "AW205", "the entry has no name", "every rule, macro, list and alias needs one")
        return None
    rule = f"{document}.{name}"
    if "type" not in fields:
        report.at(node, "AW205", f"{name} has no type", "write type: rule, macro, list or alias", rule=rule)
        return None
    kind = reader.choice(report, fields["type"], "type", NEEDED_KEY, "")
    if not kind:
        return None
    needed = NEEDED_KEY[kind]
    if needed not in fields:
        report.at(node, "AW205", f"the {kind} {name} has no {needed}", rule=rule)
        return None
    for key in fields.keys() - {"name", "type", "desc", "enable", needed}:
        if kind != "rule" or key not in RULE_KEYS:
            reader.no_effect(report, fields[key], f"{key} of a {kind}", f"a {kind} has only {needed}")
    if kind == "rule" and "priority" not in fields:
        report.at(
            node,
            "AW205",
            f"the rule {name} has no priority, so it counts as DEBUG",
            "write priority: DEBUG, INFO or WARNING",
            severity=Severity.WARNING,
            rule=rule,
        )
    return Entry(name=name, type=cast("EntryType", kind), node=node, **_content(report, kind, fields))


def _content(report: Report, kind: str, fields: dict[str, yaml.Node]) -> dict[str, Any]:
    """The content of an entry, by its type."""
    content: dict[str, Any] = {
        "desc": reader.plain_text(report, fields.get("desc"), "desc"),
        "enable": reader.boolean(report, fields.get("enable"), "enable", default=True),
    }
    if kind == "list":
        content["items"] = reader.items(report, fields["list"], "list")
        if len(content["items"]) > MAX_ITEMS:
            what = f"the list has {len(content['items']):,} items, the limit is {MAX_ITEMS:,}"
            report.at(fields["list"], "AW214", what, "use like or regex, or several lists")
            content["items"] = ()
    elif kind == "alias":
        content["alias"] = _expression(report, fields["alias"], "alias")
    elif kind == "macro":
        content["condition"] = _expression(report, fields["macro"], "macro")
    else:
        content |= {
            "condition": _expression(report, fields["condition"], "condition"),
            "output": reader.text(report, fields.get("output"), "output"),
            "priority": Priority(reader.choice(report, fields.get("priority"), "priority", Priority, Priority.DEBUG)),
            "labels": _added(report, fields.get("labels"), "labels", MAX_LABEL, OWN_LABELS),
            "annotations": _added(report, fields.get("annotations"), "annotations", MAX_ANNOTATION, OWN_ANNOTATIONS),
            "alert": reader.choice(report, fields.get("alert"), "alert", ALERT_KINDS, "fold"),
            "threshold": read_threshold(report, fields.get("threshold")),
        }
        if content["threshold"] is not None and content["alert"] == "distinct":
            hint = "leave out alert: a threshold makes one alert of a group"
            report.at(fields["alert"], "AW206", "a rule with a threshold cannot have alert: distinct", hint)
    return content


def _added(report: Report, node: yaml.Node | None, what: str, longest: int, own: frozenset[str]) -> dict[str, Scalar]:
    """The labels or annotations of a rule; none if there are too many or one is too long (AW214). Those that an alert
    has under another name, or not at all, are reported (AW222), and a runbook_url that is none (AW223)."""
    entries = reader.mapping(report, node, what)
    if node is not None and len(entries) > MAX_ADDED:
        report.at(node, "AW214", f"the rule has {len(entries):,} {what}, the limit is {MAX_ADDED}")
        return {}
    values = reader.scalar_map(report, node, what)
    for key, value in values.items():
        if max(len(key), len(value.text)) > longest:
            report.at(entries[key], "AW214", f"{what}.{key[:40]} is longer than {longest:,} characters", "shorten it")
    names = added_names({key: value.text for key, value in values.items()}, own)
    for key, value in values.items():
        one = what.removesuffix("s")
        if key not in names:
            _renamed(report, value.node, f"the {one} {key[:40]!r} is empty, so alerts do not have it", "leave it out")
        elif names[key] != key:
            whose = "is of auditwire" if key in own else "is not a name that Alertmanager takes"
            message = f"the {one} {key[:40]!r} {whose}: alerts have yours as {names[key]!r}"
            _renamed(report, value.node, message, f"write {names[key]}")
    if what == "annotations" and (link := values.get(RUNBOOK)) and not is_runbook(link.text):
        message = "runbook_url is not an address of http or https, so alerts do not have it"
        hint = "write it like https://wiki.example.com/runbooks#name, with its host written out"
        report.at(link.node, "AW223", message, hint, severity=Severity.WARNING)
    return values


def _renamed(report: Report, node: yaml.Node, message: str, hint: str) -> None:
    report.at(node, "AW222", message, hint, severity=Severity.WARNING)


def _expression(report: Report, node: yaml.Node, what: str) -> Scalar | None:
    scalar = reader.text(report, node, what)
    if scalar is not None and not scalar.text.strip():
        report.at(node, "AW205", f"the {what} is empty")
        return None
    return scalar


def _meant(key: str) -> str:
    """The hint for a key that rules of other systems have."""
    habits = {"rule": "name", "description": "desc", "cond": "condition", "enabled": "enable", "severity": "priority",
              "items": "list", "message": "output"}  # fmt: skip
    meant = habits.get(key.lower())
    return f"did you mean {meant!r}?" if meant else ""
