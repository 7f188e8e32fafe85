"""At the end of a run, what all local systems did is held against the roles of the template, both ways.

Every local system leaves what its functions used of their roles (`observer`) in one folder, whichever process it ran
in. A call without a permission fails any run. A permission without a call fails a complete one: part of the tests may
leave out what others need.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from roles.use import FOLDER, RoleUse, read_role_uses

if TYPE_CHECKING:
    from template import Document

_findings = pytest.StashKey[list[str]]()
# Any of these, and the run is not the complete one.
_CHOOSING = ("keyword", "markexpr", "lf", "stepwise", "collectonly", "deselect", "ignore", "ignore_glob")


def too_little(use: RoleUse) -> Iterator[str]:
    """Calls that their function's role does not allow."""
    yield from (f"no permission for a call: {call}" for call in sorted(use.refused))


def too_much(use: RoleUse, template: "Document") -> Iterator[str]:
    """Permissions that no call used, and statements of the template's roles that no test has deployed."""
    yield from (f"no call for a permission: {grant}" for grant in sorted(use.granted - use.used))
    deployed = {(grant.function, grant.sid) for grant in use.granted}
    yield from (f"no test deploys {sid} of {name}" for name, sid in sorted({*statements_of(template)} - deployed))


def statements_of(template: "Document") -> Iterator[tuple[str, str]]:
    """Function (by its folder) and Sid of every statement of a role, also of those under a condition."""
    from template import of_type, references

    for function in of_type(template, "AWS::Serverless::Function").values():
        (role,) = references(function["Role"])
        for policy in template["Resources"][role]["Properties"]["Policies"]:
            for entry in policy["PolicyDocument"]["Statement"]:
                for statement in entry["Fn::If"][1:] if "Fn::If" in entry else [entry]:
                    if statement != {"Ref": "AWS::NoValue"}:
                        yield function["CodeUri"].rpartition("/")[2], statement["Sid"]


def is_complete(config: pytest.Config) -> bool:
    """Whether everything was asked for: no path, no expression, nothing left out."""
    chosen = any(config.getoption(name, default=None) for name in _CHOOSING)
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    # Workers of xdist, and what tests start, inherit it.
    if not _is_worker(config):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="auditwire-roles-")


def pytest_collection_finish() -> None:
    # Who does not import it starts no local system; it takes seconds.
    if "auditwire_local" in sys.modules:
        from roles.observer import attach

        attach()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        shutil.rmtree(os.environ.pop(FOLDER))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if _is_worker(session.config):
        return
    use = read_role_uses(Path(os.environ[FOLDER]))
    found = [*too_little(use)]
    if is_complete(session.config) and exitstatus == pytest.ExitCode.OK:
        # Costs seconds, which other runs need not spend.
        from template import source

        found += too_much(use, source())
    session.config.stash[_findings] = found
    if found and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if found := config.stash.get(_findings, []):
        terminalreporter.section("roles of the functions against their calls", red=True)
        for line in found:
            terminalreporter.line(line)
        terminalreporter.line("The roles stand in template.yaml; CONTRIBUTING.md says how this is checked.")
