"""The version of the sender of a batch, as far as its events tell.

Neither sender names itself: both say ``Go-http-client``. But kube-apiserver calls itself over loopback as
``system:apiserver``, and the events of these calls have its version in their user agent. A user agent alone proves
nothing, but nobody else can be that user.
"""

import re
from collections.abc import Iterable

from auditwire.events import Event
from auditwire.senders.kind import SenderKind

APISERVER = "system:apiserver"
"""The user under which kube-apiserver calls itself."""

_APISERVER = re.compile(r"kube-apiserver/(v\d+\.\d+[\w.+-]{0,40})")


def sender_version(events: Iterable[Event]) -> str:
    """``kube-apiserver v1.33.4``, ``ks-apiserver 3`` or ``ks-apiserver 4``; empty if these events do not tell."""
    for event in events:
        if event.sender == SenderKind.KUBESPHERE:
            # 4.x adds the name of the host it runs on.
            return "ks-apiserver 4" if "HostName" in event.unknown else "ks-apiserver 3"
        if event.user.username == APISERVER and (found := _APISERVER.match(event.userAgent)):
            return f"kube-apiserver {found[1]}"
    return ""
