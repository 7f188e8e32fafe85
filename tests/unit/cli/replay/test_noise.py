"""``auditwire rules noise``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit_events import item, text_of
from rule_texts import document, rule

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve requests of one user and one of another, and rules to judge them with."""
    monkeypatch.chdir(tmp_path)
    events = [item(user={"username": "backup"}, auditID=str(number)) for number in range(12)]
    events.append(item(user={"username": "eve"}, stageTimestamp="2026-11-22T03:00:00.000000Z"))
    Path("audit.log").write_bytes(b"\n".join(map(text_of, events)))
    Path("rules.yaml").write_text(document(rule('Verb = "get"')))


def test_json_has_groups_times_and_ready_exceptions(auditwire: Run) -> None:
    result = auditwire(
        "rules", "noise", "--events", "audit.log", "--rules", "rules.yaml", "--by", "day", "--format", "json"
    )

    found = json.loads(result.stdout)
    assert (result.exit_code, found["events"], found["alerts"]) == (0, 13, 13)
    (told,) = found["rules"]
    assert told["groups"][0] == {
        "user": "backup", "verb": "get", "resource": "pods", "subresource": "", "namespace": "shop", "alerts": 12,
    }  # fmt: skip
    assert told["times"] == [{"time": "2026-11-21", "alerts": 12}, {"time": "2026-11-22", "alerts": 1}]
    (exception,) = found["exceptions"]
    assert (exception["silenced"], exception["of"], exception["rare"]) == (12, 13, 0)
    written = yaml.safe_load(exception["document"])
    assert (written["kind"], written["spec"]["rule"]) == ("Exception", "mine.r")
    assert written["spec"]["condition"] == 'User.Username = "backup"'


def test_people_read_tables_and_documents(auditwire: Run) -> None:
    result = auditwire("rules", "noise", "--events", "audit.log", "--rules", "rules.yaml")

    assert result.stdout.startswith(
        "13 alerts of 1 rule in 13 events, 2026-11-21T22:05 to 2026-11-22T03:00, rules.yaml\n"
    )
    assert "2026-11-22T03:00Z       1" in result.stdout
    assert (
        "# silences 12 of 13 alerts of this rule, none of them rare\napiVersion: auditwire.io/v1alpha1" in result.stdout
    )


def test_exceptions_are_written_and_never_over_others(auditwire: Run) -> None:
    words = ("rules", "noise", "--events", "audit.log", "--rules", "rules.yaml", "--out", "exceptions")

    assert auditwire(*words).exit_code == 0
    (written,) = Path("exceptions").iterdir()
    assert written.name == "mine-r-backup.yaml"
    again = auditwire(*words)
    assert (again.exit_code, "mine-r-backup.yaml exists" in again.stderr) == (1, True)


def test_quiet_rules_are_said_to_be(auditwire: Run) -> None:
    Path("rules.yaml").write_text(document(rule('Verb = "delete"')))

    result = auditwire("rules", "noise", "--events", "audit.log", "--rules", "rules.yaml")

    assert result.stdout.startswith("0 alerts of 0 rules in 13 events")


def test_a_written_exception_passes_the_check_and_silences_what_it_says(auditwire: Run) -> None:
    Path("after").mkdir()
    Path("after/rules.yaml").write_bytes(Path("rules.yaml").read_bytes())
    auditwire("rules", "noise", "--events", "audit.log", "--rules", "rules.yaml", "--out", "after/exceptions")

    checked = auditwire("rules", "check", "after", "--strict")
    replayed = auditwire(
        "rules", "replay", "--events", "audit.log", "--old", "rules.yaml", "--new", "after", "--format", "json"
    )

    assert (checked.exit_code, checked.stdout.splitlines()[-1].endswith("no findings")) == (0, True)
    assert json.loads(replayed.stdout)["alerts"] == {"old": 13, "new": 1, "gained": 0, "lost": 12, "changed": 0}
