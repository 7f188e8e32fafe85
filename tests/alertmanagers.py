"""HTTP servers on loopback that answer as an Alertmanager might, on good days and on bad ones."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from waiting import HANG_SECONDS

Respond = Callable[[list[Any]], tuple[int, str]]


def takes_all(_: list[Any]) -> tuple[int, str]:
    """An Alertmanager on a good day."""
    return 200, ""


def always(status: int, text: str = "") -> Respond:
    """The same answer to everything."""
    return lambda _: (status, text)


def refuses(bad: str, status: int = 400) -> Respond:
    """Refuses whatever holds an alert of this name, as Alertmanager does for bad labels and bad addresses."""
    return lambda alerts: (
        (status, '"invalid label set"') if any(alert["labels"]["alertname"] == bad for alert in alerts) else (200, "")
    )


@dataclass
class Fake:
    """A running server, and what it was sent."""

    url: str = ""
    posts: list[list[Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


@contextmanager
def alertmanager(respond: Respond = takes_all, *, hang: threading.Event | None = None) -> Iterator[Fake]:
    """Serves on a free port; with ``hang`` it answers nothing until the event is set."""
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fake.paths.append(self.path)
            fake.headers.append(dict(self.headers))
            alerts = json.loads(body)
            fake.posts.append(alerts)
            if hang:
                hang.wait(HANG_SECONDS)
            status, text = respond(alerts)
            if status < 300:
                fake.taken += [alert["labels"]["alertname"] for alert in alerts]
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{fake.url}/elsewhere")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Keeps the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # A client that stopped waiting is what some tests are about.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        if hang:
            hang.set()
        server.shutdown()
        server.server_close()
        thread.join()
