"""Which Alertmanagers alerts go to: the addresses in the function's configuration, else the document's receivers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from auditwire.alerts.alertmanager import AlertmanagerPeer, Credentials
from auditwire.alerts.errors import PeerAddressError


class ReceiverLike(Protocol):
    """A receiver of the Webhook document, as far as a peer needs it."""

    @property
    def name(self) -> str:
        """Its name in the document."""

    @property
    def type(self) -> str:
        """Its kind; only ``alertmanager`` becomes a peer."""

    @property
    def url(self) -> str | None:
        """Its address, if it has one."""

    @property
    def ca_bundle(self) -> str | None:
        """The CA to check it against, PEM or base64 of PEM."""


@dataclass(frozen=True, slots=True)
class Peers:
    """The peers that could be made, in order, each address once; and a sentence for each that could not."""

    peers: tuple[AlertmanagerPeer, ...]
    problems: tuple[str, ...] = ()


def peers_of(
    urls: Iterable[str], receivers: Iterable[ReceiverLike] = (), credentials: Credentials | None = None
) -> Peers:
    """The peers at these addresses, or where there are none, at those of the receivers of type alertmanager.

    One that cannot be used never keeps the others from their alerts.
    """
    wanted: Sequence[tuple[str, str]] = [(url.strip(), "") for url in urls if url.strip()]
    if not wanted:
        wanted = [(one.url, one.ca_bundle or "") for one in receivers if one.type == "alertmanager" and one.url]
    peers: dict[str, AlertmanagerPeer] = {}
    problems: list[str] = []
    for url, ca in wanted:
        try:
            peer = AlertmanagerPeer(url, credentials=credentials, ca=ca)
        except PeerAddressError as error:
            problems.append(str(error))
        else:
            peers.setdefault(peer.url, peer)
    return Peers(tuple(peers.values()), tuple(problems))
