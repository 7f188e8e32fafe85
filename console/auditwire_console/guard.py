"""What stands before every request: where it came to, where it came from, and that it changes nothing.

A page of another site can make a browser send requests to 127.0.0.1, also under a name of its own that it lets point
there. Such requests have a foreign Host, Origin or Sec-Fetch-Site.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_OWN_SITE: Final = ("same-origin", "none")
_METHODS: Final = ("GET", "HEAD")


class Guard:
    """An ASGI application around another. Takes only requests to one of these hosts, such as ``127.0.0.1:8080``."""

    def __init__(self, app: "ASGIApp", hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"http://{host}" for host in hosts)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """See ASGI."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refusal(scope["method"], Headers(scope=scope))
        await (refused or self._app)(scope, receive, send_guarded)

    def _refusal(self, method: str, headers: Headers) -> PlainTextResponse | None:
        if headers.getlist("host") not in [[host] for host in self._hosts]:
            return PlainTextResponse("this is not the host you asked for\n", 421)
        origins = headers.getlist("origin")
        if any(origin not in self._origins for origin in origins):
            return PlainTextResponse("requests of other sites are not answered\n", 403)
        if any(site not in _OWN_SITE for site in headers.getlist("sec-fetch-site")):
            return PlainTextResponse("requests of other sites are not answered\n", 403)
        if method not in _METHODS:
            return PlainTextResponse("only GET is answered\n", 405, {"allow": ", ".join(_METHODS)})
        return None
