"""Every alarm and every alert about auditwire itself has its runbook, and every runbook its alarm or alert."""

import re
from pathlib import Path

import pytest

from auditwire.alerts import self_alert, with_runbook
from template import of_type, source

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\S+)\n\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
QUESTIONS = ("Meaning:", "At risk:", "Check:", "It ends:", "Try it:")
TRIED = re.findall(r"`\.venv/bin/pytest\s+(\S+\.py)(?:\s+-k\s+(\"[^\"]+\"|[^`\s]+))?`", PAGE)


def own_alerts() -> set[str]:
    """The names of all alerts about auditwire itself, as the library's constants have them."""
    library = ROOT / "layers/auditwire/auditwire"
    constant = re.compile(r'^[A-Z_]+: Final = "(auditwire\.[A-Z]\w+)"$', re.MULTILINE)
    texts = (path.read_text(encoding="utf-8") for path in library.rglob("*.py"))
    return {name for text in texts for name in constant.findall(text)}


def alarms() -> set[str]:
    return set(of_type(source(), "AWS::CloudWatch::Alarm"))


def anchor(heading: str) -> str:
    """How a heading is addressed on GitHub, GitLab and most others."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_alarm_and_every_own_alert_has_a_section_and_no_section_is_of_neither() -> None:
    assert own_alerts() >= {"auditwire.ClusterSilent", "auditwire.RulesStale", "auditwire.AlertsFolded"}
    assert set(SECTIONS) == own_alerts() | alarms()


def test_alarms_and_alerts_name_their_section() -> None:
    anchors = {anchor(name) for name in SECTIONS}
    for name, alarm in of_type(source(), "AWS::CloudWatch::Alarm").items():
        address = alarm["AlarmDescription"]["Fn::Sub"].rpartition(" Runbook: ${RunbooksUrl}#")[2]
        assert (address, address in anchors) == (anchor(name), True)
    for name in own_alerts():
        alert = with_runbook(self_alert(name, time=None, annotations={}, bundle=""), "https://wiki/runbooks")
        assert alert.annotations["runbook_url"] == f"https://wiki/runbooks#{anchor(name)}"
    assert source()["Parameters"]["RunbooksUrl"]["Default"] == "docs/runbooks.md"


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_a_section_answers_what_somebody_asks_who_was_woken_up(name: str) -> None:
    assert tuple(re.findall(r"^- \*\*([^*]+)\*\*", SECTIONS[name], re.MULTILINE)) == QUESTIONS


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_what_a_section_refers_to_is_there(name: str) -> None:
    text = " ".join(SECTIONS[name].split())
    assert set(re.findall(r"\*([A-Z]\w+Alarm)\*", text)) <= alarms()
    parameters, outputs = source()["Parameters"], source()["Outputs"]
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", text))
    metrics = {"ConcurrentExecutions", "FailedInvocations", "LastUseFailures", "Throttles"}
    metrics |= {"OldestAlertSeconds", "OldestDeadLetterSeconds"}
    assert named <= {*parameters, *outputs, "MaximumConcurrency"} | metrics


def test_what_is_to_be_tried_can_be_tried() -> None:
    assert len(TRIED) >= 20
    for file, chosen in TRIED:
        text = (ROOT / file).read_text(encoding="utf-8")
        if file.endswith("test_failures.py"):
            text += (ROOT / "tests/failure_matrix.py").read_text(encoding="utf-8")
        words = chosen.strip('"').replace(" or ", "-").split("-") if chosen else []
        assert [word for word in words if word not in text] == [], file
