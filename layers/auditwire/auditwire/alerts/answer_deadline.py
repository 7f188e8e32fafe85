"""Reading an answer of HTTP until a deadline, however slowly it trickles in. A socket's own timeout begins anew with
every byte."""

import http.client
import io
import socket
from collections.abc import Callable
from functools import partial
from typing import Any


def responses_until(ends: float, clock: Callable[[], float]) -> Any:
    """What a connection makes its responses of, so that reading one raises TimeoutError at ``ends`` at the latest."""
    return partial(_Response, ends=ends, clock=clock)


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *given: Any, ends: float, clock: Callable[[], float], **named: Any) -> None:
        super().__init__(sock, *given, **named)
        # Made before the first file is closed: the connection may end when nobody reads from it.
        bounded: Any = io.BufferedReader(_Until(sock, ends, clock))
        self.fp.close()
        self.fp = bounded


class _Until(io.RawIOBase):
    """The bytes of a socket until a moment."""

    def __init__(self, sock: socket.socket, ends: float, clock: Callable[[], float]) -> None:
        self._sock, self._ends, self._clock = sock, ends, clock
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._ends - self._clock()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._file.readinto(buffer) or 0

    def close(self) -> None:
        self._file.close()
        super().close()
