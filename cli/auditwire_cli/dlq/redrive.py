"""``auditwire dlq redrive``: send dead letters to the alerts queue again."""

from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.dlq.list import as_json, label
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json

if TYPE_CHECKING:
    from auditwire.alerts.redrive import DeadLetter, Redriven

_SHORTEST_ID = 8


@on_stack
def dlq_redrive(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="8 or more characters of ids.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    include_bad: Annotated[
        bool, typer.Option("--include-bad", help="Also those proven bad: malformed, or refused by Alertmanager.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be moved, and move nothing.")] = False,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Send dead letters to the alerts queue again.

    From there the relay delivers them. Each is sent before it is deleted, so none is lost, and one may be delivered
    twice. Letters proven bad stay unless --include-bad is given, and the reason is shown. JSON is an object with the
    members moved and bad (letters as in `auditwire dlq list`), failed (letters with why) and others (how many were not
    asked for).

    \b
    Exit codes: 0 done, 1 something named was not moved or something failed, 2 wrong usage.

    \b
    Examples:
      auditwire dlq redrive --all --dry-run --profile prod
      auditwire dlq redrive 0b0a2c1e 77d1f3b2 --state .auditwire/dev.json
    """
    from auditwire.alerts.redrive import redrive

    wanted = tuple(ids or ())
    if bool(wanted) == everything:
        raise UsageError("it is not clear what to redrive", "give ids from `auditwire dlq list`, or --all")
    for each in wanted:
        if len(each) < _SHORTEST_ID:
            raise UsageError(f"{each} is too short", f"give {_SHORTEST_ID} or more characters of the id")
    found = where.find()
    done = redrive(
        found.client("sqs"),
        found.output("DeadLetterQueueUrl"),
        found.output("AlertsQueueUrl"),
        wanted=lambda letter: everything or letter.identifier.startswith(wanted),
        include_bad=include_bad,
        dry_run=dry_run,
    )
    if output is Output.JSON:
        show_json(_as_json(done))
    else:
        show(_as_text(done, dry_run=dry_run))
    _check(done, wanted)


def _check(done: "Redriven", wanted: tuple[str, ...]) -> None:
    """Raises CommandError where not everything that was asked for has happened."""
    if done.failed:
        letter, why = done.failed[0]
        raise CommandError(
            f"{len(done.failed)} could not be moved; {letter.identifier}: {why}", "run the command again"
        )
    there = [letter.identifier for letter in (*done.moved, *done.bad)]
    missing = [each for each in wanted if not any(identifier.startswith(each) for identifier in there)]
    if missing:
        raise CommandError(
            f"there is no dead letter {missing[0]}", "somebody else may be looking at it; try again in a minute"
        )
    if wanted and done.bad:
        raise CommandError(
            f"{counted(len(done.bad), 'letter')} proven bad stayed", "--include-bad sends them all the same"
        )


def _as_text(done: "Redriven", *, dry_run: bool) -> str:
    lines = [_line("would move" if dry_run else "moved", letter) for letter in done.moved]
    lines += [f"{_line('stays', letter)}  {letter.reason}: {printable(letter.detail)}" for letter in done.bad]
    lines += [f"{_line('failed', letter)}  {printable(why)}" for letter, why in done.failed]
    others = f", {done.others:,} not asked for" if done.others else ""
    bad = f", {len(done.bad):,} proven bad and kept" if done.bad else ""
    failed = f", {len(done.failed):,} failed" if done.failed else ""
    verb = "would go" if dry_run else "went"
    return "\n".join(
        [*lines, f"{counted(len(done.moved), 'dead letter')} {verb} back to the alerts queue{bad}{failed}{others}"]
    )


def _line(what: str, letter: "DeadLetter") -> str:
    return printable(f"{what}  {letter.identifier}  {label(letter, 'alertname')}  {label(letter, 'cluster')}")


def _as_json(done: "Redriven") -> dict[str, object]:
    return {
        "moved": [as_json(letter) for letter in done.moved],
        "bad": [as_json(letter) for letter in done.bad],
        "failed": [{**as_json(letter), "why": why} for letter, why in done.failed],
        "others": done.others,
    }
