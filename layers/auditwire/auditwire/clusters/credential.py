"""What a request presents to prove who it is: a bearer token, a Basic password, or a secret in the path.

A credential is 1 to 512 characters of ``A-Z a-z 0-9 . _ ~ + / = -`` (RFC 6750's b64token). Keeping to those
makes every road safe without quoting: two Authorization headers joined by a proxy's comma are no credential,
and a path that was URL-decoded once too often still means the same.
"""

import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

EVENT_PATH: Final = "/audit/webhook/event"

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}")
# Base64 of a cluster name, a colon and the longest token; anything longer need not be decoded.
_LONGEST_BASIC = 1_024


@dataclass(frozen=True, slots=True)
class Credential:
    """A presented credential: only its SHA-256, and the cluster it claims to be of (Basic names one).

    The token itself is not kept, so no log, error or traceback can show it.
    """

    digest: str = field(repr=False)
    cluster: str | None = field(default=None, repr=False)


def credential_digest(token: str) -> str:
    """SHA-256 of a credential in hex: how the clusters table knows it."""
    return hashlib.sha256(token.encode()).hexdigest()


def presented(headers: Mapping[str, str], path: str) -> Credential | None:
    """The credential a request presents, or None where there is none that could hold.

    ``path`` is the request's path without the query. An Authorization header that is there decides alone: if
    it cannot be used the answer is None, even where the path carries a good secret. Two header fields that
    differ (``Authorization`` and ``authorization``) cannot be used. An empty header counts as none: proxies
    add such.
    """
    given = {value.strip() for name, value in headers.items() if name.lower() == "authorization"} - {""}
    if len(given) > 1:
        return None
    if given:
        return _from_header(given.pop())
    return _from_path(path)


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
    if len(encoded) > _LONGEST_BASIC:
        return None
    try:
        cluster, colon, token = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return _credential(token, cluster) if colon else None


def _from_path(path: str) -> Credential | None:
    stripped = path.removesuffix("/")
    segment = stripped.removeprefix(EVENT_PATH + "/")
    return None if segment == stripped else _credential(unquote(segment))


def _credential(token: str, cluster: str | None = None) -> Credential | None:
    return Credential(credential_digest(token), cluster) if _TOKEN.fullmatch(token) else None
