"""Does what an HTTP API's JWT authorizer does: it verifies the token of a request before the function is called.

On one machine nobody signs as Google does. So an issuer with a key of its own stands in for every issuer that the
template names, and makes the tokens for trying.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from auditwire_local.errors import DeployError

_ALGORITHM = "RS256"
_IDENTITY_SOURCE = "$request.header.Authorization"
_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class Authorizer:
    """What a deployed JWT authorizer asks for."""

    issuer: str
    audiences: tuple[str, ...]


class Issuer:
    """Signs tokens with a key of its own, and verifies them with no other."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)

    @property
    def private_key(self) -> str:
        """The key in PEM, for other programs that make tokens."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def token(self, claims: Mapping[str, Any], *, seconds: float = 3_600) -> str:
        """A token with these claims that ends after so many seconds."""
        now = int(time.time())
        return jwt.encode({"iat": now, "exp": int(now + seconds), **claims}, self._key, _ALGORITHM)

    def claims_of(self, authorization: str, authorizer: Authorizer) -> dict[str, str] | None:
        """The claims of the token in an Authorization header, as texts; None where the authorizer would refuse it."""
        token = authorization.removeprefix("Bearer ").removeprefix("bearer ").strip()
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                [_ALGORITHM],
                audience=authorizer.audiences,
                issuer=authorizer.issuer,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError:
            return None
        return {name: _text(value) for name, value in claims.items()}


def authorizers(body: Mapping[str, Any]) -> dict[str, Authorizer]:
    """The authorizers of an API's OpenAPI document, by name. Raises DeployError for what is not understood."""
    found = {}
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        given = scheme.get("x-amazon-apigateway-authorizer", {})
        settings = given.get("jwtConfiguration", {})
        if given.keys() != {"type", "identitySource", "jwtConfiguration"} or (
            given["type"] != "jwt"
            or given["identitySource"] != _IDENTITY_SOURCE
            or settings.keys() != {"issuer", "audience"}
        ):
            msg = f"the local system does not know what the authorizer {name} asks for"
            raise DeployError(msg)
        found[name] = Authorizer(settings["issuer"], tuple(settings["audience"]))
    return found


def _text(value: Any) -> str:
    """A claim as API Gateway passes it on."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{' '.join(map(str, value))}]" if isinstance(value, list) else str(value)
