"""What stands before every request: where it came to, where it came from, and that it changes nothing.

A page of another site can make a browser send requests to 127.0.0.1, also under a name of its own that it lets point
there, and to a deployed console, with the cookies that belong to it. Such requests have a foreign Host, Origin or
Sec-Fetch-Site. A deployed console may be linked to; nothing else of another site is answered.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
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
HEADERS_OF_HTTPS: Final = {"strict-transport-security": "max-age=31536000"}
LOGIN: Final = "/login"
LINKED: Final = frozenset(("/", LOGIN, "/callback"))
"""What a page of another site may lead to: the page, and both ends of signing in."""

SIGN_OUT: Final = "/logout"
"""The only path that changes anything."""

_OWN_SITE: Final = ("same-origin", "none")
_METHODS: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a console is served. ``hosts`` gives the names it has for a request, as the header Host writes them.

    A public one has https in front of it, other sites may link to it, and people sign in and out.
    """

    hosts: "Callable[[Scope], Collection[str]]"
    is_public: bool = False


def on_loopback(hosts: Collection[str]) -> Site:
    """A console on this machine, which is called so, such as ``127.0.0.1:8080``."""
    return Site(lambda scope: hosts)


def behind_gateway() -> Site:
    """A console behind API Gateway, which says by what name of its own it was called."""
    return Site(lambda scope: (scope["aws.event"]["requestContext"]["domainName"],), is_public=True)


class Guard:
    """An ASGI application around another, which is served at a site."""

    def __init__(self, app: "ASGIApp", site: Site) -> None:
        self._app, self._site = app, site

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """See ASGI."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        asked = Headers(scope=scope)
        guarded = HEADERS | (HEADERS_OF_HTTPS if self._is_always_https(asked) else {})

        async def send_guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in guarded.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refusal(scope, asked)
        await (refused or self._app)(scope, receive, send_guarded)

    def _is_always_https(self, headers: Headers) -> bool:
        # On a developer's machine it would hold for whatever else is called localhost.
        return self._site.is_public and headers.get("host", "").partition(":")[0] != "localhost"

    def _refusal(self, scope: "Scope", headers: Headers) -> PlainTextResponse | None:
        hosts = self._site.hosts(scope)
        if headers.getlist("host") not in [[host] for host in hosts]:
            return PlainTextResponse("this is not the host you asked for\n", 421)
        scheme = "https" if self._site.is_public else "http"
        origins = headers.getlist("origin")
        is_own = all(site in _OWN_SITE for site in headers.getlist("sec-fetch-site"))
        if any(origin not in [f"{scheme}://{host}" for host in hosts] for origin in origins) or not (
            is_own or (self._site.is_public and _is_followed_link(scope, headers))
        ):
            return PlainTextResponse("requests of other sites are not answered\n", 403)
        if self._site.is_public and scope["path"] == SIGN_OUT:
            if scope["method"] != "POST":
                return PlainTextResponse("only POST is answered here\n", 405, {"allow": "POST"})
            return None if origins else PlainTextResponse("only the console's own page may sign you out\n", 403)
        if scope["method"] not in _METHODS:
            return PlainTextResponse("only GET is answered\n", 405, {"allow": ", ".join(_METHODS)})
        return None


def _is_followed_link(scope: "Scope", headers: Headers) -> bool:
    """Whether somebody was led here from a page of another site, to a window of its own."""
    return (
        scope["method"] == "GET"
        and scope["path"] in LINKED
        and headers.getlist("sec-fetch-mode") == ["navigate"]
        and headers.getlist("sec-fetch-dest") == ["document"]
    )
