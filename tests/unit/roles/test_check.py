"""A run of pytest fails for a permission too many or too few, and says which."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roles.check import statements_of, too_little, too_much
from roles.use import Grant, Refused, RoleUse
from template import Document, source

TESTS = Path(__file__).parents[2]
SUITE = """
import os
from pathlib import Path
from roles.use import Grant, Refused, RoleUse, write_role_use

grant = Grant("ingest", "WriteArchive", "s3:PutObject", "ArchiveBucket/events/*", "")

def test_something():
    refused = {REFUSED}
    write_role_use(RoleUse(frozenset({grant}), frozenset(), refused), Path(os.environ["AUDITWIRE_ROLE_USE"]))
"""
UNUSED = SUITE.replace("{REFUSED}", "frozenset()")
REFUSED = SUITE.replace("{REFUSED}", 'frozenset({Refused("ingest", "s3:DeleteObject", "ArchiveBucket/events/x", "")})')


@pytest.fixture(scope="module")
def template() -> Document:
    return source()


@pytest.fixture(scope="module")
def everything(template: Document) -> frozenset[Grant]:
    """One permission for each statement of the template."""
    return frozenset(Grant(function, sid, "s3:GetObject", "Bucket/*", "") for function, sid in statements_of(template))


def test_every_function_and_statement_of_the_template_is_known(template: Document) -> None:
    known = set(statements_of(template))

    assert {function for function, _ in known} >= {"ingest", "relay", "compile_rules", "publish_outbox"}
    assert {("ingest", "WriteLogs"), ("ingest", "UseKey"), ("relay", "JoinVpc")} <= known


def test_what_is_used_and_deployed_is_not_too_much(template: Document, everything: frozenset[Grant]) -> None:
    assert list(too_much(RoleUse(everything, everything), template)) == []


def test_a_permission_without_a_call_is_too_much(template: Document, everything: frozenset[Grant]) -> None:
    idle = Grant("relay", "TakeAlerts", "sqs:DeleteMessage", "AlertsQueue", "")

    assert list(too_much(RoleUse(everything | {idle}, everything), template)) == [
        "no call for a permission: relay: sqs:DeleteMessage on AlertsQueue (statement TakeAlerts)"
    ]


def test_a_statement_that_no_test_deploys_is_too_much(template: Document, everything: frozenset[Grant]) -> None:
    deployed = frozenset(grant for grant in everything if (grant.function, grant.sid) != ("relay", "JoinVpc"))

    assert list(too_much(RoleUse(deployed, deployed), template)) == ["no test deploys JoinVpc of relay"]


def test_a_call_without_a_permission_is_too_little() -> None:
    use = RoleUse(refused=frozenset({Refused("relay", "s3:PutObject", "RulesBucket/active.json", "")}))

    assert list(too_little(use)) == ["no permission for a call: relay: s3:PutObject on RulesBucket/active.json"]


def run(folder: Path, test: str, *words: str) -> tuple[int, str]:
    """pytest's exit code and output for a repository with this one test file."""
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = ["suite"]\n')
    (folder / "suite").mkdir()
    (folder / "suite" / "test_suite.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "roles.check", "-p", "no:cacheprovider", *words]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    # One inside the other: the inner run has workers and a folder of its own.
    for name in [name for name in environment if name.startswith(("PYTEST_", "AUDITWIRE_"))]:
        del environment[name]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_complete_run_is_held_to_every_permission_also_over_several_processes(tmp_path: Path) -> None:
    code, output = run(tmp_path, UNUSED, "-n", "2")

    assert code == 1, output
    assert "1 passed" in output
    assert "no call for a permission: ingest: s3:PutObject on ArchiveBucket/events/* (statement WriteArchive)" in output
    assert "no test deploys JoinVpc of relay" in output


@pytest.mark.slow
def test_part_of_a_run_is_held_to_the_calls_it_made(tmp_path: Path) -> None:
    code, output = run(tmp_path, REFUSED, "suite/test_suite.py")

    assert code == 1, output
    assert "no permission for a call: ingest: s3:DeleteObject on ArchiveBucket/events/x" in output
    assert "no call for a permission" not in output
    assert "no test deploys" not in output
