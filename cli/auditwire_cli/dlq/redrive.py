"""``auditwire dlq redrive``: send dead letters to the alerts queue again."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.dlq.list import as_json, label
from auditwire_cli.errors import CallError, CommandError
from auditwire_cli.output import Output, counted, printable
from auditwire_cli.stack import (
    DEFAULT_STACK,
    EndpointUrl,
    Profile,
    Region,
    Stack,
    StackName,
    StateFile,
    in_one_sentence,
)

if TYPE_CHECKING:
    from auditwire.alerts.redrive import DeadLetter, Redriven

_SHORTEST_ID = 8


def dlq_redrive(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="8 or more characters of ids.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    include_bad: Annotated[
        bool, typer.Option("--include-bad", help="Also those proven bad: malformed, or refused by Alertmanager.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be moved; move nothing.")] = False,
    output: Annotated[Output, typer.Option("--format", help="For people, or JSON for scripts.")] = Output.TEXT,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Send dead letters to the alerts queue again, from where the relay delivers them.

    Each is sent before it is deleted, so none is lost and one may be delivered twice. Letters proven bad stay, with
    the reason, unless --include-bad. JSON is an object with the members moved and bad (letters as in `dlq list`),
    failed (letters with why) and others (how many were not asked for).

    \b
    Exit codes: 0 done, 1 something named was not moved or something failed, 2 the call was wrong.

    \b
    Examples:
      auditwire dlq redrive --all --dry-run --profile prod
      auditwire dlq redrive 0b0a2c1e 77d1f3b2 --state .auditwire/dev.json
    """
    from auditwire.alerts.redrive import redrive

    wanted = tuple(ids or ())
    if bool(wanted) == everything:
        raise CallError("say what to redrive", "give ids of `auditwire dlq list`, or --all")
    for each in wanted:
        if len(each) < _SHORTEST_ID:
            raise CallError(f"{printable(each)} is too short", f"give {_SHORTEST_ID} or more characters of the id")
    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        found = where.find()
        done = redrive(
            found.client("sqs"),
            found.output("DeadLetterQueueUrl"),
            found.output("AlertsQueueUrl"),
            wanted=lambda letter: everything or letter.identifier.startswith(wanted),
            include_bad=include_bad,
            dry_run=dry_run,
        )
    print(json.dumps(_as_json(done), ensure_ascii=False) if output is Output.JSON else _as_text(done, dry_run=dry_run))
    _judge(done, wanted)


def _judge(done: "Redriven", wanted: tuple[str, ...]) -> None:
    """Raises where not everything that was asked for has happened."""
    if done.failed:
        letter, why = done.failed[0]
        raise CommandError(f"{len(done.failed)} could not be moved; {letter.identifier}: {why}", "run it again")
    there = [letter.identifier for letter in (*done.moved, *done.bad)]
    missing = [each for each in wanted if not any(identifier.startswith(each) for identifier in there)]
    if missing:
        raise CommandError(
            f"there is no dead letter {printable(missing[0])}",
            "somebody else may be looking at it; try again in a minute",
        )
    if wanted and done.bad:
        raise CommandError(f"{len(done.bad)} proven bad stayed", "give --include-bad to send them all the same")


def _as_text(done: "Redriven", *, dry_run: bool) -> str:
    lines = [_line("would be moved" if dry_run else "moved", letter) for letter in done.moved]
    lines += [f"{_line('stays', letter)}  {letter.reason}: {printable(letter.detail)}" for letter in done.bad]
    lines += [f"{_line('failed', letter)}  {printable(why)}" for letter, why in done.failed]
    moved = counted(len(done.moved), "dead letter", "dead letters")
    others = f", {done.others:,} not asked for" if done.others else ""
    bad = f", {len(done.bad):,} proven bad and kept" if done.bad else ""
    failed = f", {len(done.failed):,} failed" if done.failed else ""
    verb = "would go" if dry_run else "went"
    return "\n".join([*lines, f"{moved} {verb} back to the alerts queue{bad}{failed}{others}"])


def _line(what: str, letter: "DeadLetter") -> str:
    return f"{what}  {letter.identifier}  {label(letter, 'alertname')}  {label(letter, 'cluster')}"


def _as_json(done: "Redriven") -> dict[str, object]:
    return {
        "moved": [as_json(letter) for letter in done.moved],
        "bad": [as_json(letter) for letter in done.bad],
        "failed": [{**as_json(letter), "why": why} for letter, why in done.failed],
        "others": done.others,
    }
