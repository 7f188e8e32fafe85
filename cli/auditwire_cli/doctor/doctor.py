"""``auditwire doctor``: whether a stack is well, and what to do if it is not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from auditwire_cli.doctor.checks import CHECKS
from auditwire_cli.doctor.finding import Finding, Health, ill, looked_at
from auditwire_cli.doctor.journey import journey
from auditwire_cli.doctor.patient import Patient
from auditwire_cli.errors import CommandError, ExitCode
from auditwire_cli.stack import Stack, in_one_sentence, on_stack, read_state
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json


@on_stack
def doctor(
    *,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only look: make no credential and send no event.")
    ] = False,
    wait: Annotated[
        int, typer.Option(min=1, max=240, metavar="SECONDS", help="How long the test alert may take.")
    ] = 180,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Say whether a stack is well, and what to do about what is not.

    It looks at the rules in force, Alertmanagers, subscriptions, alarms, dead letters, the customer-managed key, the
    account's concurrency, clusters, and deletion protection. Then it makes a credential of the reserved cluster
    auditwire-doctor that is valid for five minutes, sends one event, waits until its alert auditwire.DoctorTest
    (severity none, for one minute) is in Alertmanager, and revokes the credential, also when it is interrupted. The
    event stays in the archive. --read-only leaves this out.

    JSON is an object with the members healthy and findings: check, health (ok, note, ill, skipped), says, mend and
    seconds (null for what is no step of the test).

    \b
    Exit codes: 0 well, 1 something is ill or cannot be looked at, 2 wrong usage.

    \b
    Examples:
      auditwire doctor --profile prod
      auditwire doctor --read-only --state .auditwire/dev.json
    """
    now = datetime.now(UTC)
    patient = Patient(where.find(), now, local=where.state_file is not None)
    findings: list[Finding] = []
    for finding in _examined(patient, where, None if read_only else float(wait)):
        findings.append(finding)
        if output is Output.TEXT:
            show(_line(where, finding))
    sick = [one for one in findings if one.health is Health.ILL]
    if output is Output.JSON:
        show_json({"healthy": not sick, "findings": [_as_json(where, one) for one in findings]})
    else:
        show(f"{counted(len(sick), 'thing')} ill" if sick else "well")
    if sick:
        raise typer.Exit(ExitCode.FINDINGS)


def _examined(patient: Patient, where: Stack, wait: float | None) -> Iterator[Finding]:
    reachable = True
    for name, check in CHECKS.items():
        found = looked_at(name, lambda check=check: check(patient), where)  # type: ignore[misc]
        reachable &= name != "receivers" or any(one.health is not Health.ILL for one in found)
        yield from found
    if wait is None:
        return
    url, ca_file = patient.found.output("IngestUrl"), None
    if where.state_file is not None:
        state = read_state(where.state_file)
        url, ca_file = state.url, state.ca_file
    try:
        with in_one_sentence(where):
            # What no Alertmanager takes will not be there however long it is waited for.
            yield from journey(patient, url, ca_file, wait if reachable else 1.0)
    except CommandError as error:
        yield ill("test", error.message, error.hint)


def _line(where: Stack, finding: Finding) -> str:
    took = f" ({finding.seconds:.2f} s)" if finding.seconds is not None else ""
    line = f"{finding.health:<7}  {finding.check}: {finding.says}{took}"
    return f"{line}\n         {where.completed(finding.mend)}" if finding.mend else line


def _as_json(where: Stack, finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "health": finding.health,
        "says": finding.says,
        "mend": where.completed(finding.mend),
        "seconds": finding.seconds,
    }
