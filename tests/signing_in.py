"""A console where people sign in, over sessions in memory and an issuer without a network."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from auditwire_console.signin import MemorySessions, Settings, SignIn
from oidc_issuer import OidcIssuer

if TYPE_CHECKING:
    from starlette.types import ASGIApp

ORIGIN = "https://console.example"


class Desk:
    """``/me`` answers who is signed in. ``now`` is the time for console and issuer."""

    def __init__(
        self, issuer: OidcIssuer | None = None, secret: Any = None, fetch: Any = None, **settings: Any
    ) -> None:
        self.now = datetime(2026, 11, 29, 12, tzinfo=UTC)
        self.issuer = issuer or OidcIssuer()
        self.issuer.now = self._seconds
        self.sessions = MemorySessions()
        given = Settings(self.issuer.url, self.issuer.client_id, **settings)
        ask_secret = secret or (lambda: self.issuer.client_secret)
        self.sign_in = SignIn(given, fetch or self.issuer.fetch, self.sessions, ask_secret, lambda: self.now)
        self.app: ASGIApp = Starlette(routes=[Route("/me", self._me), *self.sign_in.routes()])

    def browser(self) -> "Browser":
        """A browser without cookies."""
        return Browser(self)

    def _seconds(self) -> float:
        return self.now.timestamp()

    def _me(self, request: Request) -> PlainTextResponse:
        person = self.sign_in.person_of(request)
        return PlainTextResponse("" if person is None else person.name)


class Browser:
    """Keeps the console's cookies, and goes to the issuer when it is sent there."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.client = TestClient(desk.app, base_url=ORIGIN, follow_redirects=False)

    def get(self, path: str) -> Any:
        """The answer; redirects are not followed."""
        return self.client.get(path)

    def begin(self, path: str = "/login") -> dict[str, str]:
        """Begins to sign in. What the issuer is asked."""
        answer = self.get(path)
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def at_issuer(self, asked: dict[str, str]) -> str:
        """Signs in there. Where the issuer sends the browser: a path with a query."""
        back = urlsplit(self.desk.issuer.authorize(asked))
        return f"{back.path}?{back.query}"

    def sign_in(self, path: str = "/login") -> Any:
        """The last answer of a whole sign-in."""
        return self.get(self.at_issuer(self.begin(path)))

    @property
    def name(self) -> str:
        """Who is signed in; empty if nobody is."""
        return str(self.get("/me").text)
