"""``auditwire dev``: the whole system on this machine, with a summary and, on demand, sample traffic."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CallError, CommandError
from auditwire_cli.query import Store
from auditwire_cli.send.endpoint import DEFAULT_STATE, Auth, Endpoint, read_state

if TYPE_CHECKING:
    from auditwire_cli.dev.demo import Demo
    from auditwire_local import LocalSystem

# For somebody who watches, the 38 bodies of the demo take about ten seconds.
_PAUSE = 0.25


def dev(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen on loopback; 0 takes a free port.")] = 0,
    tls: Annotated[bool, typer.Option("--tls", help="Serve HTTPS with a certificate of its own.")] = False,
    alertmanager: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Where alerts go; may be repeated. Without, a small built-in receiver."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The rule documents to start with.  [default: the shipped ones]")
    ] = None,
    state: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the state file.")] = DEFAULT_STATE,
    archive: Annotated[Store, typer.Option(help="Where events are kept.")] = Store.S3,
    demo: Annotated[bool, typer.Option("--demo", help="Send sample traffic of every kind of sender.")] = False,
) -> None:
    """Run the whole system on this machine.

    template.yaml is deployed into an AWS inside this process, and its endpoint is served on loopback. Once ready,
    the state file says where everything is and holds the credentials of two clusters, demo and demo-ks; `auditwire
    send` finds it by itself. Ctrl-C or SIGTERM ends it when requests in flight are answered and alerts delivered.

    On a terminal the summary is live; elsewhere there is a line for each thing that happens. With --demo and no
    terminal it ends by itself after the sample traffic. The last line is always
    `balance received=N ignored=N archived=N alerted=N quarantined=N`.

    \b
    Exit codes: 0 ended as asked, 1 something went wrong, 2 the call was wrong.

    \b
    Examples:
      auditwire dev --demo
      auditwire dev --tls --port 8443 --alertmanager http://127.0.0.1:9093
      auditwire dev --archive dynamodb
    """
    _check_rules(rules)
    _check_nobody_runs(state)
    from auditwire_cli.dev.guide import banner, next_steps
    from auditwire_cli.dev.summary import report
    from auditwire_cli.dev.watch import Lines, watch_live

    terminal = _is_terminal()
    lines = Lines()
    with _ending() as stop:
        print("Deploying template.yaml into an AWS inside this process ...", flush=True)
        system = _start(port=port, tls=tls, alertmanagers=alertmanager or [], rules=rules, archive=archive)
        traffic: Demo | None = None
        with system:
            system.write_state(state)
            try:
                print(banner(system, state), flush=True)
                traffic = _traffic(system, stop, pause=_PAUSE if terminal else 0) if demo else None
                if terminal:
                    watch_live(system, traffic, stop, afterwards=next_steps(state))
                else:
                    lines.watch(system, traffic, stop)
            finally:
                _forget(state, system.url)
            if traffic:
                traffic.finish()
            undelivered = system.stop()
        status = system.status()
        if not terminal:
            lines.end(status)
        print(report(status))
        print(status.balance, flush=True)
        if traffic:
            traffic.check(status.received, undelivered)
        if undelivered:
            sys.stderr.write(f"auditwire: {undelivered:,} alerts were not delivered before the end\n")


def _start(*, port: int, tls: bool, alertmanagers: list[str], rules: Path | None, archive: Store) -> "LocalSystem":
    """A running system. Raises CommandError with what keeps it from running."""
    try:
        from auditwire_local import LocalError, LocalSystem, Options
    except ModuleNotFoundError as error:
        raise CommandError(
            f"the local system is not installed: {error.name} is missing", "pip install 'auditwire[cli,local]'"
        ) from None
    try:
        options = Options(parameters={"ArchiveStore": archive.value})
        return LocalSystem.start(port=port, tls=tls, alertmanagers=alertmanagers, rules=rules, options=options)
    except LocalError as error:
        raise CommandError(str(error)) from None


def _traffic(system: "LocalSystem", stop: Event, *, pause: float) -> "Demo":
    """The sample traffic, on its way in a thread of its own."""
    from auditwire_cli.dev.demo import Demo

    ca_file = str(system.ca_file) if system.ca_file else None
    endpoints = {
        cluster.sender: Endpoint(system.url, cluster.credential, name, Auth.BEARER, ca_file)
        for name, cluster in system.clusters.items()
    }
    traffic = Demo(endpoints, pause=pause, stop=stop)
    traffic.start()
    return traffic


def _check_rules(rules: Path | None) -> None:
    """Say what is wrong with these documents before the functions refuse them, as they do in AWS."""
    if rules is None:
        return
    if not rules.is_dir():
        raise CallError(f"{rules} is no folder of rule documents")
    from auditwire.rules import load_sources, read_sources

    loaded = load_sources(read_sources(sorted(rules.rglob("*.yaml"))))
    for found in loaded.diagnostics:
        sys.stderr.write(found.as_text() + "\n")
    if loaded.rule_set is None:
        sys.stderr.write("auditwire: these rules are refused, so the shipped ones decide\n")


def _check_nobody_runs(state: Path) -> None:
    """Refuse to take the state file away from a system that still runs; a forgotten file is in nobody's way."""
    import socket
    from urllib.parse import urlsplit

    try:
        url = urlsplit(read_state(state).url)
    except CallError:
        return
    try:
        socket.create_connection((url.hostname or "", url.port or 0), timeout=1).close()
    except OSError:
        state.unlink(missing_ok=True)
        return
    raise CommandError(
        f"{state} belongs to a system that runs at {url.geturl()}", "end that one, or give this one another --state"
    )


def _forget(state: Path, url: str) -> None:
    """Remove the state file and the env-vars file beside it: what they point to ends. Not when another took over."""
    try:
        if read_state(state).url != url:
            return
    except CallError:
        return
    for path in (state, state.with_name(f"{state.stem}.env-vars.json")):
        path.unlink(missing_ok=True)


def _is_terminal() -> bool:
    """Whether somebody watches: a terminal that can be drawn on, and not one that a CI system pretends."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


@contextmanager
def _ending() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set; a second SIGINT ends at once."""
    stop = Event()

    def ask(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
