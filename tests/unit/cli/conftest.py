"""A real HTTP endpoint on loopback that keeps what it is sent and answers as a test says."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner

from auditwire_cli.main import app


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Receiver:
    """``answers`` is used up from the front, one status a request; then every request gets 200."""

    answers: list[int] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    url: str = ""

    @property
    def bodies(self) -> list[bytes]:
        return [request.body for request in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                kept.requests.append(Received(self.path, headers, body, self.client_address[1]))
                status = kept.answers.pop(0) if kept.answers else 200
            self.send_response(status)
            if status in {301, 307}:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture
def auditwire() -> Callable[..., Any]:
    """Runs the command line in this process; the result has exit_code, stdout and stderr."""

    def run(*arguments: object, stdin: bytes | str | None = None, **environment: str) -> Any:
        return CliRunner().invoke(
            app, [str(argument) for argument in arguments], input=stdin, env=environment, catch_exceptions=False
        )

    return run
