"""What the dispatcher asks of a worker: a message of the queue."""

from datetime import datetime
from typing import Final

import msgspec

_ALL: Final = 1 << 31


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seal what arrived in a cluster before ``to``.

    ``hours`` (each ``2026-11-21T22``) are those under which something was filed lately. With ``everything`` the whole
    archive of the cluster is looked through for what no seal names, and a seal is made also where it would be put off.
    ``swept`` prefixes have been looked through already.
    """

    cluster: str
    to: datetime
    hours: tuple[str, ...] = ()
    everything: bool = False
    swept: int = 0

    def after(self, swept: int) -> "Order":
        """The order when so many prefixes have been looked through."""
        return msgspec.structs.replace(self, swept=swept)

    @property
    def is_swept(self) -> bool:
        """Whether nothing is left to be looked through."""
        return self.swept == _ALL

    def swept_through(self) -> "Order":
        """The order when everything has been looked through."""
        return msgspec.structs.replace(self, hours=(), everything=False, swept=_ALL)

    def as_text(self) -> str:
        """The message."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str) -> "Order":
        """The order of a message. Raises msgspec.DecodeError."""
        return msgspec.json.decode(text, type=cls)
