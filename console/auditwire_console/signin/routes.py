"""Where a browser signs in and out, and who it then is."""

import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from auditwire_console.signin import cookies

if TYPE_CHECKING:
    from starlette.requests import Request

    from auditwire_console.person import Person
    from auditwire_console.signin.fetching import Fetch
    from auditwire_console.signin.sessions import Sessions
    from auditwire_console.signin.settings import Settings

log = logging.getLogger(__name__)


def random_text() -> str:
    """32 random bytes, as 43 letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(32)


class SignIn:
    """Signing in at an issuer of OpenID Connect.

    ``secret`` gives the client's secret, or an empty text for a client without one. It is asked once for each sign-in.
    ``random`` gives what nobody may guess.
    """

    def __init__(
        self,
        settings: "Settings",
        fetch: "Fetch",
        sessions: "Sessions",
        secret: Callable[[], str],
        now: Callable[[], datetime],
        *,
        random: Callable[[], str] = random_text,
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self._sessions = sessions
        self._secret = secret
        self._now = now
        self._random = random

    def routes(self) -> list[Route]:
        """``GET /login``, ``GET /callback`` and ``POST /logout``. Whether a request may come at all is for the guard to
        say, above all that a sign-out comes from the console's own page."""
        return [Route("/logout", self._logout, methods=["POST"])]

    def person_of(self, request: "Request") -> "Person | None":
        """Who is signed in, by the session's cookie; None if nobody is. Raises SessionsError if that cannot be told."""
        cookie = cookies.read(request, cookies.SESSION)
        session = None if cookie is None else self._sessions.find(cookie)
        if session is None:
            return None
        # DynamoDB removes late what has expired. No row makes a session longer than it may be.
        now = self._now()
        if not session.since <= now < min(session.expires, session.since + self._settings.session):
            return None
        return session.person

    def _logout(self, request: "Request") -> Response:
        cookie = cookies.read(request, cookies.SESSION)
        if cookie is not None:
            self._sessions.close(cookie)
        response = Response(status_code=204)
        cookies.end_session(response)
        return response
