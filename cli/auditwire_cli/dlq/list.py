"""``auditwire dlq list``: the alerts no Alertmanager has, and why."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.output import Output, counted, printable
from auditwire_cli.quarantine.list import moment
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
from auditwire_cli.table import table

if TYPE_CHECKING:
    from auditwire.alerts.redrive import DeadLetter

_EXPLAINED = {
    "malformed": "malformed: the message holds no alert; nothing but a look at it helps",
    "refused": "refused: Alertmanager refused this alert alone (400, 422); it would again",
    "undelivered": "undelivered: no Alertmanager took it for a day; `auditwire dlq redrive --all` sends it again",
}


def dlq_list(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Look at so many at most.")] = 100,
    output: Annotated[Output, typer.Option("--format", help="For people, or JSON for scripts.")] = Output.TEXT,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """List the dead letters: alerts that no Alertmanager has, and why. Nothing is consumed.

    For the moment of looking the messages are hidden from anybody else who looks. JSON is an object with the members
    waiting (about how many there are) and letters, an array of objects with id, sent, reason (undelivered, refused,
    malformed), proven_bad, detail, labels (null where there is no alert) and body.

    \b
    Exit codes: 0 listed, 1 the queue cannot be read, 2 the call was wrong.

    \b
    Examples:
      auditwire dlq list --profile prod
      auditwire dlq list --state .auditwire/dev.json --format json
    """
    from auditwire.alerts.redrive import peek, waiting

    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        found = where.find()
        sqs, url = found.client("sqs"), found.output("DeadLetterQueueUrl")
        letters = peek(sqs, url, limit)
        about = max(waiting(sqs, url), len(letters))
    if output is Output.JSON:
        print(json.dumps({"waiting": about, "letters": [as_json(each) for each in letters]}, ensure_ascii=False))
    else:
        print(_as_text(letters, about))


def as_json(letter: "DeadLetter") -> dict[str, object]:
    """A dead letter for scripts."""
    return {
        "id": letter.identifier,
        "sent": moment(letter.sent),
        "reason": letter.reason,
        "proven_bad": letter.proven_bad,
        "detail": letter.detail,
        "labels": dict(letter.alert.labels) if letter.alert else None,
        "body": letter.body,
    }


def label(letter: "DeadLetter", name: str) -> str:
    """A label of its alert, safe to print; ``-`` where there is none."""
    return printable((letter.alert.labels if letter.alert else {}).get(name, "-"))


def _as_text(letters: "list[DeadLetter]", about: int) -> str:
    if not letters:
        return "no dead letters"
    heads = ("sent", "reason", "alert", "cluster", "id", "detail")
    rows = [
        (
            moment(each.sent),
            each.reason,
            label(each, "alertname"),
            label(each, "cluster"),
            each.identifier,
            printable(each.detail),
        )
        for each in letters
    ]
    count = counted(len(letters), "dead letter", "dead letters")
    more = f" of about {about:,}; --limit shows more" if about > len(letters) else ""
    reasons = {each.reason for each in letters}
    explained = [text for reason, text in _EXPLAINED.items() if reason in reasons]
    return "\n".join([table(heads, rows), count + more, *explained])
