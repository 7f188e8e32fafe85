"""Where bodies are sent and with which credential, and the rules that keep that credential private."""

import json
import os
from base64 import b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from auditwire.senders.paths import EVENT_PATH
from auditwire_cli.errors import CallError

CREDENTIAL_VARIABLE = "AUDITWIRE_CREDENTIAL"
DEFAULT_STATE = Path(".auditwire/dev.json")


class Auth(StrEnum):
    """How the credential travels: as bearer token, as Basic password of the cluster, or in the path."""

    BEARER = "bearer"
    BASIC = "basic"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as one cluster sees it. ``url`` is without path; the credential is never shown."""

    url: str
    credential: str = field(repr=False)
    cluster: str = ""
    auth: Auth = Auth.BEARER
    ca_file: str | None = None

    @property
    def target(self) -> str:
        """The whole URL to post to; it holds the credential when that travels there, so not for showing."""
        secret = f"/{quote(self.credential, safe='')}" if self.auth is Auth.PATH else ""
        return self.url + EVENT_PATH + secret

    @property
    def headers(self) -> dict[str, str]:
        """The authorisation header, if the credential travels in one."""
        match self.auth:
            case Auth.BEARER:
                return {"Authorization": f"Bearer {self.credential}"}
            case Auth.BASIC:
                pair = b64encode(f"{self.cluster}:{self.credential}".encode()).decode()
                return {"Authorization": f"Basic {pair}"}
            case Auth.PATH:
                return {}


@dataclass(frozen=True, slots=True)
class State:
    """The state file of ``auditwire dev``: its endpoint, its AWS, and the credentials of its clusters."""

    url: str
    ca_file: str | None
    credentials: dict[str, str] = field(repr=False)
    senders: dict[str, str]

    def endpoint(self, cluster: str, auth: Auth) -> Endpoint:
        """The endpoint as that cluster sees it; CallError for a cluster the state file does not have."""
        if cluster not in self.credentials:
            known = ", ".join(sorted(self.credentials)) or "none"
            raise CallError(f"the state file has no cluster {cluster!r}", f"it has: {known}")
        return Endpoint(self.url, self.credentials[cluster], cluster, auth, self.ca_file)

    def cluster_of(self, sender: str) -> str:
        """The first cluster whose events come from that kind of sender, or the first of all."""
        matching = [name for name, kind in self.senders.items() if kind == sender]
        return next(iter(matching or self.senders), "")


def read_state(path: Path) -> State:
    """The state file at ``path``. Raises CallError when there is none or it is not one."""
    try:
        content: Any = json.loads(path.read_bytes())
        clusters = content["clusters"].items()
        return State(
            url=content["url"].rstrip("/"),
            ca_file=content.get("ca_file"),
            credentials={name: str(entry["credential"]) for name, entry in clusters},
            senders={name: str(entry["sender"]) for name, entry in clusters},
        )
    except FileNotFoundError:
        raise CallError(f"no state file at {path}", "start `auditwire dev` first, or give --url") from None
    except OSError as error:
        raise CallError(f"cannot read the state file {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CallError(f"{path} is not a state file of `auditwire dev`") from None


def read_credential(file: Path | None) -> str:
    """The credential from that file, else from the environment; never from an argument, where `ps` shows it.

    Raises CallError when there is none, or when it could not stand in a header.
    """
    if file is not None:
        try:
            credential, origin = file.read_text(encoding="utf-8").strip(), str(file)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise CallError(f"cannot read the credential from {file}: {reason}") from None
    else:
        credential, origin = os.environ.get(CREDENTIAL_VARIABLE, "").strip(), CREDENTIAL_VARIABLE
        if not credential:
            raise CallError(
                "no credential given",
                f"put it in a file and give --credential-file, or in the variable {CREDENTIAL_VARIABLE}",
            )
    if not credential or not credential.isascii() or any(not 32 < ord(sign) < 127 for sign in credential):
        raise CallError(f"what {origin} holds is no credential: one line of printable ASCII is expected")
    return credential


def checked_url(url: str, *, plain_http: bool) -> str:
    """The endpoint's URL without a final slash or the event path.

    Raises CallError for what is no http(s) URL, and for plain http to another machine unless ``plain_http``:
    the credential would cross the network readable by all.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise CallError(
            f"not an endpoint URL: {url}", "give one like https://abc123.execute-api.eu-west-1.amazonaws.com"
        )
    if parts.query or parts.fragment or parts.username:
        raise CallError("the endpoint URL may not hold a query, a fragment or a user name")
    if parts.scheme == "http" and not plain_http and not is_loopback(host):
        raise CallError(
            f"a credential would go to {host} over plain http, readable on the way",
            "give an https URL, or --plain-http if that network is yours alone",
        )
    return url.rstrip("/").removesuffix(EVENT_PATH)


def is_loopback(host: str) -> bool:
    """Whether that host is this machine, judged by its name or address alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked_ca_file(ca_file: Path | None) -> str | None:
    """The path of the CA file as text. Raises CallError when it holds no certificate."""
    if ca_file is None:
        return None
    import ssl

    try:
        ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError):
        raise CallError(f"no certificate can be read from {ca_file}") from None
    return str(ca_file)
