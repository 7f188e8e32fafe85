"""``auditwire dlq list``: the alerts that reached no Alertmanager, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, counted, show, show_json, terminal_width
from auditwire_cli.terminal.table import table
from auditwire_cli.times import iso

if TYPE_CHECKING:
    from auditwire.alerts.redrive import DeadLetter

_EXPLAINED = {
    "malformed": "malformed: the message has no alert in it; look at it with --format json",
    "refused": "refused: Alertmanager refused this one alert (400, 422), and would refuse it again",
    "no_receiver": "no_receiver: no Alertmanager was configured; `auditwire dlq redrive --all` sends it again",
    "undelivered": "undelivered: no Alertmanager took it for a day; `auditwire dlq redrive --all` sends it again",
}


@on_stack
def dlq_list(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Look at N at most.")] = 100,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """List the alerts that reached no Alertmanager, and why.

    Nothing is consumed, but for a moment the messages are hidden from anybody else who looks. JSON is an object with
    the members waiting (about how many there are) and letters, an array of objects with id, sent, reason (undelivered,
    no_receiver, refused, malformed), proven_bad, detail, labels (null where there is no alert) and body.

    \b
    Exit codes: 0 listed, 1 the queue cannot be read, 2 wrong usage.

    \b
    Examples:
      auditwire dlq list --profile prod
      auditwire dlq list --state .auditwire/dev.json --format json
    """
    from auditwire.alerts.redrive import peek, waiting

    found = where.find()
    sqs, url = found.client("sqs"), found.output("DeadLetterQueueUrl")
    letters = peek(sqs, url, limit)
    about = max(waiting(sqs, url), len(letters))
    if output is Output.JSON:
        show_json({"waiting": about, "letters": [as_json(each) for each in letters]})
    else:
        show(where.completed(_as_text(letters, about)))


def as_json(letter: "DeadLetter") -> dict[str, object]:
    """A dead letter for scripts."""
    return {
        "id": letter.identifier,
        "sent": iso(letter.sent),
        "reason": letter.reason,
        "proven_bad": letter.proven_bad,
        "detail": letter.detail,
        "labels": dict(letter.alert.labels) if letter.alert else None,
        "body": letter.body,
    }


def label(letter: "DeadLetter", name: str) -> str:
    """A label of its alert; ``-`` where there is none."""
    return (letter.alert.labels if letter.alert else {}).get(name, "-")


def _as_text(letters: "list[DeadLetter]", about: int) -> str:
    if not letters:
        return "no dead letters"
    heads = ("sent", "reason", "alert", "cluster", "id", "detail")
    rows = [
        (iso(each.sent), each.reason, label(each, "alertname"), label(each, "cluster"), each.identifier, each.detail)
        for each in letters
    ]
    more = f" of about {about:,}; --limit shows more" if about > len(letters) else ""
    reasons = {each.reason for each in letters}
    explained = [text for reason, text in _EXPLAINED.items() if reason in reasons]
    shown = table(heads, rows, cut=("alert", "detail"), width=terminal_width())
    return "\n".join([shown, counted(len(letters), "dead letter") + more, *explained])
