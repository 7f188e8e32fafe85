"""Who asks: by the token of a request, or by whoever has signed in. No other header can stand in for these."""

from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from starlette.requests import Request

    from auditwire_console.person import Person
    from auditwire_console.rights import Rights
    from auditwire_console.signin import SignIn
    from auditwire_console.viewer import Viewer, Viewers


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: what they may see, and who they are if they have signed in."""

    viewer: "Viewer"
    person: "Person | None" = None

    @property
    def subject(self) -> str:
        """What the issuer calls them for good; empty for whoever has a token."""
        return self.person.subject if self.person else ""


class Who(Protocol):
    """Says who sends a request."""

    @property
    def advice(self) -> str:
        """What to do for those it does not know, as a sentence."""

    def asker_of(self, request: "Request") -> Asker | None:
        """Who sends a request, asked anew each time; None if it is nobody known. Raises UnavailableError where
        that cannot be told."""


@dataclass(frozen=True, slots=True)
class ByToken:
    """Those who have a token."""

    viewers: "Viewers"
    advice: str = "open the console by the address that it printed"

    def asker_of(self, request: "Request") -> Asker | None:
        """See Who.asker_of."""
        viewer = self.viewers.of(token_of(request))
        return None if viewer is None else Asker(viewer)


@dataclass(frozen=True, slots=True)
class ByTokenOrSession:
    """Those who have a token, and those who have signed in. Whoever sends a token is asked for nothing else, so a wrong
    one is not made good by a session."""

    rights: "Rights"
    sign_in: "SignIn"
    advice: str = "you are not signed in, or your session has ended: sign in"

    def asker_of(self, request: "Request") -> Asker | None:
        """See Who.asker_of."""
        if "authorization" in request.headers:
            viewer = self.rights.of_token(token_of(request))
            return None if viewer is None else Asker(viewer)
        person = self.sign_in.person_of(request)
        return None if person is None else Asker(self.rights.of_person(person), person)


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
