"""The recipes for reviews of rules, run as the scripts that they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from audit_events import item, text_of
from rule_texts import document, rule

RECIPES = Path(__file__).parents[4] / "docs" / "recipes"
TEST = "tests:\n- {{name: ann reads, rule: r, expect: {expect}, events: [{{verb: get, user: {{username: ann}}}}]}}\n"


@pytest.fixture
def change(tmp_path: Path) -> Path:
    """A folder with rules before and after a change, and an audit log."""
    for name, condition in (("old", 'Verb = "list"'), ("new", 'Verb = "get"')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.yaml").write_text(document(rule(condition)))
    (tmp_path / "new/mine.test.yaml").write_text(TEST.format(expect="alert"))
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(text_of(item(auditID=str(number))) for number in range(3)))
    return tmp_path


def review(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = Path(sys.executable).with_name("auditwire")
    return subprocess.run(
        ["sh", RECIPES / "review-rules.sh", "old", "new", "events.jsonl"],
        cwd=folder, env={**os.environ, "AUDITWIRE": str(command), **environment}, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


def test_a_good_change_gets_a_comment_and_passes(change: Path) -> None:
    policy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, verbs: [get]}, {level: Metadata}]\n"
    (change / "policy.yaml").write_text(policy)

    done = review(change, POLICY="policy.yaml")

    assert (done.returncode, done.stderr) == (0, "")
    assert "<summary>Check: ok</summary>" in done.stdout
    assert "<summary>Tests: ok</summary>" in done.stdout
    assert "<summary>Which rules can match: **failed**</summary>" in done.stdout
    assert "    no       mine.r\n" in done.stdout
    assert "## What these rules change" in done.stdout
    assert "| `mine.r` | 3 | 0 | 0 | 0 | 3 |" in done.stdout


def test_a_test_that_fails_and_a_budget_that_is_exceeded_fail_the_review(change: Path) -> None:
    (change / "new/mine.test.yaml").write_text(TEST.format(expect="silent"))

    failing = review(change)
    (change / "new/mine.test.yaml").unlink()
    over = review(change, MAX_NEW_ALERTS="2")

    assert (failing.returncode, over.returncode) == (1, 1)
    assert "<details open><summary>Tests: **failed**</summary>" in failing.stdout
    assert "over the budget of 2 new alerts" in over.stdout


@pytest.mark.parametrize("name", ["github-review-rules.yml", "gitlab-review-rules.yml"])
def test_workflows_run_the_script_of_the_base_with_its_three_arguments(name: str) -> None:
    text = (RECIPES / name).read_text(encoding="utf-8")

    assert isinstance(yaml.safe_load(text), dict)
    (line,) = [line for line in text.splitlines() if "review-rules.sh" in line]
    words = line.split("> comment.md")[0].split("sh old/docs/recipes/review-rules.sh ")[1].split()
    assert [word.rpartition("/")[2] for word in words] == ["rules", "rules", "week.jsonl.gz"]
    assert words[0].startswith("old/")
