"""The authorization code flow with PKCE: where the browser is sent, and how a code becomes an ID token."""

import hashlib
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

from auditwire_console.signin.discovery import ClientProof, Provider
from auditwire_console.signin.documents import read_object, shown
from auditwire_console.signin.errors import IssuerError, NotSignedInError

if TYPE_CHECKING:
    from auditwire_console.signin.fetching import Answer, Fetch
    from auditwire_console.signin.sessions import Transaction
    from auditwire_console.signin.settings import Settings


def authorization_address(provider: Provider, settings: "Settings", transaction: "Transaction") -> str:
    """Where a browser signs in at the issuer."""
    digest = hashlib.sha256(transaction.verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": transaction.redirect_uri,
        "scope": settings.scopes,
        "state": transaction.state,
        "nonce": transaction.nonce,
        "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in provider.authorization_endpoint else "?"
    return provider.authorization_endpoint + joint + urlencode(asked)


def exchange(
    fetch: "Fetch", provider: Provider, settings: "Settings", secret: str, code: str, transaction: "Transaction"
) -> str:
    """The ID token for a code, which the issuer gives once. Raises NotSignedInError if the issuer does not take the
    code, and IssuerError if it does not take the client or answers something else."""
    asked = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": transaction.redirect_uri,
        "code_verifier": transaction.verifier,
    }
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    if not secret:
        asked["client_id"] = settings.client_id
    elif ClientProof.BASIC in provider.proofs:
        pair = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
        headers["authorization"] = "Basic " + b64encode(pair.encode()).decode()
    elif ClientProof.POST in provider.proofs:
        asked |= {"client_id": settings.client_id, "client_secret": secret}
    else:
        raise IssuerError("the issuer takes a client's secret in no way that the console knows")
    answer = fetch(provider.token_endpoint, headers, urlencode(asked).encode())
    if answer.status != 200:
        raise _refusal(answer)
    token = read_object(answer.body, "the answer of the issuer's token endpoint").get("id_token")
    if not isinstance(token, str):
        raise IssuerError("the issuer gave no ID token")
    return token


def _refusal(answer: "Answer") -> IssuerError | NotSignedInError:
    try:
        reason = shown(read_object(answer.body, "").get("error"))
    except IssuerError:
        reason = ""
    if answer.status == 400 and reason == "invalid_grant":
        return NotSignedInError("the issuer does not take this sign-in's code: it was used, or is another sign-in's")
    return IssuerError(f"the issuer's token endpoint answers {answer.status}{reason and ': '}{reason}")
