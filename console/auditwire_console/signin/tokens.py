"""An ID token: whether the issuer signed it, and what it claims."""

from collections.abc import Callable
from typing import Any, Final

import jwt

from auditwire_console.signin.documents import read_object, shown
from auditwire_console.signin.errors import IssuerError
from auditwire_console.signin.keys import ALGORITHMS

FindKey = Callable[[str, str | None], jwt.PyJWK]
"""Gives the key for an algorithm and the name of a key, or raises IssuerError."""

_OPTIONS: Final[Any] = {"verify_signature": True, "enforce_minimum_key_length": True}
_jws: Final = jwt.PyJWS()


def read_token(token: str, find_key: FindKey) -> dict[str, Any]:
    """The claims of an ID token that the issuer signed; they are not looked at yet. Raises IssuerError.

    Keys in the head, and addresses of keys (``jwk``, ``jku``, ``x5c``, ``x5u``), are not looked at either.
    """
    try:
        head = jwt.get_unverified_header(token)
        algorithm = head.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            message = f"ID tokens are signed by RS, PS, ES or EdDSA, and this one says {shown(algorithm) or 'nothing'}"
            raise IssuerError(message)
        # What is critical must be understood, and here nothing of it is.
        if "crit" in head:
            raise IssuerError("the ID token has a critical extension, and the console knows none")
        key = find_key(algorithm, head.get("kid"))
        signed = _jws.decode_complete(token, key, algorithms=[algorithm], options=_OPTIONS)
    except jwt.InvalidSignatureError as error:
        raise IssuerError("the issuer did not sign this ID token") from error
    except (jwt.PyJWTError, ValueError) as error:
        raise IssuerError("the ID token cannot be read") from error
    return read_object(signed["payload"], "what the ID token claims")
