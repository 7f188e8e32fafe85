"""Asking an issuer: no redirects, no proxies, TLS verified, five seconds and a megabyte in all."""

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Protocol
from urllib.parse import urlsplit

from auditwire.alerts.answer_deadline import responses_until
from auditwire_console.signin.errors import IssuerError

MAX_SECONDS: Final = 5.0
MAX_LENGTH: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    body: bytes = field(repr=False)


class Fetch(Protocol):
    """Asks an address once: GET, or POST where there is a body."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """The answer, of whatever status. Raises IssuerError, which names the host, if there is none or too much."""


def fetch(
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
    seconds: float = MAX_SECONDS,
) -> Answer:
    """See Fetch. Takes at most ``seconds`` of the clock, and as long again to connect."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=_tls())
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=seconds)
    connection.response_class = responses_until(clock() + seconds, clock)
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    try:
        connection.request("GET" if body is None else "POST", target, body, {"accept-encoding": "identity", **headers})
        with connection.getresponse() as response:
            found = response.read(MAX_LENGTH + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        message = f"the issuer's host {host} does not answer ({_reason(error)}); try again"
        raise IssuerError(message) from error
    finally:
        connection.close()
    if len(found) > MAX_LENGTH:
        message = f"the issuer's host {host} answers more than {MAX_LENGTH:,} bytes"
        raise IssuerError(message)
    return Answer(response.status, found)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"not within {MAX_SECONDS:.0f} s"
    if isinstance(error, ssl.SSLError):
        return "its certificate is not trusted" if isinstance(error, ssl.SSLCertVerificationError) else "TLS failed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "this is no HTTP"
