"""The issuer as the console knows it: its discovery document and its keys, asked for rarely."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

from auditwire_console.signin.discovery import Provider, discovery_address, read_provider
from auditwire_console.signin.errors import IssuerError
from auditwire_console.signin.keys import Keys, key_for, read_keys

if TYPE_CHECKING:
    import jwt

    from auditwire_console.signin.fetching import Fetch

KEPT: Final = timedelta(hours=1)
"""For how long a document of the issuer is believed without asking again."""

REFETCH_AFTER: Final = timedelta(minutes=1)
"""How often a key that nobody knows makes the console ask for the keys again, at most."""

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Issuer:
    """An issuer of OpenID Connect. Requests at the same time wait for each other, so that one of them asks."""

    def __init__(self, name: str, fetch: "Fetch", now: Callable[[], datetime]) -> None:
        self._name, self._fetch, self._now = name, fetch, now
        self._lock = Lock()
        self._provider: Provider | None = None
        self._provider_since = self._keys_since = self._keys_asked = _NEVER
        self._keys: Keys | None = None

    def provider(self) -> Provider:
        """Its discovery document. Raises IssuerError."""
        with self._lock:
            return self._current_provider()

    def key(self, algorithm: str, kid: str | None) -> "jwt.PyJWK":
        """The key for an algorithm and the name of a key. One that is not known is asked for, once a minute at most.
        Raises IssuerError."""
        with self._lock:
            now = self._now()
            keys = self._keys
            if keys is None or now - self._keys_since >= KEPT:
                keys = self._ask_for_keys(now)
            found = key_for(keys, algorithm, kid)
            if found is None and now - self._keys_asked >= REFETCH_AFTER:
                found = key_for(self._ask_for_keys(now), algorithm, kid)
        if found is None:
            raise IssuerError("the ID token is signed with a key that the issuer does not publish")
        return found

    def _current_provider(self) -> Provider:
        now = self._now()
        if self._provider is None or now - self._provider_since >= KEPT:
            body = self._get(discovery_address(self._name), "discovery document")
            self._provider, self._provider_since = read_provider(body, self._name), now
        return self._provider

    def _ask_for_keys(self, now: datetime) -> Keys:
        self._keys_asked = now
        self._keys = read_keys(self._get(self._current_provider().jwks_uri, "set of keys"))
        self._keys_since = now
        return self._keys

    def _get(self, url: str, what: str) -> bytes:
        answer = self._fetch(url, {"accept": "application/json"})
        if answer.status != 200:
            message = f"the issuer answers {answer.status} for its {what}"
            raise IssuerError(message)
        return answer.body
