"""The two cookies: of a sign-in that has begun, and of a session.

A browser takes a cookie whose name begins with ``__Host-`` only over https, for this host alone and for all of it, so
no other host of the domain can plant one.
"""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

SIGN_IN: Final = "__Host-signin"
SESSION: Final = "__Host-session"
SIGN_IN_LASTS: Final = timedelta(minutes=10)

_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def read(request: "Request", name: str) -> str | None:
    """The value of a cookie of ours; None if there is none, more than one, or one that we never gave."""
    pairs = [part.strip().partition("=") for header in request.headers.getlist("cookie") for part in header.split(";")]
    values = [value for key, _, value in pairs if key == name]
    return values[0] if len(values) == 1 and _VALUE.fullmatch(values[0]) else None


def set_sign_in(response: "Response", value: str) -> None:
    """Binds a sign-in to this browser. Lax, because it must come back with the browser that the issuer sends."""
    lasts = int(SIGN_IN_LASTS.total_seconds())
    response.set_cookie(SIGN_IN, value, max_age=lasts, secure=True, httponly=True, samesite="lax")


def set_session(response: "Response", value: str, lasts: timedelta) -> None:
    """Gives a browser its session. Strict: no other site makes a browser send it."""
    seconds = int(lasts.total_seconds())
    response.set_cookie(SESSION, value, max_age=seconds, secure=True, httponly=True, samesite="strict")


def end_sign_in(response: "Response") -> None:
    """Takes the cookie of a sign-in away."""
    response.delete_cookie(SIGN_IN, secure=True, httponly=True, samesite="lax")


def end_session(response: "Response") -> None:
    """Takes the cookie of a session away."""
    response.delete_cookie(SESSION, secure=True, httponly=True, samesite="strict")
