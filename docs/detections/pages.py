"""Writes the pages about the detections from the rules and their tests: one for each rule, and docs/detections.md.

python docs/detections/pages.py           write them
python docs/detections/pages.py --check   say which are out of date, and end with 1 if any is
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from auditwire.analysis.cases import Case, read_cases
from auditwire.documents.source import Source
from auditwire.rules import load_sources, read_sources, rule_files, rule_test_files
from auditwire.rules.document import Entry, RuleDocument

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
PAGES = ROOT / "docs" / "detections"
MATRIX = ROOT / "docs" / "detections.md"
COVERAGE = PAGES / "coverage.yaml"
INTRODUCTION = PAGES / "introduction.md"


@dataclass(frozen=True)
class Detection:
    """A rule with a runbook, where it stands, and its tests."""

    document: RuleDocument
    entry: Entry
    path: str
    cases: list[Case]
    threshold: str

    @property
    def name(self) -> str:
        return self.entry.name

    def note(self, key: str) -> str:
        found = self.entry.annotations.get(key)
        return found.text if found else ""

    @property
    def fires(self) -> list[Case]:
        return [case for case in self.cases if case.expect in ("alert", "archive")]

    @property
    def silent(self) -> int:
        return sum(one.number == 1 for case in self.cases if case.expect == "silent" for one in case.events)


def detections() -> list[Detection]:
    """The detections, in the order of their documents."""
    cases = [case for file in rule_test_files(RULES) for case in read_cases(Source(str(file), file.read_text())).cases]
    loaded = load_sources(read_sources(rule_files(RULES)))
    thresholds = {
        rule.qualified: rule.text.threshold.as_text()
        for rule in (loaded.rule_set.alerting if loaded.rule_set else ())
        if rule.text.threshold
    }
    return [
        Detection(
            document,
            entry,
            Path(document.report.source.path).relative_to(RULES).as_posix(),
            [case for case in cases if case.rule == entry.name],
            thresholds.get(f"{document.name}.{entry.name}", ""),
        )
        for document in loaded.documents
        for entry in document.entries
        if entry.type == "rule" and "runbook" in entry.annotations
    ]


def page(one: Detection) -> str:
    """The page of one rule."""
    condition = " ".join(one.entry.condition.text.split()) if one.entry.condition else ""
    senders = sorted({event.template for case in one.fires for event in case.events})
    fires = "\n".join(f"- {case.name}" for case in one.fires) or "- nothing: its list is empty until a site fills it"
    threshold = f"\n| alerts at | [{one.threshold}](../thresholds.md) |" if one.threshold else ""
    return f"""# {one.name}

{one.entry.desc}.

| | |
| --- | --- |
| rule | `{one.document.name}.{one.name}`, in [rules/{one.path}](../../rules/{one.path}) |
| priority | {one.entry.priority} |{threshold}
| MITRE ATT&CK | {one.note("mitre_attack")} |
| needs level | {one.note("needs_level")} |

**What to do.** {one.note("runbook")}

**False positives.** {one.note("false_positives")}

```text
{condition}
```

Its tests let it match these, and keep it silent on {one.silent} events that differ in one value:

{fires}

Senders in its tests: {", ".join(senders) or "none"}. See [all detections](../detections.md).
"""


def matrix(found: list[Detection]) -> str:
    """docs/detections.md."""
    by_name = {one.name: one for one in found}
    lines = [INTRODUCTION.read_text(encoding="utf-8").rstrip(), "", "## By document", ""]
    lines += [
        "| document | rules | alert | archive | firing tests | events kept silent |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    documents = dict.fromkeys(one.document.name for one in found)
    for name in documents:
        own = [one for one in found if one.document.name == name]
        alert = sum(one.entry.priority == "WARNING" for one in own)
        firing, silent = sum(len(one.fires) for one in own), sum(one.silent for one in own)
        lines.append(f"| {name} | {len(own)} | {alert} | {len(own) - alert} | {firing} | {silent} |")
    groups = yaml.safe_load(COVERAGE.read_text(encoding="utf-8"))
    rows = [row for group in groups for row in group["techniques"]]
    covered = [row for row in rows if row["rules"]]
    lines += ["", "## By technique", ""]
    lines.append(f"{len(covered)} of {len(rows)} techniques are covered. What is open is said in the last column.")
    for group in groups:
        lines += ["", f"### {group['group']}", "", "| technique | level | rules | open |", "| --- | --- | --- | --- |"]
        for row in group["techniques"]:
            rules = ", ".join(f"[{name}](detections/{name}.md)" if name in by_name else name for name in row["rules"])
            lines.append(f"| {row['technique']} | {row['level']} | {rules} | {row.get('open', '')} |")
    lines += ["", "## All rules", "", "| rule | priority | MITRE ATT&CK |", "| --- | --- | --- |"]
    lines += [
        f"| [{one.name}](detections/{one.name}.md) | {one.entry.priority} | {one.note('mitre_attack')} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes the pages, or says which are out of date."""
    found = detections()
    wanted = {PAGES / f"{one.name}.md": page(one) for one in found} | {MATRIX: matrix(found)}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stale += [path for path in PAGES.glob("*.md") if path not in wanted and path != INTRODUCTION]
    if "--check" in sys.argv:
        print("\n".join(str(path.relative_to(ROOT)) for path in stale))
        return 1 if stale else 0
    for path in stale:
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
