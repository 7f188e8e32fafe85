"""Every code has its section in docs/diagnostics.md, and its examples do what the section says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from textwrap import indent
from typing import Literal

import pytest

from auditwire.documents.diagnostics import CODES, Diagnostic
from auditwire.policy import check_policy
from auditwire.rules import Source, load_sources
from auditwire.rules.never_sent import Cloud

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
LIBRARY = ROOT / "layers" / "auditwire" / "auditwire"

# Too large to show, or about files no user writes.
WITHOUT_EXAMPLES = {"AW110", "AW221", "AW313", "AW401", "AW402", "AW403", "AW404", "AW405"}
SEVERITIES = {"error": "error", "warning": "warning", "note": "info"}

RULE = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {name: example, labels: {type: alerting}}
spec:
  rules:
"""

Kind = Literal["condition", "entries", "document", "kubesphere", "gke", "policy"]


@dataclass(frozen=True)
class Section:
    """One code of the page."""

    code: str
    title: str
    severity: str
    examples: dict[str, tuple[Kind, str]]


def sections() -> Iterator[Section]:
    for text in PAGE.split("\n## ")[1:]:
        code, _, title = text.partition("\n")[0].partition(": ")
        (severity,) = re.findall(r"^\*(error|warning|note)\*\.", text, re.MULTILINE)
        fences = re.findall(r"^```(?:yaml|text) (bad|good) (\w+)\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
        assert text.count("```") == 2 * len(fences), code
        yield Section(code, title, SEVERITIES[severity], {which: (kind, body) for which, kind, body in fences})


SECTIONS = list(sections())


def findings(kind: Kind, text: str) -> list[Diagnostic]:
    """What is said of an example."""
    if kind == "policy":
        return list(check_policy(Source("example.yaml", text + "\n")).diagnostics)
    if kind == "condition":
        quoted = text.replace("'", "''")
        text = f"- {{name: Example, type: rule, priority: WARNING, condition: '{quoted}'}}"
    if kind != "document":
        text = RULE + indent(text, "  ")
    source = Source("example.yaml", text + "\n")
    today = date(2026, 11, 29)
    cloud = Cloud.GKE if kind == "gke" else None
    return load_sources(
        [source], dialect="kubesphere" if kind == "kubesphere" else "auditwire", today=today, cloud=cloud
    ).diagnostics


def test_every_code_has_a_section_under_its_title_in_order() -> None:
    assert [(section.code, section.title) for section in SECTIONS] == list(CODES.items())
    assert list(CODES) == sorted(CODES)


def test_every_code_of_the_source_is_known_and_every_known_one_is_used() -> None:
    modules = [path for path in LIBRARY.rglob("*.py") if path.name != "diagnostics.py"]
    used = {code for path in modules for code in re.findall(r'"(AW\d{3})"', path.read_text(encoding="utf-8"))}

    assert used == set(CODES)


def test_every_section_has_a_bad_and_a_good_example_or_is_known_to_have_none() -> None:
    without = {section.code for section in SECTIONS if set(section.examples) != {"bad", "good"}}

    assert without == WITHOUT_EXAMPLES


@pytest.mark.parametrize("section", [one for one in SECTIONS if one.examples], ids=lambda section: section.code)
def test_the_bad_example_gives_the_finding_and_the_good_one_does_not(section: Section) -> None:
    bad = [(found.code, str(found.severity)) for found in findings(*section.examples["bad"])]
    good = [found.as_text() for found in findings(*section.examples["good"])]

    assert (section.code, section.severity) in bad
    assert not [text for text in good if f" {section.code}: " in text or " error " in text]


def test_a_link_to_a_section_leads_there() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", f"{section.code}: {section.title}".lower()).replace(" ", "-") for section in SECTIONS
    }

    assert set(re.findall(r"\(#([^)]+)\)", PAGE)) <= anchors
