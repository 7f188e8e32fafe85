"""Who asks: by the token of a request, which no other header can stand in for."""

from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from starlette.requests import Request

    from auditwire_console.viewer import Viewer, Viewers


class Who(Protocol):
    """Says who sends a request."""

    def viewer_of(self, request: "Request") -> "Viewer | None":
        """The viewer who sends a request, asked anew each time; None if it is nobody known."""


@dataclass(frozen=True, slots=True)
class ByToken:
    """Those who have a token."""

    viewers: "Viewers"

    def viewer_of(self, request: "Request") -> "Viewer | None":
        """See Who.viewer_of."""
        return self.viewers.of(token_of(request))


def token_of(request: "Request") -> str:
    """The token of a request: a bearer token, or the password of HTTP Basic. Empty if there is none."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""
