"""Posting bodies to the endpoint: over kept connections, with growing waits between attempts, never to a redirect."""

import random
import time
from dataclasses import dataclass, field
from threading import Event
from typing import Self

import urllib3
from urllib3.exceptions import HTTPError, SSLError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from auditwire_cli.send.endpoint import Endpoint

# These statuses are not about one body: every other request of this run would be answered in the same way.
HOPELESS = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405})
_PASSING = frozenset({408, 429})
_FIRST_WAIT = 0.5
_MAX_WAIT = 8.0
# kube-apiserver waits 30 s for an answer; a second more lets the server's own limit speak first.
_TIMEOUT = urllib3.Timeout(connect=5.0, read=31.0)


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """What became of one body: the last HTTP status, or None and the reason; the seconds of all attempts."""

    status: int | None
    reason: str
    attempts: int
    seconds: float

    @property
    def delivered(self) -> bool:
        """Whether the endpoint said that everything is stored: 200, nothing else."""
        return self.status == 200

    @property
    def hopeless(self) -> bool:
        """Whether every other body of this run would be answered in the same way."""
        return self.status in HOPELESS


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts bodies to one endpoint over ``connections`` kept connections; safe to share between threads.

    A body is sent once, and then again up to ``retries`` times where that may help: no answer, 408, 429, 5xx. The
    waits between attempts double from half a second to eight, and are up to a fifth longer at random. ``stop`` ends
    them.
    """

    endpoint: Endpoint
    retries: int = 4
    compress: bool = False
    connections: int = 4
    stop: Event = field(default_factory=Event)
    pool: urllib3.PoolManager = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pool = urllib3.PoolManager(
            maxsize=self.connections, block=True, timeout=_TIMEOUT, ca_certs=self.endpoint.ca_file
        )
        object.__setattr__(self, "pool", pool)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.clear()

    def post(self, body: bytes) -> PostAnswer:
        """Send one body until it is answered for good or there are no attempts left; never raises."""
        headers = {**self.endpoint.headers, "Content-Type": "application/json"}
        if self.compress:
            from isal import igzip

            # API Gateway passes application/json on as text, which breaks gzip, but this type as base64.
            headers |= {"Content-Type": "application/gzip", "Content-Encoding": "gzip"}
            body = igzip.compress(body, mtime=0)
        started = time.monotonic()
        wait = _FIRST_WAIT
        attempt = 0
        while True:
            attempt += 1
            status, reason = self._try(body, headers)
            again = status is None or status >= 500 or status in _PASSING
            if not again or attempt > self.retries or self.stop.wait(wait * random.uniform(1, 1.2)):  # noqa: S311
                return PostAnswer(status, reason, attempt, time.monotonic() - started)
            wait = min(2 * wait, _MAX_WAIT)

    def _try(self, body: bytes, headers: dict[str, str]) -> tuple[int | None, str]:
        try:
            answer = self.pool.request(
                "POST", self.endpoint.target, body=body, headers=headers, redirect=False, retries=False
            )
        except (HTTPError, OSError) as error:
            return None, _reason(error)
        return answer.status, answer.reason or ""


def _reason(error: Exception) -> str:
    """Why there was no answer, without the URL, which may have the credential in it."""
    if isinstance(error, SSLError):
        return f"TLS failed: {getattr(error.args[0], 'verify_message', '') or 'no common ground'}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return "no answer in time" if isinstance(error, Urllib3TimeoutError) else "the connection broke"
