"""Documents of KubeSphere, as its API gives them out, as documents of a folder of rules; and the way back.

There are three shapes: the ``Rule`` and ``Webhook`` of KubeSphere 3, alone or in a ``List``, and the
``ClusterRuleGroup`` of KubeSphere 4, whose entries have what they are under ``expr``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from auditwire.condition.syntax import Path as FieldPath
from auditwire.documents.source import Source
from auditwire.rules import RuleSet, load_sources
from auditwire.rules.difference import spelled
from auditwire.rules.document import API_VERSION, PRECEDENCE_ANNOTATION
from auditwire.rules.rule_document import ENTRY_KEYS, NEEDED_KEY
from auditwire.rules.rule_set import RuleText
from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_text
from auditwire_cli.importing.clauses import UntranslatableError
from auditwire_cli.importing.documents import as_yaml
from auditwire_cli.importing.imported import Outcome

_GROUP: Final = "logging.whizard.io/"
_GROUP_KINDS: Final = ("ClusterRuleGroup", "RuleGroup")
_LIST_KINDS: Final = ("List", "RuleList", "WebhookList", "ClusterRuleGroupList", "RuleGroupList")
# What people wrote of an object's metadata; everything else its API server set.
_METADATA: Final = ("name", "labels", "annotations")
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

Document = dict[str, Any]


def import_kubesphere(paths: Sequence[Path]) -> tuple[list[Outcome], list[Source]]:
    """What becomes of each rule in these files, in order, and the documents, which keep their names.

    A rule that does not pass the check is left out, and so is an object that is about something else, as there are in a
    list of all objects. Raises UsageError for what is no document of KubeSphere, and where nothing else is there.
    """
    outcomes: list[Outcome] = []
    documents: dict[str, Document] = {}
    for path in paths:
        for value in _documents(path):
            try:
                document = _document(value)
            except UntranslatableError as error:
                outcomes.append(Outcome(str(path), _name_of(value), "refused", str(error)))
                continue
            name = document["metadata"]["name"]
            file = f"{name}.yaml" if document["kind"] == "Rule" else f"{name}-webhook.yaml"
            if file in documents:
                raise UsageError(f"{path}: there are two documents called {name}", "import them one after the other")
            documents[file] = document
            outcomes += _outcomes(document, str(path))
    if outcomes and not documents:
        raise UsageError(f"{outcomes[0].source}: {outcomes[0].reason}")
    return outcomes, _checked(outcomes, documents)


def _documents(path: Path) -> Iterator[Document]:
    try:
        values = list(yaml.safe_load_all(read_text(path)))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        place = f":{where.line + 1}:{where.column + 1}" if where else ""
        raise UsageError(f"{path}{place}: this is not YAML: {getattr(error, 'problem', error)}") from None
    pending = [value for value in values if value is not None]
    while pending:
        value = pending.pop(0)
        if not isinstance(value, dict):
            raise UsageError(f"{path}: this is no document of KubeSphere", "one is a map with apiVersion and kind")
        if value.get("kind") in _LIST_KINDS:
            items = value.get("items")
            pending = [*(items if isinstance(items, list) else []), *pending]
        else:
            yield value


def _name_of(value: Document) -> str:
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return str(name or value.get("kind") or "document")


def _document(value: Document) -> Document:
    """A document as it stands in a folder of rules. Raises UntranslatableError for other kinds."""
    kind, version = str(value.get("kind", "")), str(value.get("apiVersion", ""))
    is_group = kind in _GROUP_KINDS and version.startswith(_GROUP)
    if not is_group and (kind not in ("Rule", "Webhook") or version != API_VERSION):
        raise UntranslatableError(
            f"{kind or 'this'} of {version or 'no apiVersion'} is no document of KubeSphere's auditing"
        )
    metadata = value.get("metadata")
    spec = value.get("spec")
    if not isinstance(metadata, dict) or not metadata.get("name") or not isinstance(spec, dict):
        raise UntranslatableError(f"a {kind} has no metadata.name or no spec")
    if is_group:
        if spec.get("type") not in (None, "auditing"):
            raise UntranslatableError(f"{metadata['name']} is about {spec.get('type')}, not about auditing")
        spec = {"rules": [_flat(entry) for entry in spec.get("rules") or [] if isinstance(entry, dict)]}
        kind = "Rule"
    kept = {key: metadata[key] for key in _METADATA if metadata.get(key)}
    annotations = {key: text for key, text in (kept.pop("annotations", None) or {}).items() if key != _LAST_APPLIED}
    if kind == "Rule":
        labels = kept.get("labels") or {}
        # Groups have labels of their own kind, by which nothing here would select them.
        is_selected = not is_group or labels.get("type") in ("alerting", "archiving")
        kept["labels"] = {"type": "alerting"} | labels if is_selected else labels | {"type": "alerting"}
        # So it means what it means in KubeSphere, also where others would read it otherwise.
        annotations.setdefault(PRECEDENCE_ANNOTATION, "kubesphere")
    if annotations:
        kept["annotations"] = annotations
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": kept, "spec": spec}


def _flat(entry: Document) -> Document:
    """An entry of KubeSphere 4 as one of KubeSphere 3: what it is stands beside its name."""
    flat = {key: value for key, value in entry.items() if key != "expr"}
    expression = entry.get("expr")
    if isinstance(expression, dict):
        kind = expression.get("kind")
        flat |= {key: value for key, value in expression.items() if key != "kind"}
        flat["type"] = kind
        # A rule's condition may stand under the name of its kind, as a macro's does.
        if kind == "rule" and "condition" not in flat and isinstance(flat.get("rule"), str):
            flat["condition"] = flat.pop("rule")
    return flat


def _outcomes(document: Document, source: str) -> list[Outcome]:
    if document["kind"] != "Rule":
        return []
    entries = document["spec"].get("rules") or []
    name = document["metadata"]["name"]
    found = []
    for entry in entries:
        if isinstance(entry, dict) and entry.get("type") == "rule":
            outcome = Outcome(
                source, str(entry.get("name", "")), "imported", document=name, entry=str(entry.get("name"))
            )
            unknown = sorted(str(key) for key in entry if key not in ENTRY_KEYS)
            if unknown:
                outcome.refuse(f"nobody here knows what {unknown[0]} means")
            found.append(outcome)
    return found


def _checked(outcomes: Sequence[Outcome], documents: dict[str, Document]) -> list[Source]:
    """The documents without the rules that do not pass the check; those outcomes become refused."""
    while True:
        refused = {f"{one.document}.{one.name}" for one in outcomes if one.status == "refused"}
        sources = [Source(file, as_yaml(_without(document, refused))) for file, document in documents.items()]
        loaded = load_sources(sources)
        if loaded.rule_set is not None:
            return sources
        wrong = {found.rule: found.message for found in loaded.diagnostics if found.is_error}
        changed = False
        for outcome in outcomes:
            name = f"{outcome.document}.{outcome.name}"
            if name in wrong and outcome.status != "refused":
                outcome.refuse(wrong[name])
                changed = True
        if not changed:
            first = next(found for found in loaded.diagnostics if found.is_error)
            raise UsageError(f"the documents do not pass the check: {first.message}", f"{first.path}:{first.line}")


def _without(document: Document, refused: set[str]) -> Document:
    if document["kind"] != "Rule":
        return document
    name = document["metadata"]["name"]
    rules = [
        entry
        for entry in document["spec"].get("rules") or []
        if not (isinstance(entry, dict) and entry.get("type") == "rule" and f"{name}.{entry.get('name')}" in refused)
    ]
    return {**document, "spec": {**document["spec"], "rules": rules}}


def export_kubesphere(rule_set: RuleSet) -> tuple[list[Outcome], list[Source]]:
    """What becomes of each enabled rule, and the documents for KubeSphere. Conditions have their macros, lists and
    aliases put in and every parenthesis, because KubeSphere puts macros in as text. What KubeSphere cannot say is
    refused."""
    texts: dict[str, RuleText] = {}
    purposes: dict[str, str] = {}
    for purpose, rules in (("archiving", rule_set.archiving), ("alerting", rule_set.alerting)):
        for rule in rules:
            texts.setdefault(rule.qualified, rule.text)
            purposes.setdefault(rule.document, purpose)
    outcomes = [Outcome(text.document, text.name, "imported", document=text.document, entry=text.name)
                for text in texts.values()]  # fmt: skip
    excepted = {exception.text.rule for exception in rule_set.exceptions}
    for outcome in outcomes:
        text = texts[f"{outcome.document}.{outcome.name}"]
        source = Source("x.yaml", as_yaml(_for_kubesphere(text.document, purposes[text.document], [text])))
        wrong = [found for found in load_sources([source], dialect="kubesphere").diagnostics if found.is_error]
        if text.threshold is not None:
            outcome.refuse("KubeSphere's rules have no threshold: there it would alert on each match")
        elif wrong:
            outcome.refuse(wrong[0].message)
        elif text.labels or text.annotations or text.alert != "fold":
            outcome.notes.append("KubeSphere's rules have no labels, annotations and alert: they are left out")
        if not wrong and text.qualified in excepted:
            outcome.notes.append("KubeSphere knows no exceptions: there it alerts of everything that it matches")
    kept = {f"{one.document}.{one.name}" for one in outcomes if one.status != "refused"}
    sources = []
    for name, purpose in purposes.items():
        members = [text for qualified, text in texts.items() if text.document == name and qualified in kept]
        if members:
            sources.append(Source(f"{name}.yaml", as_yaml(_for_kubesphere(name, purpose, members))))
    return outcomes, sources


def _for_kubesphere(name: str, purpose: str, texts: Sequence[RuleText]) -> Document:
    entries = []
    for text in texts:
        entry = {"name": text.name, "type": "rule", "desc": text.desc, NEEDED_KEY["rule"]: spelled(text.expression),
                 "enable": True, "priority": str(text.priority)}  # fmt: skip
        if text.output is not None:
            entry["output"] = "".join(
                f"${{{part.text}}}" if isinstance(part, FieldPath) else part for part in text.output.parts
            )
        entries.append(entry)
    metadata = {"name": name, "labels": {"type": purpose}}
    return {"apiVersion": API_VERSION, "kind": "Rule", "metadata": metadata, "spec": {"rules": entries}}
