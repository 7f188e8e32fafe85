"""``auditwire send``: the events of an audit.log to an endpoint, as a cluster would send them."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.errors import CallError
from auditwire_cli.output import Output
from auditwire_cli.send.endpoint import DEFAULT_STATE, Auth, Endpoint
from auditwire_cli.send.shape import Shape

if TYPE_CHECKING:
    from auditwire_cli.send.audit_log import AuditLog
    from auditwire_cli.send.delivery import Batch, Report

_SHOWN_FAILURES = 10


def send(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="audit.log files: JSON lines, EventList, array; also gzipped; - for stdin.",
        ),
    ],
    *,
    url: Annotated[str | None, typer.Option(help="The endpoint, without path.")] = None,
    state: Annotated[
        Path | None, typer.Option(help=f"The state file of `auditwire dev`.  [default: {DEFAULT_STATE}]")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(help="Whose credential of the state file; the user name of --auth basic."),
    ] = None,
    credential_file: Annotated[
        Path | None,
        typer.Option(help="A file with the credential; else AUDITWIRE_CREDENTIAL of the environment."),
    ] = None,
    auth: Annotated[Auth, typer.Option(help="How the credential travels.")] = Auth.BEARER,
    shape: Annotated[Shape, typer.Option("--format", help="The shape of a body.")] = Shape.EVENT_LIST,
    batch_size: Annotated[int, typer.Option(min=1, help="Events a body, at most.")] = 400,
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress the bodies.")] = False,
    ca_file: Annotated[Path | None, typer.Option(help="CA certificates to trust instead of the system's.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Bodies under way at a time.")] = 4,
    retries: Annotated[int, typer.Option(min=0, help="Further tries where a repeat may help.")] = 4,
    plain_http: Annotated[
        bool,
        typer.Option("--plain-http", help="Allow http to another machine: the credential is readable there."),
    ] = False,
    output: Annotated[Output, typer.Option(help="The totals for people or for scripts.")] = Output.TEXT,
) -> None:
    """Send an audit.log to an endpoint.

    Bodies go out as a cluster would send them.
    The endpoint and its credential come from the state file of a running `auditwire dev`, or from --url with
    --credential-file. No option takes a credential itself: process lists would show it.

    A body holds at most --batch-size events and 3 MB. A line that is not JSON is sent alone, for the
    endpoint's quarantine to keep. Bodies that are not answered 200 are listed at the end with their lines.

    \b
    Exit codes: 0 everything was answered 200, 1 something was not, 2 the call was wrong.

    \b
    Examples:
      auditwire send /var/log/kubernetes/audit/audit.log
      zcat audit-*.gz | auditwire send - --url https://audit.example.com --credential-file token
    """
    from auditwire_cli.progress import progress
    from auditwire_cli.send.delivery import Report, deliver
    from auditwire_cli.send.posting import Poster

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
    size = 1 if shape is Shape.SINGLE else batch_size
    report = Report()
    interrupted = False
    started = time.monotonic()
    with (
        Poster(endpoint, retries=retries, compress=gzip, connections=concurrency) as poster,
        progress(total) as advance,
    ):
        try:
            for batch in deliver(_batches(files, size), poster, shape, report, concurrency=concurrency):
                advance(batch.position, report.events)
        except KeyboardInterrupt:
            interrupted = True
    seconds = time.monotonic() - started
    if output is Output.JSON:
        print(json.dumps(_as_json(report, endpoint, seconds)))
    else:
        print(_as_text(report, endpoint, seconds))
    if interrupted:
        sys.stderr.write("auditwire: interrupted; bodies under way may have arrived without being counted\n")
        raise typer.Exit(130)
    if report.failures:
        raise typer.Exit(1)


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
    from auditwire_cli.send.endpoint import checked_ca_file, checked_url, read_credential, read_state

    if url is None:
        if credential_file is not None:
            raise CallError("--credential-file needs --url", "the state file has its own credentials")
        found = read_state(state or DEFAULT_STATE)
        sender = SenderKind.KUBESPHERE if shape.of_kubesphere else SenderKind.KUBERNETES
        return found.endpoint(cluster or found.cluster_of(sender), auth)
    if state is not None:
        raise CallError("give either --url or --state, not both")
    if auth is Auth.BASIC and not cluster:
        raise CallError("--auth basic needs --cluster: it is the user name")
    return Endpoint(
        checked_url(url, plain_http=plain_http),
        read_credential(credential_file),
        cluster or "",
        auth,
        checked_ca_file(ca_file),
    )


def _total_size(files: list[str]) -> int | None:
    """Bytes of all files, None where one is a stream; a missing one is told before anything is sent."""
    for name in files:
        if name != "-" and not Path(name).exists():
            raise CallError(f"no such file: {name}")
    paths = [Path(name) for name in files]
    return sum(path.stat().st_size for path in paths) if all(path.is_file() for path in paths) else None


def _batches(files: list[str], size: int) -> Iterator["Batch"]:
    from auditwire_cli.send.audit_log import open_audit_log

    offset = 0
    for name in files:
        with open_audit_log(name) as log:
            yield from _warned(log, size, offset)
        offset += log.size or 0


def _warned(log: "AuditLog", size: int, offset: int) -> Iterator["Batch"]:
    from auditwire_cli.send.delivery import batches

    for batch in batches(log, size=size, offset=offset):
        if batch.items[0].fault:
            sys.stderr.write(f"{batch.place}: {batch.items[0].fault}; sent alone, for the quarantine\n")
        yield batch


def _as_json(report: "Report", endpoint: Endpoint, seconds: float) -> dict[str, object]:
    return {
        "url": endpoint.url,
        "cluster": endpoint.cluster,
        "events": report.events,
        "delivered": report.delivered,
        "not_json": report.not_json,
        "bodies": report.bodies,
        "bytes": report.bytes,
        "seconds": round(seconds, 3),
        "answers": dict(report.answers),
        "stopped": report.stopped,
        "failures": [
            {
                "place": batch.place,
                "events": len(batch.items),
                "status": answer.status,
                "reason": answer.reason,
                "attempts": answer.attempts,
            }
            for batch, answer in report.failures
        ],
    }


def _as_text(report: "Report", endpoint: Endpoint, seconds: float) -> str:
    rate = f", {report.delivered / seconds:,.0f} events/s" if seconds else ""
    answers = ", ".join(f"{count:,} times {answer}" for answer, count in report.answers.most_common())
    cost = f"{report.bodies:,} bodies, {report.bytes:,} bytes, {seconds:.1f} s{rate}"
    lines = [f"{report.delivered:,} of {report.events:,} events delivered to {endpoint.url} ({cost})"]
    if answers:
        lines.append(f"answers: {answers}")
    for batch, answer in report.failures[:_SHOWN_FAILURES]:
        cause = f"answered {answer.status} {answer.reason}".rstrip() if answer.status else answer.reason
        tries = f" after {answer.attempts} tries" if answer.attempts > 1 else ""
        lines.append(f"not delivered: {batch.place} ({len(batch.items):,} events): {cause}{tries}")
    if len(report.failures) > _SHOWN_FAILURES:
        lines.append(f"not delivered: {len(report.failures) - _SHOWN_FAILURES:,} more bodies")
    if report.stopped:
        lines.append(f"stopped early: {_why_stopped(report)}")
    return "\n".join(lines)


def _why_stopped(report: "Report") -> str:
    statuses = {answer.status for _, answer in report.failures if answer.hopeless}
    if statuses & {401, 403}:
        return "the endpoint does not take this credential; what follows was not read"
    return "this URL is no auditwire endpoint; what follows was not read"
