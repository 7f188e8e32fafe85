"""What ingest needs of an API Gateway invocation event."""

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

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> "Request":
        """Takes the request out of an invocation event, in which no body remains: one in memory is enough.

        A body that is not the base64 it is said to be is taken as it stands.
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
        )

    @property
    def user_agent(self) -> str:
        """The client's name for itself, empty without one."""
        return self._header("user-agent") or ""

    def inflated(self) -> tuple[bytes, Reject | None]:
        """The inflated body. One that cannot be inflated is as it came, and a reject."""
        try:
            return inflate(self.body, self._header("content-encoding")), None
        except BodyError as error:
            return self.body, Reject("body", error.reason, error.detail, self.body)

    def _header(self, name: str) -> str | None:
        return next((value for given, value in self.headers.items() if given.lower() == name), None)


def _certificate(context: Mapping[str, Any]) -> str | None:
    """The PEM of the client certificate; empty, so no certificate at all, where there is one without it."""
    given = (context.get("authentication") or {}).get("clientCert")
    return None if given is None else str(given.get("clientCertPem") or "")
