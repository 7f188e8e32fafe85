"""Where bodies are sent and with which credential, and what keeps that credential private."""

import os
from base64 import b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, urlsplit

from auditwire.senders.paths import EVENT_PATH
from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_file, read_text

CREDENTIAL_VARIABLE = "AUDITWIRE_CREDENTIAL"


class Auth(StrEnum):
    """How the credential is sent: as a bearer token, as the Basic password of the cluster, or in the path."""

    BEARER = "bearer"
    BASIC = "basic"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as one cluster sees it. ``url`` has no path; the credential is never shown."""

    url: str
    credential: str = field(repr=False)
    cluster: str = ""
    auth: Auth = Auth.BEARER
    ca_file: str | None = None

    @property
    def target(self) -> str:
        """The whole URL to post to. It may have the credential in it, so it is never shown."""
        secret = f"/{quote(self.credential, safe='')}" if self.auth is Auth.PATH else ""
        return self.url + EVENT_PATH + secret

    @property
    def headers(self) -> dict[str, str]:
        """The header Authorization, if the credential is sent in it."""
        match self.auth:
            case Auth.BEARER:
                return {"Authorization": f"Bearer {self.credential}"}
            case Auth.BASIC:
                pair = b64encode(f"{self.cluster}:{self.credential}".encode()).decode()
                return {"Authorization": f"Basic {pair}"}
            case Auth.PATH:
                return {}


def read_credential(file: Path | None) -> str:
    """The credential in this file, or else in the environment; never in an argument, where `ps` shows it.

    Raises UsageError where there is none, and for one that could not be sent in a header.
    """
    if file is not None:
        credential, origin = read_text(file, "the credential").strip(), str(file)
    else:
        credential, origin = os.environ.get(CREDENTIAL_VARIABLE, "").strip(), CREDENTIAL_VARIABLE
        if not credential:
            raise UsageError(
                "no credential is given",
                f"put it into a file and give --credential-file, or into the variable {CREDENTIAL_VARIABLE}",
            )
    if not credential or not credential.isascii() or any(not 32 < ord(sign) < 127 for sign in credential):
        raise UsageError(f"there is no credential in {origin}", "it is one line of printable ASCII")
    return credential


def checked_url(url: str, *, plain_http: bool) -> str:
    """The endpoint's URL without a final slash and without the event path.

    Raises UsageError for what is not an http or https URL, and, unless ``plain_http``, for plain http to another
    machine: everybody on the network between could read the credential.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise UsageError(
            f"this is not the URL of an endpoint: {url}",
            "give one like https://abc123.execute-api.eu-west-1.amazonaws.com",
        )
    if parts.query or parts.fragment or parts.username:
        raise UsageError("the endpoint URL cannot have a query, a fragment or a user name", "leave them out")
    if parts.scheme == "http" and not plain_http and not is_loopback(host):
        raise UsageError(
            f"the credential would go to {host} over plain http, where others can read it",
            "give an https URL, or --plain-http if nobody else is on that network",
        )
    return url.rstrip("/").removesuffix(EVENT_PATH)


def is_loopback(host: str) -> bool:
    """Whether this host is this machine, by its name or address alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked_ca_file(ca_file: Path | None) -> str | None:
    """The path of the CA file as text. Raises UsageError when there is no certificate in it."""
    if ca_file is None:
        return None
    import ssl

    try:
        ssl.create_default_context(cadata=read_file(ca_file, "the certificates in").decode("latin-1"))
    except (OSError, ValueError):
        raise UsageError(f"there is no PEM certificate in {ca_file}", "give the CA certificates in PEM") from None
    return str(ca_file)
