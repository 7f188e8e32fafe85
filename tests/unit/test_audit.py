"""What the audit of packages makes of pip-audit's report: a service that is silent is not a clean bill."""

import importlib.util
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / "requirements" / "audit.py"
TODAY = date(2026, 11, 22)
CLEAN = {"name": "orjson", "version": "3.11", "vulns": []}
VULNERABLE = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-2016-10745"], "fix_versions": ["2.8.1"], "description": "x"}],
}
SKIPPED = {"name": "boto3", "skip_reason": "Dependency not found on PyPI and could not be audited: boto3 (1.44)"}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("packages", "strict", "lenient", "line"),
    [
        ([CLEAN], 0, 0, "1 packages asked about, 0 not, 0 findings"),
        ([CLEAN, VULNERABLE], 1, 1, "FOUND: jinja2 2.4.1: PYSEC-1, mended in 2.8.1"),
        ([CLEAN, SKIPPED], 2, 0, "NOT AUDITED, as the service gave no answer: boto3"),
        ([SKIPPED, VULNERABLE], 1, 1, "FOUND: jinja2 2.4.1: PYSEC-1, mended in 2.8.1"),
    ],
    ids=["clean", "vulnerable", "no answer", "vulnerable and no answer"],
)
def test_outcomes(audit: ModuleType, packages: list[dict[str, Any]], strict: int, lenient: int, line: str) -> None:
    found = audit.judge({"dependencies": packages}, TODAY)

    assert audit.status(found, unreachable_is_ok=False) == strict
    assert audit.status(found, unreachable_is_ok=True) == lenient
    assert line in list(audit.said(found))


@pytest.mark.parametrize(
    ("errors", "strict", "lenient"),
    [
        (
            "ERROR: Could not connect\nERROR:pip_audit._cli:Tip: your network may be blocking this service",
            2,
            0,
        ),
        ("Traceback …\npip_audit._service.interface.ServiceError", 2, 0),
        ("Traceback …\nrequests.exceptions.ConnectionError: HTTPSConnectionPool(host='pypi.org', port=443)", 2, 0),
        ("Traceback …\nrequests.exceptions.ReadTimeout: HTTPSConnectionPool(host='pypi.org', port=443)", 2, 0),
        ("ERROR:pip_audit._cli:package boto3 has duplicate requirements: boto3==1.43", 1, 1),
        ("ModuleNotFoundError: No module named 'pip_audit'", 1, 1),
        ("", 1, 1),
    ],
    ids=["blocked", "error", "no network", "slow", "a lock file of no use", "not installed", "silence"],
)
def test_without_a_report_the_network_is_told_from_a_failure(
    audit: ModuleType, errors: str, strict: int, lenient: int
) -> None:
    found = audit.read("requirements/dev.txt", "", errors, TODAY)

    assert audit.status(found, unreachable_is_ok=False) == strict
    assert audit.status(found, unreachable_is_ok=True) == lenient
    assert "requirements/dev.txt" in next(audit.said(found))


@pytest.mark.parametrize(
    ("identifier", "until", "expected"),
    [
        ("PYSEC-1", date(2026, 11, 22), []),
        ("CVE-2016-10745", date(2027, 1, 1), []),
        ("PYSEC-1", date(2026, 11, 21), ["jinja2 2.4.1: PYSEC-1, mended in 2.8.1: was accepted until 2026-11-21"]),
    ],
    ids=["until today", "by another name", "ended"],
)
def test_an_accepted_vulnerability_is_shown_until_its_day(
    audit: ModuleType, identifier: str, until: date, expected: list[str]
) -> None:
    accepted = {identifier: audit.Accepted(until, "the function is never called")}
    found = audit.judge({"dependencies": [VULNERABLE]}, TODAY, accepted)

    assert found.vulnerable == expected
    assert bool(found.accepted) is not bool(expected)


def test_an_exception_for_nothing_is_struck(audit: ModuleType) -> None:
    accepted = {"PYSEC-1": audit.Accepted(date(2027, 1, 1), "why"), "PYSEC-9": audit.Accepted(date(2027, 1, 1), "why")}

    def idle(*packages: dict[str, Any]) -> list[str]:
        idle: list[str] = audit.judge({"dependencies": packages}, TODAY, accepted).idle(accepted)
        return idle

    assert idle(CLEAN, VULNERABLE) == ["PYSEC-9 is accepted, but no package has it: strike it"]
    # Who could not ask cannot know.
    assert idle(CLEAN, SKIPPED) == []


def test_what_several_lock_files_hold_counts_once(audit: ModuleType) -> None:
    found = audit.Findings()
    for _ in range(2):
        found.add(audit.judge({"dependencies": [CLEAN, VULNERABLE, SKIPPED]}, TODAY))

    assert (len(found.asked), len(found.unasked), len(found.vulnerable)) == (2, 1, 1)


def test_every_lock_file_is_audited(audit: ModuleType) -> None:
    root = PATH.parents[1]
    assert set(audit.LOCKS) == {*root.glob("requirements/*.txt"), *root.glob("layers/*/requirements.txt")}
