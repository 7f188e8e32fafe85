"""Which Alertmanagers receive alerts: those in the function's configuration, or else the receivers of the document."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.alerts.alertmanager import AlertmanagerPeer, Credentials, Peer, parse_credentials
from auditwire.alerts.errors import PeerAddressError

if TYPE_CHECKING:
    from auditwire.rules import Receiver

NO_PEERS: Final = (
    "no Alertmanager to deliver to: set the parameter AlertmanagerUrls, or name receivers in the Webhook document;"
    " the alerts go to the dead-letter queue, from where `auditwire dlq redrive` sends them again"
)
NOT_KNOWN: Final = (
    "it is not known to which Alertmanagers alerts go: AlertmanagerUrls is empty, and no rules of the bucket could be"
    " read; the alerts stay in the queue"
)

_SECRET_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Peers:
    """The usable peers in order, each address once, and one sentence for each problem.

    ``none_configured`` says why there are none: nobody has named any. It is False if addresses or rules cannot be read.
    """

    peers: tuple[Peer, ...]
    problems: tuple[str, ...] = ()
    none_configured: bool = False


def peers_of(
    urls: Iterable[str], receivers: "Iterable[Receiver] | None" = (), credentials: Credentials | None = None
) -> Peers:
    """The peers at these addresses, or, if there are none, at those of the receivers (None: they are not known).

    An unusable address never keeps the others from getting alerts. Receivers never get the credentials, since anybody
    who may write a rule document could name an address of their own.
    """
    wanted: Sequence[tuple[str, str]] = [(url.strip(), "") for url in urls if url.strip()]
    if not wanted:
        if receivers is None:
            return Peers((), (NOT_KNOWN,))
        wanted = [(one.url, one.ca_bundle or "") for one in receivers]
        credentials = None
    if not wanted:
        return Peers((), (NO_PEERS,), none_configured=True)
    peers: dict[str, Peer] = {}
    problems: list[str] = []
    for url, ca in wanted:
        try:
            peer = AlertmanagerPeer(url, credentials=credentials, ca=ca)
        except PeerAddressError as error:
            problems.append(str(error))
        else:
            peers.setdefault(peer.url, peer)
    return Peers(tuple(peers.values()), tuple(problems))


class PeerSource:
    """The current peers, made anew only when receivers or credentials have changed.

    ``receivers`` is called only if there are no ``urls``; it returns None while they are not known. ``read_secret``
    returns the text of the Alertmanager secret (None: there are no credentials). It is called when the credentials are
    first needed, every 5 minutes of ``clock``, and after ``doubt()``.
    """

    def __init__(
        self,
        urls: Sequence[str],
        receivers: "Callable[[], Sequence[Receiver] | None]" = tuple,
        read_secret: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._urls = urls
        self._receivers = receivers
        self._read_secret = read_secret
        self._clock = clock
        self._read_at: float | None = None
        self._credentials: Credentials | None = None
        self._made_of: object = ()
        self._peers = Peers(())

    def current(self) -> Peers:
        """The peers. If the secret cannot be read, the last one is used. If there never was one, there are no peers,
        and a problem says why."""
        try:
            credentials = self._current_credentials()
        except PeerAddressError as error:
            return Peers((), (str(error),))
        found = () if self._urls else self._receivers()
        receivers = None if found is None else tuple(found)
        if (receivers, credentials) != self._made_of:
            self._peers = peers_of(self._urls, receivers, credentials)
            self._made_of = (receivers, credentials)
        return self._peers

    def doubt(self) -> None:
        """Makes the next call read the secret again, because a peer has just refused these credentials."""
        self._read_at = None

    def _current_credentials(self) -> Credentials | None:
        if self._read_secret is None:
            return None
        now = self._clock()
        if self._read_at is None or not 0 <= now - self._read_at < _SECRET_SECONDS:
            try:
                self._credentials = parse_credentials(self._read_secret())
                self._read_at = now
            except (BotoCoreError, ClientError, PeerAddressError) as error:
                if self._credentials is None:
                    raise PeerAddressError(f"the Alertmanager secret cannot be used: {error}") from error
        return self._credentials
