"""One Alertmanager and its v2 API. Uses http.client, which follows no redirects, knows no proxies, and starts fastest.

(http.client takes 25 ms of processor time to import, urllib3 75, urllib.request 35.)
"""

import http.client
import re
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

import orjson

from auditwire.alerts.answer_deadline import responses_until
from auditwire.alerts.errors import PeerAddressError, PeerError
from auditwire.alerts.text import annotation_value

ALERTS_PATH: Final = "/api/v2/alerts"

_MAX_CONNECT_SECONDS: Final = 3.0
_MAX_READ_SECONDS: Final = 10.0
_MAX_ANSWER_LENGTH: Final = 65_536
_MAX_LIST_LENGTH: Final = 64 << 20
_PEM: Final = "-----BEGIN"
_KNOWN_PATH = re.compile(r"(/api/v[12](/alerts)?)?/*$")
_HEADER_SAFE = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What auditwire shows to an Alertmanager, and the CA that its certificate is checked against. Nothing of it is
    ever printed."""

    authorization: str = field(default="", repr=False)
    ca: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """An answer about alerts: the HTTP status, and the text, as one line of at most 200 characters."""

    status: int
    detail: str = ""

    @property
    def taken(self) -> bool:
        """Whether the peer took the alerts."""
        return 200 <= self.status < 300


class Peer(Protocol):
    """One Alertmanager."""

    @property
    def url(self) -> str:
        """Its address as logs and metrics show it, without secrets."""

    def post(self, alerts: bytes, seconds: float) -> PeerAnswer:
        """Posts a JSON list of alerts. Raises PeerError if there is no answer within ``seconds``."""


def parse_credentials(secret: str) -> Credentials:
    """Reads the credentials in a secret: JSON with ``username`` and ``password``, or ``token``, and optionally ``ca``
    (PEM).

    Raises PeerAddressError, whose message says what is expected but nothing of what was found.
    """
    try:
        found = orjson.loads(secret)
    except orjson.JSONDecodeError:
        found = None
    match found:
        case {"token": str(token)} if _HEADER_SAFE.fullmatch(token):
            authorization = f"Bearer {token}"
        case {"username": str(username), "password": str(password)} if ":" not in username:
            authorization = "Basic " + b64encode(f"{username}:{password}".encode()).decode()
        case {"ca": str()}:
            authorization = ""
        case _:
            message = 'the Alertmanager secret must be JSON like {"username": …, "password": …} or {"token": …}'
            raise PeerAddressError(message)
    return Credentials(authorization, ca if isinstance(ca := found.get("ca"), str) else "")


class AlertmanagerPeer:
    """A Peer at an http or https address, which may have a path prefix.

    ``ca`` is one or more certificates in PEM, or the same in base64 as in a caBundle of Kubernetes. It replaces the
    system's certificates. Raises PeerAddressError for an address that contains credentials, has no host, or has another
    scheme.
    """

    def __init__(
        self,
        url: str,
        *,
        credentials: Credentials | None = None,
        ca: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise PeerAddressError("an Alertmanager address cannot be read") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = (
                f"{annotation_value(parts.scheme, 20)!r}… is not an Alertmanager address: http://host:9093 or https://…"
            )
            raise PeerAddressError(message)
        if "@" in parts.netloc:
            message = f"the address of {parts.hostname} contains credentials; they belong in the Alertmanager secret"
            raise PeerAddressError(message)
        prefix = _KNOWN_PATH.sub("", parts.path)
        credentials = credentials or Credentials()
        self.url: Final = f"{parts.scheme}://{parts.netloc}{prefix}"
        self._host = parts.hostname
        self._port = port
        self._path = prefix + ALERTS_PATH
        self._tls = _tls(self.url, ca or credentials.ca) if parts.scheme == "https" else None
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", "Connection": "close"}
        if credentials.authorization:
            self._headers["Authorization"] = credentials.authorization
        self._clock = clock

    def post(self, alerts: bytes, seconds: float) -> PeerAnswer:
        """Posts a JSON list of alerts; see Peer.post. Connecting takes at most 3 seconds of it, all the rest 10."""
        ends = self._clock() + seconds
        connection = self._connection(min(_MAX_CONNECT_SECONDS, seconds))
        try:
            connection.connect()
            ends = min(ends, self._clock() + _MAX_READ_SECONDS)
            connection.sock.settimeout(max(0.001, ends - self._clock()))
            connection.response_class = responses_until(ends, self._clock)
            connection.request("POST", self._path, alerts, self._headers)
            response = connection.getresponse()
            text = response.read(_MAX_ANSWER_LENGTH).decode("utf-8", "replace")
        except TimeoutError as error:
            raise PeerError("timeout") from error
        except (OSError, http.client.HTTPException) as error:
            raise PeerError(annotation_value(f"{type(error).__name__}: {error}", 200)) from error
        finally:
            connection.close()
        return PeerAnswer(response.status, annotation_value(text.strip(), 200))

    def find(self, label: str, value: str, seconds: float) -> list[dict[str, Any]]:
        """The active alerts with this value of a label. Raises PeerError."""
        path = f"{self._path}?{urlencode({'filter': f'{label}={orjson.dumps(value).decode()}'})}"
        connection = self._connection(seconds)
        try:
            connection.request("GET", path, headers=self._headers)
            response = connection.getresponse()
            text = response.read(_MAX_LIST_LENGTH)
            found = orjson.loads(text) if response.status == 200 else None
        except (OSError, http.client.HTTPException, orjson.JSONDecodeError) as error:
            raise PeerError(annotation_value(f"{type(error).__name__}: {error}", 200)) from error
        finally:
            connection.close()
        if not isinstance(found, list):
            raise PeerError(f"does not list its alerts: {response.status}")
        # Not every receiver knows filters.
        return [alert for alert in found if isinstance(alert, dict) and alert.get("labels", {}).get(label) == value]

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)


def _tls(url: str, ca: str) -> ssl.SSLContext:
    if not ca:
        return ssl.create_default_context()
    try:
        pem = ca if _PEM in ca else b64decode(ca).decode("ascii")
        # Without this check an empty text would select the system's certificates.
        if _PEM in pem:
            return ssl.create_default_context(cadata=pem)
    except (ValueError, ssl.SSLError):
        pass
    raise PeerAddressError(f"the CA of {url} is not a certificate in PEM")
