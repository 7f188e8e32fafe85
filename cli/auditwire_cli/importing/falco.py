"""Rules of Falco for Kubernetes audit events, as rules of ours."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from auditwire_cli.importing.clauses import NEVER, Clause, UntranslatableError, all_of, negated, some_of, spelled
from auditwire_cli.importing.falco_condition import Chain, Check, Condition, Macro, Negation, parse
from auditwire_cli.importing.falco_fields import clause_of, path_for_output
from auditwire_cli.importing.falco_files import Entry, Loaded, license_of, load_files, scalar
from auditwire_cli.importing.imported import ImportedRule, Outcome, identifier, plain

_SOURCE: Final = "k8s_audit"
_PRIORITIES: Final = {"NOTICE": "INFO", "INFORMATIONAL": "INFO", "INFO": "INFO", "DEBUG": "DEBUG"}
_OUTPUT_FIELD: Final = re.compile(r"%([a-zA-Z0-9_]+(?:\.[a-zA-Z0-9_]+)+(?:\[[^\]]*\])?)")
_MAX_DEPTH: Final = 100


def import_falco(paths: Sequence[Path]) -> list[Outcome]:
    """What becomes of each rule that these files define together, in the order in which their names first come."""
    loaded = load_files(paths)
    taken: dict[str, set[str]] = {}
    return [_outcome(entry, loaded, taken.setdefault(entry.source, set())) for entry in loaded.rules.values()]


def _outcome(entry: Entry, loaded: Loaded, taken: set[str]) -> Outcome:
    outcome = Outcome(entry.source, entry.name, "imported")
    source = entry.text("source") or "syscall"
    if entry.fault:
        outcome.refuse(entry.fault)
    elif source != _SOURCE:
        outcome.refuse(f"its source is {source}, not {_SOURCE}")
    else:
        try:
            clause = _Translation(loaded).rule(entry)
            condition = spelled(clause)
        except UntranslatableError as error:
            outcome.refuse(str(error))
        except RecursionError:
            outcome.refuse("its condition nests too deep")
        else:
            if clause == NEVER:
                outcome.notes.append("it never fires, as in Falco: its condition never holds")
            outcome.rule = _rule(entry, condition, taken)
    return outcome


def _rule(entry: Entry, condition: str, taken: set[str]) -> ImportedRule:
    priority = entry.text("priority").upper()
    tags = ", ".join(scalar(tag) for tag in entry.listed("tags"))
    return ImportedRule(
        name=identifier(entry.name, taken),
        desc=" ".join(entry.text("desc").split()),
        condition=condition,
        output=_output(entry.text("output")),
        priority=_PRIORITIES.get(priority, "WARNING"),
        enable=entry.text("enabled") != "false",
        labels={"severity": entry.text("priority").lower(), "origin": "falco"},
        annotations={"title": entry.name, "tags": tags, "license": license_of(Path(entry.source))},
    )


def _output(text: str) -> str:
    """The output with our fields; one that cannot be shown is named."""

    def shown(found: re.Match[str]) -> str:
        path = path_for_output(found[1])
        return f"${{{path}}}" if path else "-"

    return " ".join(_OUTPUT_FIELD.sub(shown, plain(text)).split())


class _Translation:
    """One condition with its macros and lists put in."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._inside: list[str] = []

    def rule(self, entry: Entry) -> Clause:
        """The condition of a rule, without what its exceptions take out."""
        condition = self._clause(parse(entry.text("condition")))
        rows = [self._row(*row) for row in _exception_rows(entry)]
        return all_of([condition, negated(some_of(rows))])

    def _row(self, fields: list[str], comps: list[str], values: list[Any]) -> Clause:
        parts = []
        for field, comp, value in zip(fields, comps, values, strict=True):
            listed = value if isinstance(value, list) else [value]
            parts.append(self._check(Check(field, comp, tuple(map(scalar, listed)))))
        return all_of(parts)

    def _clause(self, condition: Condition) -> Clause:
        match condition:
            case Macro(name):
                return self._macro(name)
            case Negation(part):
                return negated(self._clause(part))
            case Chain(word, parts):
                return (all_of if word == "and" else some_of)(self._clause(part) for part in parts)
            case Check():
                return self._check(condition)

    def _macro(self, name: str) -> Clause:
        macro = self._loaded.macros.get(name)
        if macro is None or macro.fault:
            raise UntranslatableError(macro.fault if macro else f"there is no macro {name}")
        if name in self._inside or len(self._inside) > _MAX_DEPTH:
            raise UntranslatableError(f"the macro {name} uses itself")
        self._inside.append(name)
        try:
            return self._clause(parse(macro.text("condition")))
        finally:
            self._inside.pop()

    def _check(self, check: Check) -> Clause:
        if check.operator in ("in", "intersects", "pmatch"):
            values = tuple(dict.fromkeys(value for each in check.values for value in self._items(each, ())))
            return clause_of(Check(check.field, check.operator, values, check.function))
        return clause_of(check)

    def _items(self, value: str, inside: tuple[str, ...]) -> Iterator[str]:
        """The value, or the items of the list that it names."""
        found = self._loaded.lists.get(value)
        if found is None or value in inside:
            yield value
        elif found.fault:
            raise UntranslatableError(found.fault)
        else:
            for item in found.listed("items"):
                yield from self._items(scalar(item), (*inside, value))


def _exception_rows(entry: Entry) -> Iterator[tuple[list[str], list[str], list[Any]]]:
    """The rows of all exceptions: fields, comparisons and values. Raises UntranslatableError for one that is broken."""
    for one in entry.listed("exceptions"):
        if not isinstance(one, dict):
            raise UntranslatableError("an exception is no map")
        fields, comps, values = one.get("fields"), one.get("comps"), one.get("values") or []
        name = scalar(one.get("name", ""))
        if not fields or not isinstance(values, list):
            raise UntranslatableError(f"the exception {name} has no fields, or its values are no list")
        if not isinstance(fields, list):
            comp = scalar(comps[0] if isinstance(comps, list) and comps else comps or "in")
            # Of a single field the values are one list.
            if comp in ("in", "intersects", "pmatch"):
                if values:
                    yield [scalar(fields)], [comp], [_flat(values)]
            else:
                for value in values:
                    yield [scalar(fields)], [comp], _flat([value])
            continue
        names = list(map(scalar, fields))
        operators = list(map(scalar, comps)) if isinstance(comps, list) else ["="] * len(names)
        for row in values:
            if not isinstance(row, list) or len(row) != len(names) or len(operators) != len(names):
                raise UntranslatableError(f"a row of the exception {name} has not as many values as there are fields")
            yield names, operators, row


def _flat(values: list[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]
