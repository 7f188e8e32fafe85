"""Which Alertmanagers alerts go to: the addresses in the function's configuration, else the document's receivers."""

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
    " the alerts stay in the queue"
)

_SECRET_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Peers:
    """The peers that could be made, in order, each address once; and a sentence for whatever stood in the way."""

    peers: tuple[Peer, ...]
    problems: tuple[str, ...] = ()


def peers_of(
    urls: Iterable[str], receivers: "Iterable[Receiver]" = (), credentials: Credentials | None = None
) -> Peers:
    """The peers at these addresses, or where there are none, at those of the receivers.

    One that cannot be used never keeps the others from their alerts. Receivers never get the credentials: whoever may
    write a rule document could name an address of their own.
    """
    wanted: Sequence[tuple[str, str]] = [(url.strip(), "") for url in urls if url.strip()]
    if not wanted:
        wanted = [(one.url, one.ca_bundle or "") for one in receivers]
        credentials = None
    peers: dict[str, Peer] = {}
    problems: list[str] = [] if wanted else [NO_PEERS]
    for url, ca in wanted:
        try:
            peer = AlertmanagerPeer(url, credentials=credentials, ca=ca)
        except PeerAddressError as error:
            problems.append(str(error))
        else:
            peers.setdefault(peer.url, peer)
    return Peers(tuple(peers.values()), tuple(problems))


class PeerSource:
    """The peers in force, made anew only when receivers or credentials have changed.

    ``receivers`` is asked only where there are no ``urls``; ``read_secret`` (None: no credentials) gives the text of
    the Alertmanager secret, which is read when first needed, every 5 minutes of ``clock``, and after ``doubt()``.
    """

    def __init__(
        self,
        urls: Sequence[str],
        receivers: "Callable[[], Sequence[Receiver]]" = tuple,
        read_secret: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._urls = urls
        self._receivers = receivers
        self._read_secret = read_secret
        self._clock = clock
        self._read_at: float | None = None
        self._credentials: Credentials | None = None
        self._made_of: object = None
        self._peers = Peers(())

    def current(self) -> Peers:
        """The peers. A secret that cannot be read keeps the last one; without any there are no peers, and why."""
        try:
            credentials = self._current_credentials()
        except PeerAddressError as error:
            return Peers((), (str(error),))
        receivers = () if self._urls else tuple(self._receivers())
        if (receivers, credentials) != self._made_of:
            self._peers = peers_of(self._urls, receivers, credentials)
            self._made_of = (receivers, credentials)
        return self._peers

    def doubt(self) -> None:
        """Reads the secret again next time: a peer has just refused these credentials."""
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
