"""Imported rules as documents: one for each file of the source, checked as rules are, and written to a folder."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from auditwire.analysis.recorded import fields_read
from auditwire.documents.source import Source
from auditwire.rules import load_sources
from auditwire.rules.document import API_VERSION
from auditwire.rules.rule_set import RuleSet
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.importing.clauses import NOTHING
from auditwire_cli.importing.imported import Outcome

_NAME: Final = re.compile(r"[^a-z0-9]+")
_BODY_FIELDS: Final = frozenset(("RequestObject", "PodSpec", "Containers"))


class _Dumper(yaml.SafeDumper):
    """Writes no anchors: each rule stands by itself."""

    def ignore_aliases(self, data: Any) -> bool:
        return data is not None


def documents_of(outcomes: Sequence[Outcome], origin: str) -> list[Source]:
    """The documents of all rules that were imported. An outcome whose rule does not pass the check becomes refused.

    Each outcome gets the name of its document, and notes about what its rule needs.
    """
    names: dict[str, str] = {}
    for outcome in outcomes:
        if outcome.source not in names:
            names[outcome.source] = _document_name(outcome.source, origin, set(names.values()))
        outcome.document = names[outcome.source]
    while sources := _documents(outcomes, names.values(), origin):
        loaded = load_sources(sources)
        if loaded.rule_set is not None:
            never = {found.rule: found.message for found in loaded.diagnostics if found.code == "AW114"}
            _note(outcomes, loaded.rule_set, never)
            break
        wrong = {found.rule: found.message for found in loaded.diagnostics if found.is_error}
        refused = [outcome for outcome in outcomes if outcome.qualified in wrong]
        if not refused:
            first = next(found for found in loaded.diagnostics if found.is_error)
            raise CommandError(f"the imported rules do not pass the check: {first.as_text()}")
        for outcome in refused:
            outcome.refuse(wrong[outcome.qualified])
    return sources


def prepared_folder(folder: Path, *, force: bool) -> Path:
    """The folder, which is new or empty unless ``force`` is given. Raises UsageError for any other."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "give another --out")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise UsageError(f"{folder} is not empty", "give another --out, or --force to write into it")
    return folder


def write_documents(folder: Path, sources: Iterable[Source]) -> None:
    """Writes the documents into the folder. Raises CommandError where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            (folder / source.path).write_text(source.text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot write to {folder}: {error.strerror}") from None


def as_yaml(document: dict[str, Any]) -> str:
    """A document as text, its keys in the order given and long texts in one piece."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000)


def source_files(paths: Iterable[Path]) -> list[Path]:
    """The files at these paths: of folders all *.yaml and *.yml in them. Raises UsageError for what is not there."""
    files: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found = [each for each in sorted(path.rglob("*")) if each.suffix in (".yaml", ".yml") and each.is_file()]
            if not found:
                raise UsageError(f"there are no rules in {path}", "their names end in .yaml or .yml")
            files |= dict.fromkeys(found)
        elif path.exists():
            files[path] = None
        else:
            raise UsageError(f"cannot read {path}: No such file or directory")
    return list(files)


def _documents(outcomes: Sequence[Outcome], names: Iterable[str], origin: str) -> list[Source]:
    found = []
    for name in names:
        entries = [each.rule.as_entry() for each in outcomes if each.document == name and each.rule is not None]
        if entries:
            found.append(_document(name, entries, origin))
    return found


def _document_name(source: str, origin: str, taken: set[str]) -> str:
    stem = _NAME.sub("-", Path(source).stem.lower()).strip("-")[:50] or "rules"
    name = free = stem if stem.startswith(origin) else f"{origin}-{stem}"
    number = 2
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _document(name: str, entries: list[dict[str, Any]], origin: str) -> Source:
    if any(f"${{{NOTHING}}}" in entry["condition"] for entry in entries):
        entries.insert(0, {"name": NOTHING, "type": "list", "desc": "An empty list: nothing is in it", "list": []})
    document = {
        "apiVersion": API_VERSION,
        "kind": "Rule",
        "metadata": {"name": name, "labels": {"type": "alerting", "origin": origin}},
        "spec": {"rules": entries},
    }
    return Source(f"{name}.yaml", as_yaml(document))


def _note(outcomes: Sequence[Outcome], rule_set: RuleSet, never: Mapping[str, str]) -> None:
    """Notes what each rule needs and does that its author may not expect. ``never`` says why rules never hold."""
    rules = {rule.qualified: rule for rule in rule_set.alerting}
    for outcome in outcomes:
        rule = rules.get(outcome.qualified)
        if rule is None:
            if outcome.rule is not None:
                outcome.notes.append("it is not enabled")
            continue
        if outcome.qualified in never:
            outcome.notes.append(f"it never fires: {never[outcome.qualified]}")
        if any(note.startswith("it never fires") for note in outcome.notes):
            continue
        reads = fields_read(rule.text.expression)
        if "ResponseObject" in reads:
            outcome.notes.append("it needs events of the level RequestResponse")
        elif _BODY_FIELDS & reads:
            outcome.notes.append("it needs events of the level Request")
        if "Stage" not in reads:
            outcome.notes.append("it fires at every stage of a request")
