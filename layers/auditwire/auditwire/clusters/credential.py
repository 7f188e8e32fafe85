"""What a request presents to prove who it is: a bearer token, a Basic password, a secret in the path, and on a
mutual-TLS domain a client certificate.

A credential is 1 to 512 characters of ``A-Z a-z 0-9 . _ ~ + / = -`` (RFC 6750's b64token). Keeping to those
makes every road safe without quoting: two Authorization headers joined by a proxy's comma are no credential,
and a path that was URL-decoded once too often still means the same.
"""

import binascii
import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote

from auditwire.senders.paths import EVENT_PATH

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}")
# Base64 of a cluster name, a colon and the longest token; anything longer need not be decoded.
_MAX_BASIC_LENGTH = 1_024
# Certificates are one to two kilobytes; API Gateway takes up to four certificates of 64 kB altogether.
_MAX_PEM_LENGTH = 65_536
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_SEQUENCE = 0x30


class CredentialKind(StrEnum):
    """What a row of the clusters table proves a sender by. The word is for people and scripts.

    ``prefix`` is how the keys of such rows begin, so that a key of one kind never equals a key of another. A digest of
    a token has none.
    """

    prefix: str

    TOKEN = "token", ""
    CERTIFICATE = "certificate", "cert:"

    def __new__(cls, word: str, prefix: str) -> "CredentialKind":
        """A member: its word, and the prefix of its keys."""
        kind = str.__new__(cls, word)
        kind._value_ = word
        kind.prefix = prefix
        return kind

    @classmethod
    def of(cls, key: str) -> "CredentialKind":
        """The kind of the row with this key."""
        return next((kind for kind in cls if kind.prefix and key.startswith(kind.prefix)), cls.TOKEN)


@dataclass(frozen=True, slots=True)
class Credential:
    """A presented credential: only its SHA-256, and the cluster it claims to be of (Basic names one).

    ``certificate`` is the key of a client certificate that came beside a header or a path segment: both must
    belong to the same cluster. A certificate alone is the ``digest`` itself. The token is not kept, so no log,
    error or traceback can show it.
    """

    digest: str = field(repr=False)
    cluster: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)


def credential_digest(token: str) -> str:
    """SHA-256 of a credential in hex: how the clusters table knows it."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_credential(token: str) -> bool:
    """Whether a text may be a credential at all."""
    return _TOKEN.fullmatch(token) is not None


def certificate_digest(pem: str) -> str | None:
    """``cert:`` and the SHA-256 of a certificate's DER form in hex, as the clusters table knows it.

    That is the fingerprint which ``openssl x509 -fingerprint -sha256`` shows. The first certificate of the text
    counts; None where there is none. Whether it is valid and by whom it is signed is checked by API Gateway.
    """
    found = _PEM.search(pem) if len(pem) <= _MAX_PEM_LENGTH else None
    if found is None:
        return None
    try:
        der = b64decode("".join(found[1].split()), validate=True)
    except binascii.Error:
        return None
    return (
        CredentialKind.CERTIFICATE.prefix + hashlib.sha256(der).hexdigest() if der[:1] == bytes([_SEQUENCE]) else None
    )


def presented(headers: Mapping[str, str], path: str, certificate: str | None = None) -> Credential | None:
    """The credential a request presents, or None where there is none that could hold.

    ``path`` is the request's path without the query, ``certificate`` the PEM of the client certificate that API
    Gateway verified, None where it asked for none. An Authorization header that is there decides alone: if it
    cannot be used the answer is None, even where the path or the certificate would be good. Two header fields that
    differ (``Authorization`` and ``authorization``) cannot be used. An empty header counts as none: proxies
    add such. Nor may a certificate be unreadable, whatever else is presented.
    """
    key = None if certificate is None else certificate_digest(certificate)
    if certificate is not None and key is None:
        return None
    given = {value.strip() for name, value in headers.items() if name.lower() == "authorization"} - {""}
    if len(given) > 1:
        return None
    if given:
        found = _from_header(given.pop())
    elif (segment := _segment(path)) is not None:
        found = _credential(unquote(segment))
    else:
        return Credential(key) if key else None
    return Credential(found.digest, found.cluster, key) if found else None


def _from_header(value: str) -> Credential | None:
    scheme, _, rest = value.partition(" ")
    match scheme.lower():
        case "bearer":
            return _credential(rest.strip())
        case "basic":
            return _from_basic(rest.strip())
        case _:
            return None


def _from_basic(encoded: str) -> Credential | None:
    if len(encoded) > _MAX_BASIC_LENGTH:
        return None
    try:
        cluster, colon, token = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return _credential(token, cluster) if colon else None


def _segment(path: str) -> str | None:
    """What stands behind the event path, None where nothing does."""
    stripped = path.removesuffix("/")
    segment = stripped.removeprefix(EVENT_PATH + "/")
    return None if segment == stripped else segment


def _credential(token: str, cluster: str | None = None) -> Credential | None:
    return Credential(credential_digest(token), cluster) if is_credential(token) else None
