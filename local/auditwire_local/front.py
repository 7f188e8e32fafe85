"""The endpoint on loopback: an HTTP/1.1 server in the place of API Gateway.

It prints and logs nothing, because a path or a header may have a credential in it.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from auditwire_local.errors import LocalError
from auditwire_local.gateway import FAILED, MAX_BODY, TOO_LARGE, HttpAnswer, Request, message

Respond = Callable[[Request], HttpAnswer]
Trouble = Callable[[], None]
"""Called while an unexpected exception is being handled."""

_IDLE_SECONDS = 120.0
_HANDSHAKE_SECONDS = 10.0
_SWALLOW = 4 * MAX_BODY
_MAX_CHUNK_LINE = 1024


class _BadBodyError(Exception):
    """The body cannot be read; ``answer`` is sent, and then the connection is closed."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Front(ThreadingHTTPServer):
    """Serves each connection in a thread of its own, and knows which of them have a request in progress.

    Raises LocalError where the port cannot be listened on.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, respond: Respond, *, tls: ssl.SSLContext | None, trouble: Trouble) -> None:
        self._respond = respond
        self._trouble = trouble
        self.scheme = "https" if tls else "http"
        self.draining = False
        self._tls = tls
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._busy: set[socket.socket] = set()
        try:
            super().__init__(("127.0.0.1", port), _Connection)
        except OSError as error:
            msg = f"port {port} cannot be listened on: {error.strerror}"
            raise LocalError(msg) from error
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="front", daemon=True)

    @property
    def url(self) -> str:
        """The endpoint, without a path."""
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Accept requests, in a thread of its own."""
        self._thread.start()

    def drain(self, deadline: float) -> bool:
        """Accept nothing more, and wait until every request is answered; False when the time was too short.
        ``deadline`` is a value of time.monotonic()."""
        self.shutdown()
        self._thread.join()
        self.draining = True
        # Connections that the kernel has accepted already get an answer.
        self.socket.settimeout(0)
        while self._accept_waiting():
            pass
        self.server_close()
        with self._changed:
            for connection in self._open - self._busy:
                _stop_reading(connection)
            return self._changed.wait_for(lambda: not self._open, max(0.0, deadline - time.monotonic()))

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count the connection as soon as it is accepted."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection in its own thread, where a slow TLS handshake delays nobody else."""
        connection = request
        try:
            if self._tls:
                request.settimeout(_HANDSHAKE_SECONDS)
                connection = self._tls.wrap_socket(request, server_side=True)
                with self._changed:
                    self._open.add(connection)
                    self._open.discard(request)
            super().finish_request(connection, client_address)
        finally:
            with self._changed:
                self._open -= {request, connection}
                self._changed.notify_all()
            if connection is not request:
                self.shutdown_request(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: broken connections and failed handshakes are the client's business."""

    def respond(self, request: Request) -> HttpAnswer:
        """The answer to a request, whatever happens."""
        try:
            return self._respond(request)
        except Exception:  # noqa: BLE001 - whatever happens, a sender is answered
            self._trouble()
            return FAILED

    def began(self, connection: socket.socket) -> None:
        """A request has begun to arrive."""
        with self._changed:
            self._busy.add(connection)

    def ended(self, connection: socket.socket) -> None:
        """A request is answered."""
        with self._changed:
            self._busy.discard(connection)

    def _accept_waiting(self) -> bool:
        try:
            request, address = self.get_request()
        except OSError:
            return False
        request.settimeout(None)
        self.process_request(request, address)
        return True


def _stop_reading(connection: socket.socket) -> None:
    """End the reading side below TLS: what has arrived is still read, and then the handler sees the end."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RD)


class _Connection(BaseHTTPRequestHandler):
    """One connection: its requests, one after the other."""

    server: Front
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    @property
    def timeout(self) -> float:  # type: ignore[override]
        """The seconds without a byte after which a connection is closed; few for one that came in at the end."""
        return 1.0 if self.server.draining else _IDLE_SECONDS

    def handle_one_request(self) -> None:
        """Wait for a request, without counting as busy, and then serve it."""
        try:
            if not self.rfile.peek(1):  # type: ignore[attr-defined]
                self.close_connection = True
                return
        except (OSError, ValueError):
            self.close_connection = True
            return
        self.server.began(self.connection)
        try:
            super().handle_one_request()
        finally:
            self.server.ended(self.connection)

    def handle_expect_100(self) -> bool:
        """Tell a waiting client to send its body. The answer must leave the buffer at once."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def serve(self) -> None:
        """Answer one request, whatever its method."""
        try:
            body = self._body()
        except _BadBodyError as bad:
            self.close_connection = True
            self._send(bad.answer)
            return
        request = Request(
            self.command,
            self.path,
            list(self.headers.items()),
            body,
            self.client_address[0],
            self.server.scheme,
        )
        answer = self.server.respond(request)
        self.close_connection = self.close_connection or self.server.draining
        self._send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve

    def send_error(self, code: int, message_text: str | None = None, explain: str | None = None) -> None:
        """The answer to a request that is not HTTP. Unlike that of http.server, it repeats nothing of the request."""
        del explain, message_text
        self.close_connection = True
        self._send(message(code, "Bad Request" if code < 500 else "Not Implemented"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""

    def _send(self, answer: HttpAnswer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _body(self) -> bytes:
        lengths = self.headers.get_all("Content-Length") or []
        encoding = (self.headers.get("Transfer-Encoding") or "").strip().lower()
        if encoding:
            # Request smuggling uses both headers at once.
            if encoding != "chunked" or lengths:
                raise _BadBodyError(message(400, "Bad Request"))
            return self._chunked()
        if not lengths:
            if self.command in {"POST", "PUT", "PATCH"}:
                raise _BadBodyError(message(411, "Length Required"))
            return b""
        if len(set(lengths)) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            raise _BadBodyError(message(400, "Bad Request"))
        length = int(lengths[0])
        if length > MAX_BODY:
            self._swallow(length)
            raise _BadBodyError(TOO_LARGE)
        return self._read(length)

    def _chunked(self) -> bytes:
        parts: list[bytes] = []
        total = 0
        while size := self._chunk_size():
            total += size
            if total > MAX_BODY:
                raise _BadBodyError(TOO_LARGE)
            parts.append(self._read(size))
            if self._read(2) != b"\r\n":
                raise _BadBodyError(message(400, "Bad Request"))
        while self.rfile.readline(_MAX_CHUNK_LINE).strip():
            pass
        return b"".join(parts)

    def _chunk_size(self) -> int:
        line = self.rfile.readline(_MAX_CHUNK_LINE)
        digits = line.partition(b";")[0].strip()
        if not line.endswith(b"\n") or not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise _BadBodyError(message(400, "Bad Request"))
        return int(digits, 16)

    def _read(self, length: int) -> bytes:
        data = self.rfile.read(length)
        if len(data) < length:
            raise _BadBodyError(message(400, "Bad Request"))
        return data

    def _swallow(self, length: int) -> None:
        """Read a body that is too large, up to a bound: a client that is still sending would not see the answer."""
        left = min(length, _SWALLOW)
        while left > 0 and (data := self.rfile.read(min(left, 1 << 16))):
            left -= len(data)
