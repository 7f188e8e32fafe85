"""What ingest needs from an API Gateway invocation event."""

import base64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditwire.events import BodyError, Reject, inflate


@dataclass(frozen=True, slots=True)
class Request:
    """One request, from an event of API Gateway's HTTP API in payload format 2.0."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    received: datetime
    certificate: str | None = None
    """The client certificate in PEM that API Gateway verified, on a domain with mutual TLS."""
    claims: Mapping[str, Any] | None = None
    """The claims of the token that API Gateway verified, on a route with an authorizer."""

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> "Request":
        """Reads the request from an invocation event and removes the body from the event, so that it is in memory only
        once.

        A body that is said to be base64 but is not is used as it is.
        """
        context = event["requestContext"]
        text = event.pop("body", None) or ""
        body = text.encode(errors="surrogatepass")
        if event.get("isBase64Encoded"):
            with suppress(ValueError):
                body = base64.b64decode(text, validate=True)
        return cls(
            method=context["http"]["method"],
            path=event.get("rawPath") or "/",
            headers=event.get("headers") or {},
            body=body,
            received=datetime.fromtimestamp(context["timeEpoch"] / 1000, UTC),
            certificate=_certificate(context),
            claims=((context.get("authorizer") or {}).get("jwt") or {}).get("claims"),
        )

    @property
    def user_agent(self) -> str:
        """The client's name for itself, or an empty string."""
        return self.header("user-agent") or ""

    @property
    def route(self) -> str:
        """The path without one slash at its end, which HTTP APIs ignore."""
        return self.path.removesuffix("/")

    def inflated(self) -> tuple[bytes, Reject | None]:
        """The inflated body. If it cannot be inflated, the body as it was received, and a reject."""
        try:
            return inflate(self.body, self.header("content-encoding")), None
        except BodyError as error:
            return self.body, Reject("body", error.reason, error.detail, self.body)

    def header(self, name: str) -> str | None:
        """The value of a header, by its name in lower case."""
        return next((value for given, value in self.headers.items() if given.lower() == name), None)


def _certificate(context: Mapping[str, Any]) -> str | None:
    """The PEM of the client certificate; None if the request has none. If a certificate is there without its PEM, the
    result is empty, which no certificate matches."""
    given = (context.get("authentication") or {}).get("clientCert")
    return None if given is None else str(given.get("clientCertPem") or "")
