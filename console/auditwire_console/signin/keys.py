"""The keys that an issuer publishes, and which of them a token is signed with.

A token's head only says which algorithm and which key it means. Both must be known beforehand: the algorithm from the
list here, the key from the issuer's own address, and of the kind that the algorithm takes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import jwt

from auditwire_console.signin.documents import read_object
from auditwire_console.signin.errors import IssuerError

ALGORITHMS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    **{f"{family}{bits}": ("RSA", ()) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", ("P-256",)),
    "ES384": ("EC", ("P-384",)),
    "ES512": ("EC", ("P-521",)),
    "EdDSA": ("OKP", ("Ed25519", "Ed448")),
}
"""The algorithms that are taken, with the kind of key and the curves that each needs. ``none`` and HS* never are."""

MIN_RSA_BITS: Final = 2048
MAX_KEYS: Final = 200

_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_MAX_MEMBER_LENGTH: Final = 2000

Keys = Sequence[Mapping[str, Any]]


def read_keys(body: bytes) -> Keys:
    """Reads a set of keys. Raises IssuerError if it is none, or has more than 200 keys."""
    found = read_object(body, "the issuer's set of keys").get("keys")
    if not isinstance(found, list) or len(found) > MAX_KEYS:
        message = f"the issuer's set of keys is no list of at most {MAX_KEYS} keys"
        raise IssuerError(message)
    return [key for key in found if isinstance(key, dict)]


def key_for(keys: Keys, algorithm: str, kid: str | None) -> jwt.PyJWK | None:
    """The one key with this name, or without a name the only one, that the algorithm takes; None if there is none.

    Raises IssuerError if several fit, or if the one that fits cannot be used.
    """
    fitting = [key for key in keys if _fits(key, algorithm) and (kid is None or key.get("kid") == kid)]
    if not fitting:
        return None
    if len(fitting) > 1:
        raise IssuerError("several keys of the issuer could have signed the ID token, and it does not say which one")
    kind = ALGORITHMS[algorithm][0]
    # Only what makes up the public key is handed on: what else stands there has no say in how it is used.
    members = {name: fitting[0].get(name) for name in ("kty", *_MEMBERS[kind])}
    if any(not isinstance(value, str) or len(value) > _MAX_MEMBER_LENGTH for value in members.values()):
        raise IssuerError("the issuer's key cannot be read")
    try:
        key = jwt.PyJWK(members, algorithm)
    except (jwt.PyJWTError, ValueError) as error:
        raise IssuerError("the issuer's key cannot be read") from error
    if kind == "RSA" and key.key.key_size < MIN_RSA_BITS:
        message = f"the issuer's RSA key has {key.key.key_size} bits; {MIN_RSA_BITS} are needed"
        raise IssuerError(message)
    return key


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind, curves = ALGORITHMS[algorithm]
    if key.get("kty") != kind or (curves and key.get("crv") not in curves):
        return False
    # A key whose private part is published proves nothing.
    if "d" in key or key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    operations = key.get("key_ops", ["verify"])
    return isinstance(operations, list) and "verify" in operations
