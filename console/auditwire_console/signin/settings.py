"""How people sign in: at which issuer, as which client, and for how long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from auditwire_console.signin.addresses import is_issuer

MAX_SESSION_HOURS: Final = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """``issuer`` must equal, to the letter, what the issuer calls itself. ``groups_claim`` names the claim of an ID
    token that holds the groups of a person.

    Raises ValueError for what cannot be meant.
    """

    issuer: str
    client_id: str
    scopes: str = "openid email"
    groups_claim: str = "groups"
    session_hours: int = MAX_SESSION_HOURS

    def __post_init__(self) -> None:
        if not is_issuer(self.issuer):
            message = "the issuer is an https address without query and fragment; http is for 127.0.0.1 and localhost"
            raise ValueError(message)
        if not self.client_id or not self.client_id.isprintable():
            raise ValueError("the client id, which the issuer gave the console, is empty or not printable")
        if "openid" not in self.scopes.split(" "):
            raise ValueError("the scopes must include openid: without it an issuer gives no ID token")
        if not 1 <= self.session_hours <= MAX_SESSION_HOURS:
            message = f"a session is 1 to {MAX_SESSION_HOURS} hours long, not {self.session_hours}"
            raise ValueError(message)

    @property
    def session(self) -> timedelta:
        """How long a session is."""
        return timedelta(hours=self.session_hours)
