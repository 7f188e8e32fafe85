"""``auditwire send``: send the events of an audit.log to an endpoint, as a cluster would."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.errors import ExitCode, UsageError
from auditwire_cli.send.endpoint import Auth, Endpoint, checked_ca_file, checked_url, read_credential
from auditwire_cli.send.shape import Deliverer, Shape
from auditwire_cli.stack import DEFAULT_STATE, read_state
from auditwire_cli.terminal.output import Output, counted, show, show_json, tell

if TYPE_CHECKING:
    from auditwire_cli.send.contents import Contents
    from auditwire_cli.send.delivery import Batch, Report

MAX_BATCH = 5_000
"""Half of what the endpoint accepts: an item may be an envelope around several events."""

_SHOWN_FAILURES = 10
_SHOWN_REJECTS = 10


def send(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="audit.log files: JSON lines, EventLists or arrays, also gzipped; - for standard input.",
        ),
    ],
    *,
    url: Annotated[str | None, typer.Option(metavar="URL", help="The endpoint, without path.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=f"The state file of `auditwire dev`.  [default: {DEFAULT_STATE}]"),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Whose credential in the state file is used; with --auth basic, the user name."
        ),
    ] = None,
    credential_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The file with the credential.  [default: the variable AUDITWIRE_CREDENTIAL]"
        ),
    ] = None,
    auth: Annotated[Auth, typer.Option(help="How the credential is sent.")] = Auth.BEARER,
    shape: Annotated[Shape, typer.Option(help="The shape of the bodies.")] = Shape.EVENT_LIST,
    deliverer: Annotated[
        Deliverer | None,
        typer.Option("--as", help="Wrap the events as a cloud or a shipper does, instead of --shape."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, max=MAX_BATCH, help="The items in a body, at most.")] = 400,
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress the bodies.")] = False,
    ca_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The CA certificates to trust, instead of the system's.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="How many bodies are sent at the same time.")] = 4,
    retries: Annotated[int, typer.Option(min=0, help="How often a body is sent again where that may help.")] = 4,
    plain_http: Annotated[
        bool,
        typer.Option("--plain-http", help="Allow http to another machine; others can read the credential on the way."),
    ] = False,
    output: Annotated[
        str, typer.Option("--format", metavar="[text|json]", help="Text for people, or JSON for scripts.")
    ] = Output.TEXT.value,
    old_output: Annotated[str | None, typer.Option("--output", hidden=True, help="The old name of --format.")] = None,
) -> None:
    """Send an audit.log to an endpoint.

    The endpoint and its credential come from the state file of a running `auditwire dev`, or from --url with
    --credential-file. No option takes the credential itself, because lists of processes would show it.

    A body has at most --batch-size items and 3 MB. Envelopes of clouds and log shippers are sent as they are: the
    endpoint takes the events out of them. What is no audit event is named, with its place, and sent all the same; the
    endpoint quarantines it. Bodies that were not answered with 200 are listed at the end, with the lines they come
    from.

    With --as the events are sent as EKS, GKE, AKS or fluent-bit would deliver them, for trying. GKE keeps less of an
    event than there is, and each is a request of its own.

    \b
    Exit codes: 0 everything was answered with 200, 1 something was not, or is no audit event, 2 wrong usage,
    130 interrupted.

    \b
    Examples:
      auditwire send /var/log/kubernetes/audit/audit.log
      auditwire send events/audit.log --as eks
      zcat audit-*.gz | auditwire send - --url https://audit.example.com --credential-file token
    """
    from auditwire_cli.send.delivery import Report, deliver
    from auditwire_cli.send.posting import Poster
    from auditwire_cli.terminal.progress import progress

    output_format, shape = _format_and_shape(old_output or output, shape)
    total = _total_size(files)
    endpoint = _endpoint(
        url=url,
        state=state,
        cluster=cluster,
        credential_file=credential_file,
        auth=auth,
        shape=shape,
        ca_file=ca_file,
        plain_http=plain_http,
    )
    size = 1 if shape is Shape.SINGLE or (deliverer is not None and deliverer.delivers_one) else batch_size
    report = Report()
    interrupted = False
    named = 0
    started = time.monotonic()
    with (
        Poster(endpoint, retries=retries, compress=gzip, connections=concurrency) as poster,
        progress(total, is_bytes=True) as advance,
    ):
        try:
            for batch, contents in deliver(
                _batches(files, size), poster, deliverer or shape, report, concurrency=concurrency
            ):
                advance(batch.position, f"{report.events:,} events answered")
                named = _name_rejects(batch, contents, named)
        except KeyboardInterrupt:
            interrupted = True
    seconds = time.monotonic() - started
    if output_format is Output.JSON:
        show_json(_as_json(report, endpoint, seconds))
    else:
        show(_as_text(report, endpoint, seconds))
    if interrupted:
        tell("auditwire: interrupted; bodies under way may have arrived without being counted")
        raise typer.Exit(ExitCode.INTERRUPTED)
    if report.failures or report.rejects or (report.bodies and not report.events):
        raise typer.Exit(ExitCode.FINDINGS)


def _format_and_shape(text: str, shape: Shape) -> tuple[Output, Shape]:
    """What --format and --shape say. Raises UsageError for a format that does not exist.

    Up to 0.1.0 the shape was given as --format, and the format as --output. Scripts that still do so go on working.
    """
    if text in set(Shape):
        tell(f"auditwire: write --shape {text}; --format {text} is its old name")
        return Output.TEXT, Shape(text)
    if text not in set(Output):
        raise UsageError(f"there is no format {text[:80]!r}", f"give one of {', '.join(Output)}")
    return Output(text), shape


def _endpoint(
    *,
    url: str | None,
    state: Path | None,
    cluster: str | None,
    credential_file: Path | None,
    auth: Auth,
    shape: Shape,
    ca_file: Path | None,
    plain_http: bool,
) -> Endpoint:
    if url is None:
        if credential_file is not None:
            raise UsageError("--credential-file needs --url", "the state file has its own credentials")
        running = read_state(state or DEFAULT_STATE).needs("url")
        sender = SenderKind.KUBESPHERE if shape.of_kubesphere else SenderKind.KUBERNETES
        name = cluster or running.cluster_of(sender)
        return Endpoint(running.url, running.credential_of(name), name, auth, running.ca_file)
    if state is not None:
        raise UsageError("--url and --state exclude each other", "give one of them")
    if auth is Auth.BASIC and not cluster:
        raise UsageError("--auth basic needs --cluster", "the name of the cluster is the user name")
    return Endpoint(
        checked_url(url, plain_http=plain_http),
        read_credential(credential_file),
        cluster or "",
        auth,
        checked_ca_file(ca_file),
    )


def _total_size(files: list[str]) -> int | None:
    """The bytes of all files, None where one is a stream. Raises UsageError for a file that does not exist."""
    for name in files:
        if name != "-" and not Path(name).exists():
            raise UsageError(f"cannot read {name}: No such file or directory")
    paths = [Path(name) for name in files]
    return sum(path.stat().st_size for path in paths) if all(path.is_file() for path in paths) else None


def _batches(files: list[str], size: int) -> Iterator["Batch"]:
    from auditwire_cli.send.audit_log import open_audit_log
    from auditwire_cli.send.delivery import batches

    offset = 0
    for name in files:
        with open_audit_log(name) as log:
            yield from batches(log, size=size, offset=offset)
        offset += log.size or 0


def _name_rejects(batch: "Batch", contents: "Contents", named: int) -> int:
    """Say what of a body is no event, up to ten times in all; how often it was said so far."""
    from auditwire_cli.send.contents import what_it_is

    for reject in contents.rejects:
        if named < _SHOWN_REJECTS:
            tell(f"{batch.place_of(reject.raw)}: no audit event: {what_it_is(reject)}")
        elif named == _SHOWN_REJECTS:
            tell("more that is no audit event is counted and not named")
        named += 1
    return named


def _as_json(report: "Report", endpoint: Endpoint, seconds: float) -> dict[str, object]:
    return {
        "url": endpoint.url,
        "cluster": endpoint.cluster,
        "events": report.events,
        "delivered": report.delivered,
        "not_events": dict(report.rejects),
        "skipped": dict(report.skipped),
        "bodies": report.bodies,
        "bytes": report.bytes,
        "seconds": round(seconds, 3),
        "answers": dict(report.answers),
        "stopped": report.stopped,
        "failures": [
            {
                "place": batch.place,
                "items": len(batch.items),
                "status": answer.status,
                "reason": answer.reason,
                "attempts": answer.attempts,
            }
            for batch, answer in report.failures
        ],
    }


def _as_text(report: "Report", endpoint: Endpoint, seconds: float) -> str:
    from auditwire_cli.send.contents import summary

    rate = f", {report.delivered / seconds:,.0f} events/s" if seconds else ""
    answers = ", ".join(
        f"{answer} ({counted(count, 'body', 'bodies')})" for answer, count in report.answers.most_common()
    )
    cost = f"{counted(report.bodies, 'body', 'bodies')}, {report.bytes:,} bytes, {seconds:.1f} s{rate}"
    lines = [f"{report.delivered:,} of {counted(report.events, 'event')} delivered to {endpoint.url} ({cost})"]
    if answers:
        lines.append(f"answers: {answers}")
    lines += summary(report.rejects, report.skipped)
    for batch, answer in report.failures[:_SHOWN_FAILURES]:
        cause = f"answered {answer.status} {answer.reason}".rstrip() if answer.status else answer.reason
        tries = f" after {answer.attempts} attempts" if answer.attempts > 1 else ""
        lines.append(f"not delivered: {batch.place} ({counted(len(batch.items), 'item')}): {cause}{tries}")
    if len(report.failures) > _SHOWN_FAILURES:
        lines.append(f"not delivered: {len(report.failures) - _SHOWN_FAILURES:,} more bodies")
    if report.stopped:
        lines.append(f"stopped early: {_why_stopped(report)}")
    return "\n".join(lines)


def _why_stopped(report: "Report") -> str:
    statuses = {answer.status for _, answer in report.failures if answer.hopeless}
    if statuses & {401, 403}:
        return "the endpoint does not accept this credential; the rest was not read"
    return "there is no auditwire endpoint at this URL; the rest was not read"
