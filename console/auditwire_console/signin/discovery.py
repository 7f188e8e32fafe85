"""An issuer's discovery document: where it signs people in, gives tokens, and publishes its keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from auditwire_console.signin.addresses import is_address, is_on_loopback
from auditwire_console.signin.documents import read_object
from auditwire_console.signin.errors import IssuerError

_WELL_KNOWN: Final = "/.well-known/openid-configuration"


class ClientProof(StrEnum):
    """How a client with a secret proves to the token endpoint who it is."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"


@dataclass(frozen=True, slots=True)
class Provider:
    """What the console needs to know of an issuer. ``names_itself`` says that it names itself in the callback (RFC
    9207); ``proofs`` are the ways to show a secret that it takes and the console knows."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    proofs: tuple[ClientProof, ...]
    names_itself: bool


def discovery_address(issuer: str) -> str:
    """Where an issuer's discovery document is."""
    return issuer.removesuffix("/") + _WELL_KNOWN


def read_provider(body: bytes, issuer: str) -> Provider:
    """Reads a discovery document. Raises IssuerError if it is another issuer's, or leads where the console does not
    go."""
    document = read_object(body, "the issuer's discovery document")
    if document.get("issuer") != issuer:
        raise IssuerError("the discovery document is another issuer's: the issuer must be written as it writes itself")
    loopback = is_on_loopback(issuer)
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not is_address(document.get(name), loopback=loopback):
            message = f"the discovery document has no https address as {name}"
            raise IssuerError(message)
    # What is not listed may be there all the same: many issuers take PKCE and do not say so.
    if "S256" not in _texts(document, "code_challenge_methods_supported", ["S256"]):
        raise IssuerError("the issuer takes no PKCE with S256")
    proofs = _texts(document, "token_endpoint_auth_methods_supported", [ClientProof.BASIC.value])
    return Provider(
        document["authorization_endpoint"],
        document["token_endpoint"],
        document["jwks_uri"],
        tuple(proof for proof in ClientProof if proof.value in proofs),
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def _texts(document: Mapping[str, Any], name: str, default: list[str]) -> list[object]:
    """A list of texts that may be missing."""
    found = document.get(name, default)
    if not isinstance(found, list):
        message = f"{name} of the discovery document is no list"
        raise IssuerError(message)
    return found
