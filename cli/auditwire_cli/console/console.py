"""``auditwire console``: a page over the archive, on this machine alone."""

import secrets
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.evidence.place import KeyFiles
from auditwire_cli.files import write_private
from auditwire_cli.query.engines import DEFAULT_MAX_COST, EngineName
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import show

if TYPE_CHECKING:
    import socket

    import uvicorn

    from auditwire_console import Source, Viewers

_HOST = "127.0.0.1"


class ConsoleEngine(StrEnum):
    """How to search a stack."""

    AUTO = EngineName.AUTO
    DUCKDB = EngineName.DUCKDB
    ATHENA = EngineName.ATHENA


@on_stack
def console(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDER]...", help="Copies of the archive bucket, instead of a stack."),
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 0,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the token for the API to this file, for its owner alone."),
    ] = None,
    viewers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who else may look, and at what; docs/console.md shows such a file."),
    ] = None,
    host_cluster: Annotated[
        str,
        typer.Option(metavar="NAME", help="The cluster that KubeSphere's API means by host.  [default: all]"),
    ] = "",
    key: KeyFiles = None,
    engine: Annotated[
        ConsoleEngine, typer.Option(help="How to search a stack; auto takes Athena where reading would cost too much.")
    ] = ConsoleEngine.AUTO,
    max_cost: Annotated[
        float, typer.Option(min=0, metavar="USD", help="Ask before a search may cost more than this.")
    ] = DEFAULT_MAX_COST,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the page in a browser.")] = False,
    where: Stack,
) -> None:
    """Show the archive as a page, and answer KubeSphere's query API.

    Serves on 127.0.0.1 with your own rights, to whoever has the token that the printed address carries. The token ends
    with the command. Nothing can be changed there.

    The API of KubeSphere is on the same port: GET /kapis/tenant.kubesphere.io/v1alpha2/auditing/events with the token
    as bearer token, or as the password of HTTP Basic.

    \b
    Exit codes: 0 ended by Ctrl-C or SIGTERM, 1 it could not be served, 2 wrong usage.

    \b
    Examples:
      auditwire console --profile prod
      auditwire console --profile prod --engine athena --max-cost 0.10
      auditwire console ./archive --key seal.pem --port 8088 --no-open
      auditwire console --state .auditwire/dev.json --token-file token --no-open
    """
    source = _source(folders or [], key or [], where, engine, max_cost)
    token = secrets.token_urlsafe(32)
    everybody = _viewers(token, viewers, host_cluster)
    with _listening(port) as listening:
        taken = listening.getsockname()[1]
        address = f"http://{_HOST}:{taken}/"
        if token_file is not None:
            _write_token(token_file, token)
        show(f"Showing {source.title}")
        show(f"{address}#token={token}")
        show("Ctrl-C ends it")
        if not no_open:
            webbrowser.open(f"{address}#token={token}")
        server_of(source, everybody, taken).run(sockets=[listening])


def server_of(source: "Source", viewers: "Viewers", port: int) -> "uvicorn.Server":
    """The server for this port of loopback. ``run(sockets=[…])`` serves until SIGINT or SIGTERM, or ``should_exit``."""
    import uvicorn

    from auditwire_console import ByToken, make_app, on_loopback

    app = make_app(source, ByToken(viewers), on_loopback(hosts_of(port)))
    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", server_header=False)
    )


@contextmanager
def console_beside(stack: Stack) -> Iterator[str]:
    """A console over a stack in a thread of its own: inside, its address with the token. Raises CommandError."""
    from auditwire_cli.console.sources import source_of_stack

    token = secrets.token_urlsafe(32)
    source = source_of_stack(stack, {})
    with _listening(0) as listening:
        port = listening.getsockname()[1]
        server = server_of(source, _viewers(token, None, ""), port)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name="console", daemon=True)
        thread.start()
        try:
            yield f"http://{_HOST}:{port}/#token={token}"
        finally:
            server.should_exit = True
            thread.join()


def hosts_of(port: int) -> list[str]:
    """What a browser may call this machine."""
    return [f"{name}:{port}" for name in (_HOST, "localhost", "[::1]")]


def _source(
    folders: list[Path], key_files: list[Path], where: Stack, engine: ConsoleEngine, max_cost: float
) -> "Source":
    from auditwire_cli.console.sources import source_of_folders, source_of_stack
    from auditwire_cli.evidence.pem import by_fingerprint, read_pem

    keys = by_fingerprint(read_pem(path) for path in key_files)
    if not folders:
        return source_of_stack(where, keys, EngineName(engine), max_cost)
    if engine is ConsoleEngine.ATHENA:
        raise UsageError("a folder is not searched by Athena", "leave --engine out")
    if where != Stack():
        raise UsageError("a folder needs no stack", "leave --stack, --state and the other options of a stack out")
    return source_of_folders(folders, keys)


def _viewers(token: str, file: Path | None, host_cluster: str) -> "Viewers":
    from auditwire_cli.console.viewers_file import read_viewers
    from auditwire_console.viewer import ALL, Viewer, Viewers, digest_of

    you = Viewer("you", (ALL,), host_cluster)
    return Viewers({digest_of(token): you, **(read_viewers(file) if file else {})})


def _listening(port: int) -> "socket.socket":
    import socket

    try:
        return socket.create_server((_HOST, port))
    except OSError as error:
        raise CommandError(f"{_HOST}:{port} cannot be listened on: {error.strerror}", "give another --port") from None


def _write_token(file: Path, token: str) -> None:
    """Write the token for its owner alone; the file of an earlier run is written anew."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}", "give another --token-file") from None
    write_private(file, f"{token}\n")
