"""The rules that ship: their tests pass by every way to decide, and their pages say what they are."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from auditwire.analysis.cases import CaseFile, read_cases
from auditwire.analysis.operand_coverage import coverage, percent
from auditwire.analysis.trial import Trials, event_of
from auditwire.condition.evaluate import evaluate
from auditwire.condition.matcher import Matcher
from auditwire.documents.source import Source
from auditwire.events import Event, decode, settle
from auditwire.rules import RuleSet, load_rule_set, rule_test_files
from auditwire.thresholds.match import match_of
from auditwire.thresholds.windows import Windows
from captures import Capture, each_of, own_bodies, own_logs

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
MACHINES = ("system:apiserver", "system:node:", "system:serviceaccount:kube-system:", "system:kube-")


@cache
def shipped() -> RuleSet:
    return load_rule_set([RULES])


@cache
def files() -> tuple[CaseFile, ...]:
    return tuple(read_cases(Source(str(path.relative_to(ROOT)), path.read_text())) for path in rule_test_files(RULES))


@cache
def tried() -> tuple[Event, ...]:
    """The events of all tests."""
    return tuple(
        event_of(one, f"{case.name}#{number}")
        for file in files()
        for case in file.cases
        for number, one in enumerate(case.events)
        if one.number == 1
    )


def test_all_tests_pass_and_every_operand_is_decisive_both_ways_or_named_with_its_reason() -> None:
    trials = Trials(shipped())
    results = [trials.run(case) for file in files() for case in file.cases]

    assert [(result.case.path, result.case.name, result.reasons) for result in results if not result.passed] == []
    covered = coverage(shipped(), results, [excuse for file in files() for excuse in file.excuses])
    assert [(one.rule, one.missing()) for one in covered if one.missing()] == []
    assert [one.rule for one in covered if one.needless] == []
    assert percent(covered) == 100.0


def test_walker_cold_and_hot_code_decide_every_event_of_the_tests_alike() -> None:
    rules = (*shipped().archiving, *shipped().alerting)
    bound = [rule.bound for rule in rules]
    cold, hot = Matcher(bound, hot=10**9), Matcher(bound, hot=1)

    assert len(tried()) > 1_000
    for event in tried():
        walked = tuple(place for place, condition in enumerate(bound) if evaluate(condition, event))
        assert cold.match(event) == walked
        assert hot.match(event) == walked
        assert hot.match(event) == walked


def test_every_rule_that_alerts_says_what_to_do_and_has_a_test_that_fires_and_one_that_is_silent() -> None:
    by_rule: dict[str, set[str]] = {}
    for file in files():
        for case in file.cases:
            by_rule.setdefault(case.rule, set()).add(case.expect)
    unfilled = {"RequestFromListedAddress", "RefusedImage"}

    for rule in shipped().alerting:
        if rule.name == "ResourceChange":
            continue
        assert {"mitre_attack", "runbook", "false_positives", "needs_level"} <= rule.annotations.keys(), rule.name
        if rule.name not in unfilled:
            assert by_rule[rule.name] >= {"silent", "alert" if rule.priority == "WARNING" else "archive"}, rule.name


def test_the_pages_are_those_of_the_rules() -> None:
    command = [sys.executable, "docs/detections/pages.py", "--check"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, ""), "run: python docs/detections/pages.py"


def test_the_table_of_techniques_names_every_rule_and_says_what_is_open() -> None:
    rows = [
        row
        for group in yaml.safe_load((ROOT / "docs" / "detections" / "coverage.yaml").read_text())
        for row in group["techniques"]
    ]
    rules = {rule.name for rule in (*shipped().alerting, *shipped().archiving)}

    assert [row["technique"] for row in rows if not row["rules"] and not row.get("open")] == []
    assert {name for row in rows for name in row["rules"]} == rules - {"archiving"}


def events_of(capture: Capture) -> Iterator[Event]:
    for line in capture.lines:
        for event in decode(line).events:
            settle(event, cluster="c", received=_NOW)
            yield event


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 11, 29, tzinfo=UTC)


_NOW = _now()


@each_of([*own_logs(), *own_bodies()])
def test_nothing_alerts_on_the_control_plane_and_kubelets(capture: Capture) -> None:
    for event in events_of(capture):
        if (event.user.username or "").startswith(MACHINES):
            assert [rule.name for rule in shipped().decide(event).alerts] == [], json.dumps(event.auditID)


@each_of([*own_logs(), *own_bodies()])
def test_no_threshold_is_reached_in_what_was_recorded(capture: Capture) -> None:
    windows = Windows()
    for event in events_of(capture):
        for rule in shipped().decide(event).pending:
            assert not (event.user.username or "").startswith(MACHINES), rule.name
            match = match_of(rule, event, "c", None)
            assert match is None or not windows.reach(match), rule.name
