"""An Alertmanager that fails in every way a server can, and counts how often it did."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from auditwire_local.receiver import AlertReceiver
from waiting import HANG_SECONDS


@dataclass
class Peer:
    """An Alertmanager behind a server that can misbehave: ``trouble`` is its way of doing so, empty for none."""

    receiver: AlertReceiver
    url: str = ""
    trouble: str = ""
    injected: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def in_trouble(self, trouble: str) -> Iterator[None]:
        """Misbehave inside."""
        self.trouble = trouble
        self.released.clear()
        try:
            yield
        finally:
            self.trouble = ""
            self.released.set()


ANSWERS: Mapping[str, tuple[int, str]] = {
    "throttle": (429, "too many requests"),
    "500": (500, "out of order"),
    "denied": (403, "forbidden"),
}
"""What a peer answers in these kinds of trouble. In ``timeout`` it answers nothing, in ``cut`` it takes the alerts and
hangs up."""


@contextmanager
def peer() -> Iterator[Peer]:
    """Serves one on a free port."""
    made = Peer(AlertReceiver())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            trouble = made.trouble
            made.injected += bool(trouble)
            if trouble == "timeout":
                made.released.wait(HANG_SECONDS)
                return
            if trouble == "cut":
                made.receiver.post(body)
                return
            status, text = ANSWERS.get(trouble) or made.receiver.post(body)
            content = text if isinstance(text, bytes) else text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Keeps the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # A client that stopped waiting is what some tests are about.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    made.receiver.start()
    thread.start()
    try:
        yield made
    finally:
        made.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
        made.receiver.stop()
