"""``auditwire dev``: the whole system on this machine, with a summary and, on demand, sample traffic."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.console.console import console_beside
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.files import keep_out_of_git
from auditwire_cli.query.store import Store
from auditwire_cli.send.endpoint import Auth, Endpoint
from auditwire_cli.send.shape import Deliverer
from auditwire_cli.stack import DEFAULT_STATE, Stack, read_state
from auditwire_cli.terminal.output import counted, show, tell

if TYPE_CHECKING:
    from auditwire_cli.dev.demo import Demo
    from auditwire_local import LocalSystem

# The demo has 38 bodies, so it takes about ten seconds for somebody who watches.
_PAUSE = 0.25


def dev(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on, on loopback; 0 takes a free one.")
    ] = 0,
    tls: Annotated[
        bool, typer.Option("--tls", help="Serve HTTPS, with a certificate of an authority of its own.")
    ] = False,
    alertmanager: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Where alerts go; may be repeated.  [default: a small built-in receiver]"),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The rule documents to start with.  [default: the shipped ones]")
    ] = None,
    state: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the state file.")] = DEFAULT_STATE,
    archive: Annotated[Store, typer.Option(help="Where events are archived.")] = Store.S3,
    console: Annotated[bool, typer.Option("--console", help="Show the archive as a page too.")] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A parameter of the template; may be repeated."),
    ] = None,
    console_port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port of a console that is deployed; 0 takes a free one.")
    ] = 0,
    demo: Annotated[bool, typer.Option("--demo", help="Send sample traffic from every kind of sender.")] = False,
) -> None:
    """Run the whole system on this machine.

    template.yaml is deployed into an AWS inside this process, and its endpoint is served on loopback. Once everything
    is ready, the state file says where it is, and has the credentials of two clusters, demo and demo-ks. Other commands
    in the same folder find that file by themselves. Ctrl-C or SIGTERM ends the system, after requests in flight are
    answered and alerts are delivered. The archive ends with it. The credentials, and with --tls the certificate
    authority, are kept beside the state file, so that the next run accepts the same senders.

    With --parameter the template is deployed as you would on AWS. With Console=on the console is served over HTTPS
    too, and people sign in at your issuer; --console-port makes its address known to that issuer beforehand.

    On a terminal the summary is live; elsewhere, and in the background, there is a line for each thing that happens.
    With --demo and without a terminal, the command ends after the sample traffic. The last line is always
    `balance received=N ignored=N archived=N alerted=N quarantined=N`, and ` skipped=N` where something was.

    \b
    Exit codes: 0 ended as asked, 1 something went wrong, 2 wrong usage.

    \b
    Examples:
      auditwire dev --demo --console
      auditwire dev --tls --port 8443 --alertmanager http://127.0.0.1:9093
      auditwire dev --archive dynamodb
      auditwire dev --console-port 8444 --parameter Console=on --parameter ConsoleClientId=auditwire \
        --parameter ConsoleIssuer=https://login.example.com
    """
    _check_rules(rules)
    _check_nobody_runs(state)
    parameters = {"ArchiveStore": archive.value, "EksLogGroups": "/aws/eks/*", **_parameters(parameter or [])}
    from auditwire_cli.dev.guide import banner, next_steps
    from auditwire_cli.dev.summary import report
    from auditwire_cli.dev.watch import Lines, watch_live

    terminal = _is_terminal()
    lines = Lines()
    with _ending() as stop:
        show("Deploying template.yaml into an AWS inside this process ...")
        system = _start(
            (port, console_port), state, parameters, tls=tls, alertmanagers=alertmanager or [], rules=rules, demo=demo
        )
        traffic: Demo | None = None
        with system:
            _write_state(system, state)
            beside = ExitStack()
            try:
                show(banner(system, state))
                if console:
                    address = beside.enter_context(console_beside(Stack(state=state)))
                    show(f"console         {address}\n")
                traffic = _traffic(system, stop, pause=_PAUSE if terminal else 0) if demo else None
                if terminal:
                    watch_live(system, traffic, stop, afterwards=next_steps(state))
                else:
                    lines.watch(system, traffic, stop)
            finally:
                beside.close()
                _forget(state, system.url)
            if traffic:
                traffic.finish()
            undelivered = system.stop()
        status = system.status()
        if not terminal:
            lines.end(status)
        show(report(status))
        show(status.balance)
        if traffic:
            traffic.check(status.received, undelivered)
        if undelivered:
            tell(f"auditwire: {counted(undelivered, 'alert was', 'alerts were')} not delivered before the end")


def _parameters(given: list[str]) -> dict[str, str]:
    """Parameters of the template by name. Raises UsageError."""
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise UsageError(f"--parameter {one[:80]!r} is not NAME=VALUE", "give it as in --parameter Console=on")
        found[name] = value
    return found


def _start(
    ports: tuple[int, int],
    state: Path,
    parameters: dict[str, str],
    *,
    tls: bool,
    alertmanagers: list[str],
    rules: Path | None,
    demo: bool,
) -> "LocalSystem":
    """A running system, for the ``demo`` with a cluster for each cloud and shipper. Raises CommandError with what
    prevents it."""
    import secrets

    try:
        from auditwire_local import ClusterCredential, LocalError, LocalSystem, Options
        from auditwire_local.kept import kept_path
    except ModuleNotFoundError as error:
        raise CommandError(
            f"the local system is not installed: {error.name} is missing", "pip install 'auditwire[cli,local]'"
        ) from None
    try:
        clusters = {
            f"demo-{one}": ClusterCredential(secrets.token_urlsafe(32), SenderKind.ANY)
            for one in (Deliverer if demo else ())
        }
        options = Options(parameters=parameters, clusters=clusters, kept=kept_path(state), console_port=ports[1])
        return LocalSystem.start(port=ports[0], tls=tls, alertmanagers=alertmanagers, rules=rules, options=options)
    except LocalError as error:
        raise CommandError(str(error)) from None


def _write_state(system: "LocalSystem", state: Path) -> None:
    """Write the state file, for its owner alone and out of git. Raises CommandError."""
    try:
        system.write_state(state)
    except OSError as error:
        raise CommandError(f"cannot write the state file {state}: {error.strerror}", "give another --state") from None
    from auditwire_local.kept import kept_path
    from auditwire_local.state import env_vars_path, issuer_path

    for file in (state, kept_path(state), issuer_path(state), env_vars_path(state)):
        keep_out_of_git(file)


def _traffic(system: "LocalSystem", stop: Event, *, pause: float) -> "Demo":
    """The sample traffic, sent by a thread of its own."""
    from auditwire_cli.dev.demo import Demo

    ca_file = str(system.ca_file) if system.ca_file else None
    endpoints = {
        name: Endpoint(system.url, cluster.credential, name, Auth.BEARER, ca_file)
        for name, cluster in system.clusters.items()
    }
    traffic = Demo(endpoints, pause=pause, stop=stop)
    traffic.start()
    return traffic


def _check_rules(rules: Path | None) -> None:
    """Tell what is wrong with these documents, before the functions refuse them as they do in AWS."""
    if rules is None:
        return
    if not rules.is_dir():
        raise UsageError(f"{rules} is not a folder of rule documents", "give the folder that has all of them")
    from auditwire.rules import load_sources
    from auditwire_cli.rules.documents import read_documents

    loaded = load_sources(read_documents([rules]))
    for found in loaded.diagnostics:
        tell(found.as_text())
    if loaded.rule_set is None:
        tell("auditwire: these rules are refused, so the shipped ones decide")


def _check_nobody_runs(state: Path) -> None:
    """Raises CommandError where the state file is that of a system that still runs. A file left behind is removed."""
    import socket
    from urllib.parse import urlsplit

    try:
        url = urlsplit(read_state(state).needs("url").url)
    except UsageError:
        return
    try:
        socket.create_connection((url.hostname or "", url.port or 0), timeout=1).close()
    except OSError:
        state.unlink(missing_ok=True)
        return
    raise CommandError(
        f"{state} belongs to a system that is running at {url.geturl()}", "end that one, or give another --state"
    )


def _forget(state: Path, url: str) -> None:
    """Remove the state file and what was written beside it, unless another system has written them since."""
    try:
        if read_state(state).url != url:
            return
    except UsageError:
        return
    for path in (state, *(state.with_name(f"{state.stem}.{what}.json") for what in ("env-vars", "issuer"))):
        path.unlink(missing_ok=True)


def _is_terminal() -> bool:
    """Whether somebody watches: a terminal that can be drawn on, and not one of a CI system. A job in the background
    would draw over the shell."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb" or os.environ.get("CI"):
        return False
    try:
        return os.tcgetpgrp(sys.stdout.fileno()) == os.getpgrp()
    except OSError:
        # The terminal is not the one that controls this process, so no shell shares it.
        return True


@contextmanager
def _ending() -> Iterator[Event]:
    """An event that is set by SIGINT and SIGTERM; a second SIGINT ends the process at once."""
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
