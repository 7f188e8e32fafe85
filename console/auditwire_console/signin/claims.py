"""Whether an ID token is meant for this sign-in, and now."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from auditwire_console.signin.errors import IssuerError

CLOCKS_DIFFER_SECONDS: Final = 60
"""By how much the issuer's clock may be ahead."""


def check_claims(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: datetime) -> None:
    """Raises IssuerError, which says what is wrong, unless the token comes from this issuer, is for this client and
    this sign-in, and holds now."""
    if claims.get("iss") != issuer:
        raise IssuerError("the ID token is another issuer's")
    _check_audience(claims, client_id)
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise IssuerError("the ID token belongs to another sign-in")
    moment = now.timestamp()
    if _time(claims, "exp") <= moment:
        raise IssuerError("the ID token has expired")
    if _time(claims, "iat") > moment + CLOCKS_DIFFER_SECONDS:
        raise IssuerError("the ID token was issued in the future")
    if "nbf" in claims and _time(claims, "nbf") > moment + CLOCKS_DIFFER_SECONDS:
        raise IssuerError("the ID token does not hold yet")


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    clients = audience if isinstance(audience, list) else [audience]
    if client_id not in clients or not all(isinstance(client, str) for client in clients):
        raise IssuerError("the ID token is for another client")
    # Of several clients, one asked for it.
    if (len(clients) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise IssuerError("the ID token was given to another client")


def _time(claims: Mapping[str, Any], name: str) -> float:
    given = claims.get(name)
    if isinstance(given, bool) or not isinstance(given, int | float):
        message = f"the ID token has no time as {name}"
        raise IssuerError(message)
    return given
