"""Where a browser signs in and out, and who it then is."""

import logging
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auditwire_console.signin import cookies
from auditwire_console.signin.claims import check_claims
from auditwire_console.signin.destination import destination_of
from auditwire_console.signin.documents import shown
from auditwire_console.signin.errors import NotSignedInError, SecretError, SignInError
from auditwire_console.signin.flow import authorization_address, exchange
from auditwire_console.signin.identity import person_of
from auditwire_console.signin.issuer import Issuer
from auditwire_console.signin.pages import not_signed_in, signed_in
from auditwire_console.signin.sessions import Session, Transaction
from auditwire_console.signin.tokens import read_token

if TYPE_CHECKING:
    from starlette.requests import Request

    from auditwire_console.person import Person
    from auditwire_console.signin.discovery import Provider
    from auditwire_console.signin.fetching import Fetch
    from auditwire_console.signin.sessions import Sessions
    from auditwire_console.signin.settings import Settings

log = logging.getLogger(__name__)

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_MAX_CODE_LENGTH: Final = 8000

_NOT_BEGUN: Final = (
    "this sign-in did not begin in this browser, took more than ten minutes, was used already, or a later one took its "
    "place; sign in again"
)


def random_text() -> str:
    """32 random bytes, as 43 letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(32)


class SignIn:
    """Signing in at an issuer of OpenID Connect.

    ``secret`` gives the client's secret, or an empty text for a client without one. It is asked for each sign-in, and
    may raise what botocore raises. ``random`` gives what nobody may guess.
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
        self._issuer = Issuer(settings.issuer, fetch, now)
        self._sessions = sessions
        self._secret = secret
        self._now = now
        self._random = random

    def routes(self) -> list[Route]:
        """``GET /login``, ``GET /callback`` and ``POST /logout``. Whether a request may come at all is for the guard to
        say, above all that a sign-out comes from the console's own page."""
        return [
            Route("/login", _with_a_page(self._login), methods=["GET"]),
            Route("/callback", _with_a_page(self._callback), methods=["GET"]),
            Route("/logout", _with_a_page(self._logout), methods=["POST"]),
        ]

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

    def _login(self, request: "Request") -> Response:
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            raise NotSignedInError("the request names no host that the issuer could send you back to")
        provider = self._issuer.provider()
        cookie = self._random()
        transaction = Transaction(
            state=self._random(),
            nonce=self._random(),
            verifier=self._random(),
            redirect_uri=f"https://{host}/callback",
            to=destination_of(*request.query_params.getlist("to")),
            expires=self._now() + cookies.SIGN_IN_LASTS,
        )
        self._sessions.begin(cookie, transaction)
        response = RedirectResponse(authorization_address(provider, self._settings, transaction), 302)
        cookies.set_sign_in(response, cookie)
        return response

    def _callback(self, request: "Request") -> Response:
        given = _once_each(request)
        transaction = self._taken(request, given)
        provider = self._issuer.provider()
        # Whoever answers must be who was asked (RFC 9207).
        if given.get("iss", None if provider.names_itself else self._settings.issuer) != self._settings.issuer:
            raise NotSignedInError("another issuer answered than the one that was asked")
        if "error" in given:
            said = ": ".join(filter(None, (shown(given["error"]), shown(given.get("error_description")))))
            message = f"the issuer did not sign you in. It says: {said}"
            raise NotSignedInError(message)
        code = given.get("code", "")
        if not 0 < len(code) <= _MAX_CODE_LENGTH:
            raise NotSignedInError("the issuer sent no code")
        person = person_of(self._claims(provider, code, transaction), self._settings.groups_claim)
        session, now = self._random(), self._now()
        self._sessions.open(session, Session(person, now, now + self._settings.session))
        log.info("%s signed in; groups that count: %d, left out: %d", person.name, len(person.groups), person.left_out)
        response = signed_in(person, transaction.to)
        cookies.set_session(response, session, self._settings.session)
        cookies.end_sign_in(response)
        return response

    def _logout(self, request: "Request") -> Response:
        cookie = cookies.read(request, cookies.SESSION)
        if cookie is not None:
            self._sessions.close(cookie)
        response = Response(status_code=204)
        cookies.end_session(response)
        return response

    def _taken(self, request: "Request", given: Mapping[str, str]) -> Transaction:
        """The sign-in that this browser began with this state. Nobody gets it again."""
        cookie, state = cookies.read(request, cookies.SIGN_IN), given.get("state", "")
        transaction = None if cookie is None or not state else self._sessions.take(cookie, state)
        if transaction is None or self._now() >= transaction.expires:
            raise NotSignedInError(_NOT_BEGUN)
        return transaction

    def _claims(self, provider: "Provider", code: str, transaction: Transaction) -> Mapping[str, Any]:
        """What the issuer claims for a code, once all of it is checked."""
        try:
            secret = self._secret()
        except (BotoCoreError, ClientError) as error:
            raise SecretError("the console cannot read its client's secret; try again") from error
        token = exchange(self._fetch, provider, self._settings, secret, code, transaction)
        claims = read_token(token, self._issuer.key)
        settings = self._settings
        check_claims(
            claims, issuer=settings.issuer, client_id=settings.client_id, nonce=transaction.nonce, now=self._now()
        )
        return claims


def _once_each(request: "Request") -> dict[str, str]:
    """The parameters, none of which may be there twice: two readers could take different ones."""
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    if len(given) != len(pairs):
        raise NotSignedInError("the issuer sent a parameter twice")
    return given


def _with_a_page(answer: Callable[["Request"], Response]) -> Callable[["Request"], Response]:
    """Answers with a page where nobody is signed in."""

    @wraps(answer)
    def respond(request: "Request") -> Response:
        try:
            return answer(request)
        except SignInError as error:
            log.warning("%s: %s", request.scope["path"], error)
            return not_signed_in(error.status, str(error))

    return respond
