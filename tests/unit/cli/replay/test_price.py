"""``auditwire rules price``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit_events import item, text_of
from rule_texts import document, rule

Run = Callable[..., Any]
POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
WORDS = ("rules", "price", "--events", "audit.log", "--rules", "rules.yaml", "--policy", "policy.yaml")


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads that no rule looks at, one that a rule does, rules and a policy."""
    monkeypatch.chdir(tmp_path)
    events = [item(auditID=str(number)) for number in range(9)]
    events.append(item(verb="delete", userAgent="curl/8"))
    Path("audit.log").write_bytes(b"\n".join(map(text_of, events)))
    Path("rules.yaml").write_text(document(rule('Verb = "delete"')))
    Path("policy.yaml").write_text(POLICY)


def test_json_has_sizes_and_cuts_as_rules_of_a_policy(auditwire: Run) -> None:
    result = auditwire(*WORDS, "--format", "json")

    found = json.loads(result.stdout)
    assert (result.exit_code, found["events"], found["bytes"]) == (0, 10, sum(map(len, _lines())))
    assert {name: rows[0]["events"] for name, rows in found["by"].items()} == {
        "policy rule": 10, "request": 9, "client": 9, "detection": 1,
    }  # fmt: skip
    (cut,) = found["cuts"]
    assert (cut["request"], cut["level"], cut["events"]) == ("get pods at Metadata", "None", 9)
    assert 0 < cut["dollars"] < found["dollars"]
    assert found["policy"] == [{"level": "None", "verbs": ["get"], "resources": [{"group": "", "resources": ["pods"]}]}]


def test_what_a_policy_would_record_is_priced(auditwire: Run) -> None:
    with Path("audit.log").open("ab") as log:
        body = {"spec": {"a": "x" * 50}}
        events = [
            item(verb="create", level="RequestResponse", requestObject=body, responseObject=body),
            item(verb="create", level="RequestResponse", stage="RequestReceived"),
        ]
        log.writelines(b"\n" + text_of(event) for event in events)
    Path("policy.yaml").write_text(
        f"{POLICY}omitStages: [RequestReceived]\n".replace(
            "[{level: Metadata}]", "[{level: None, verbs: [get]}, {level: Request}]"
        )
    )
    words = ("policy", "price", "policy.yaml", "--events", "audit.log", "--rules", "rules.yaml")

    found = json.loads(auditwire(*words, "--format", "json").stdout)
    text = auditwire(*words).stdout

    lines = _lines()
    response = len(text_of(body))
    assert found["under_policy"]["events"] == 2
    assert found["under_policy"]["bytes"] == len(lines[9]) + len(lines[10]) - response
    assert 0 < found["under_policy"]["dollars"] < found["dollars"]
    assert "under the policy: 2 events (16.7 %)" in text
    without = json.loads(auditwire(*WORDS[:-2], "--format", "json").stdout)
    assert without["under_policy"] is None


def _lines() -> list[bytes]:
    return Path("audit.log").read_bytes().splitlines()


def test_the_cuts_lose_no_alert_and_save_what_they_say(auditwire: Run) -> None:
    before = json.loads(auditwire(*WORDS, "--format", "json").stdout)
    document = yaml.safe_load(POLICY)
    document["rules"] = [*before["policy"], *document["rules"]]
    Path("after").mkdir()
    Path("after/rules.yaml").write_bytes(Path("rules.yaml").read_bytes())
    Path("after/policy.yaml").write_text(yaml.safe_dump(document))

    words = ("--events", "audit.log", "--old", "rules.yaml", "--new", "after", "--format", "json")
    replayed = json.loads(auditwire("rules", "replay", *words).stdout)

    assert replayed["alerts"] == {"old": 1, "new": 1, "gained": 0, "lost": 0, "changed": 0}


def test_people_read_tables_and_rules_for_the_policy(auditwire: Run) -> None:
    stdout = auditwire(*WORDS).stdout

    assert stdout.startswith("10 events, 0.0 MB, 2026-11-21T22:05 to 2026-11-21T22:05\n")
    assert "CUT THAT LOSES NO DETECTION  TO    EVENTS" in stdout
    assert yaml.safe_load(stdout.split("# rules for the audit policy, before the others\n")[1])[0]["level"] == "None"


def test_where_every_kind_is_needed_there_is_nothing_to_cut(auditwire: Run) -> None:
    Path("rules.yaml").write_text(document(rule('User.Username = "eve"')))

    assert "there is nothing to cut that loses no detection" in auditwire(*WORDS).stdout
