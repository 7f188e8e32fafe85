"""Answers through something that holds them back whole and takes only so much, such as Lambda.

An answer that is too large, or that ends before its time, is not sent in part: what is sent instead says what to do.
"""

import json
import zlib
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers, MutableHeaders

from auditwire_console.call import IN_SCOPE
from auditwire_console.errors import TooLargeError
from auditwire_console.problems import KNOWN, problem_of
from auditwire_console.search_log import unreadable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_GZIP: Final = 16 + zlib.MAX_WBITS
_PARTIAL: Final = 206


class Bounded:
    """An ASGI application around another, whose answers are gzipped for those who take it, and have at most ``most``
    bytes as they are sent."""

    def __init__(self, app: "ASGIApp", most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held = _Held(self._most, takes_gzip=_takes_gzip(Headers(scope=scope)))
        try:
            await self._app(scope, receive, held.take)
            messages = held.messages(_warning(scope))
        except KNOWN as error:
            await problem_of(error, scope["path"])(scope, receive, send)
            return
        for message in messages:
            await send(message)


class _Held:
    """An answer that is held back."""

    def __init__(self, most: int, *, takes_gzip: bool) -> None:
        self._most, self._takes_gzip = most, takes_gzip
        self._start: Any = None
        self._packer: Any = None
        self._body = bytearray()
        self._is_empty = True

    async def take(self, message: "Message") -> None:
        """See ASGI's send. Raises TooLargeError."""
        if message["type"] == "http.response.start":
            self._start = message
            headers = Headers(raw=message["headers"])
            if self._takes_gzip and message["status"] != _PARTIAL and "content-encoding" not in headers:
                self._packer = zlib.compressobj(wbits=_GZIP)
        elif message["type"] == "http.response.body" and message.get("body"):
            self._is_empty = False
            body = message["body"]
            self._body += self._packer.compress(body) if self._packer else body
            if len(self._body) > self._most:
                raise TooLargeError

    def messages(self, warning: str) -> "list[Message]":
        """The answer. Raises TooLargeError."""
        headers = MutableHeaders(raw=self._start["headers"])
        headers.add_vary_header("accept-encoding")
        if warning:
            headers.setdefault("warning", warning)
        if not self._is_empty:
            if self._packer:
                self._body += self._packer.flush()
                headers["content-encoding"] = "gzip"
                if "etag" in headers:
                    headers["etag"] = "W/" + headers["etag"].removeprefix("W/")
            if len(self._body) > self._most or (not self._packer and _size_as_text(bytes(self._body)) > self._most):
                raise TooLargeError
            headers["content-length"] = str(len(self._body))
        return [self._start, {"type": "http.response.body", "body": bytes(self._body)}]


def _size_as_text(body: bytes) -> int:
    """A text may be sent as a string of JSON instead of base64, in which some letters take more room."""
    return len(json.dumps(body.decode(errors="replace"))) * 3 // 4


def _takes_gzip(headers: Headers) -> bool:
    for one in headers.get("accept-encoding", "").lower().split(","):
        name, _, quality = one.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _warning(scope: "Scope") -> str:
    count = len(unreadable(scope[IN_SCOPE]))
    return f'199 - "{count} stored objects could not be read"' if count else ""
