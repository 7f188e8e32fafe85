"""What a request presents to prove who sent it: a bearer token, a Basic password, a secret in the path, the access key
of Firehose, claims of a token that API Gateway verified, or, on a mutual-TLS domain, a client certificate.

A credential is 1 to 512 characters of ``A-Z a-z 0-9 . _ ~ + / = -`` (RFC 6750's b64token). These characters need no
quoting anywhere. Two Authorization headers joined by a proxy's comma are not a credential, and a path that was
URL-decoded once too often still means the same.
"""

import binascii
import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from auditwire.senders.paths import EVENT_PATH, FIREHOSE_PATH, GKE_PATH

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}")
# Base64 of a cluster name, a colon and the longest token. Anything longer need not be decoded.
_MAX_BASIC_LENGTH = 1_024
# Certificates have one to two kilobytes. API Gateway accepts up to four certificates of 64 kB altogether.
_MAX_PEM_LENGTH = 65_536
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_SEQUENCE = 0x30
# Of an object's key. Each is a read of the table, and whoever may write to the bucket chooses them.
_MAX_FOLDERS = 32
_EMAIL = re.compile(r"[^@:\s]{1,64}@[A-Za-z0-9.-]{1,190}")


class CredentialKind(StrEnum):
    """What a row of the clusters table identifies a sender by. The word is for people and scripts.

    The keys of such rows begin with ``prefix``, so that a key of one kind never equals a key of another. The digest of
    a token has no prefix. Keys of the kinds ``is_name`` name somebody whom a cloud has identified; they are no secret.
    """

    prefix: str

    TOKEN = "token", ""
    CERTIFICATE = "certificate", "cert:"
    LOG_GROUP = "log group", "awslogs:"
    ACCOUNT = "account", "oidc:"
    BUCKET = "bucket", "s3:"

    @property
    def is_name(self) -> bool:
        """Whether the key of such a row is a name and not a digest."""
        return self in (CredentialKind.LOG_GROUP, CredentialKind.ACCOUNT, CredentialKind.BUCKET)

    def __new__(cls, word: str, prefix: str) -> "CredentialKind":
        """A member, from its word and the prefix of its keys."""
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
    """A presented credential: its SHA-256, and the cluster it claims to be of (Basic names one).

    ``certificate`` is the key of a client certificate that came beside a header or a path segment; both must belong to
    the same cluster. For a certificate alone, ``digest`` is its key. The token is not kept, so no log, error or
    traceback can show it.
    """

    digest: str = field(repr=False)
    cluster: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)


def credential_digest(token: str) -> str:
    """The SHA-256 of a credential in hex, which is its key in the clusters table."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_credential(token: str) -> bool:
    """Whether a text has the form of a credential."""
    return _TOKEN.fullmatch(token) is not None


def certificate_digest(pem: str) -> str | None:
    """The key of a certificate in the clusters table: ``cert:`` and the SHA-256 of its DER form in hex.

    ``openssl x509 -fingerprint -sha256`` shows the same digest. Only the first certificate of the text counts; None if
    there is none. API Gateway checks whether it is valid and who signed it.
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


def log_group_key(account: str, region: str, group: str) -> str:
    """The key in the clusters table of a log group in CloudWatch Logs."""
    return f"{CredentialKind.LOG_GROUP.prefix}{account}:{region}:{group}"


def log_group_of(key: str) -> str | None:
    """The log group that a key names; None for a key of another kind."""
    if CredentialKind.of(key) is not CredentialKind.LOG_GROUP:
        return None
    return key.removeprefix(CredentialKind.LOG_GROUP.prefix).split(":", 2)[-1]


def bucket_key(bucket: str, prefix: str) -> str:
    """The key in the clusters table of the objects below a prefix, which ends in a slash or is empty."""
    return f"{CredentialKind.BUCKET.prefix}{bucket}/{prefix}"


def bucket_keys(bucket: str, key: str) -> list[str]:
    """The keys in the clusters table that an object may belong to, the longest prefix first."""
    folders = key.split("/")[:-1][:_MAX_FOLDERS]
    return [
        bucket_key(bucket, "".join(f"{name}/" for name in folders[:depth])) for depth in range(len(folders), -1, -1)
    ]


def is_email(text: str) -> bool:
    """Whether a text may be the address of an account."""
    return _EMAIL.fullmatch(text) is not None


def account_key(issuer: str, email: str) -> str:
    """The key in the clusters table of an account whose tokens this issuer signs."""
    return f"{CredentialKind.ACCOUNT.prefix}{issuer}:{email}"


def presented(
    headers: Mapping[str, str], path: str, certificate: str | None = None, claims: Mapping[str, Any] | None = None
) -> Credential | None:
    """The credential that a request presents; None if it has none that could be valid.

    ``path`` is the request's path without the query. ``certificate`` is the PEM of the client certificate that API
    Gateway verified, None if it asked for none. ``claims`` are those of the token that it verified.

    The path says what counts: on GKE_PATH the claims, on FIREHOSE_PATH the access key, beside which no Authorization
    may stand, and elsewhere the Authorization header, the last segment of the path and the certificate. If there is an
    Authorization header, it alone decides: if it cannot be used the result is None, even if the path or the certificate
    would be good. Two headers that differ (``Authorization`` and ``authorization``) cannot be used. An empty header
    counts as none, because proxies add such headers. An unreadable certificate makes the result None, whatever else is
    presented.
    """
    key = None if certificate is None else certificate_digest(certificate)
    if certificate is not None and key is None:
        return None
    given = _values(headers, "authorization")
    route = path.removesuffix("/")
    if route == GKE_PATH:
        found = _from_claims(claims or {})
    elif route == FIREHOSE_PATH:
        found = None if given else _from_access_key(headers)
    elif len(given) > 1:
        return None
    elif given:
        found = _from_header(given.pop())
    elif (segment := _segment(path)) is not None:
        found = _credential(unquote(segment))
    else:
        return Credential(key) if key else None
    return Credential(found.digest, found.cluster, key) if found else None


def _values(headers: Mapping[str, str], name: str) -> set[str]:
    """The values of a header, whatever the casing of its name; without empty ones."""
    return {value.strip() for given, value in headers.items() if given.lower() == name} - {""}


def _from_access_key(headers: Mapping[str, str]) -> Credential | None:
    keys = _values(headers, "x-amz-firehose-access-key")
    return _credential(keys.pop()) if len(keys) == 1 else None


def _from_claims(claims: Mapping[str, Any]) -> Credential | None:
    """The account that a verified token names. Who it was made for proves nothing: anybody can have a token made for
    any audience, so only the account counts, and only one that its issuer has verified."""
    issuer, email = claims.get("iss"), claims.get("email")
    # API Gateway passes every claim on as a text.
    if claims.get("email_verified") not in (True, "true") or not isinstance(issuer, str) or not isinstance(email, str):
        return None
    return Credential(account_key(issuer, email)) if issuer and is_email(email) else None


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
    """What follows the event path; None if nothing does."""
    stripped = path.removesuffix("/")
    segment = stripped.removeprefix(EVENT_PATH + "/")
    return None if segment == stripped else segment


def _credential(token: str, cluster: str | None = None) -> Credential | None:
    return Credential(credential_digest(token), cluster) if is_credential(token) else None
