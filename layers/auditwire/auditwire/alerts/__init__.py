"""Alerts: from the match of a rule to a message on the topic, and from the queue to every Alertmanager.

What only the relay needs is imported when it is first used, so that ingest starts without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from auditwire.alerts.alert import Alert, Occurrence, Undecided
from auditwire.alerts.errors import (
    AlertsError,
    DeadLetterError,
    MessageError,
    NotPublishedError,
    OutboxError,
    PeerAddressError,
    PeerError,
)
from auditwire.alerts.fold import FOLDED_ALERT, MAX_ALERTS_A_BATCH, fold
from auditwire.alerts.message import attributes_of, encode_message
from auditwire.alerts.self_alerts import RULES_REFUSED, publish_self_alert, rules_refused, self_alert, with_runbook
from auditwire.alerts.sns import MemoryPublisher, Published, Publisher, SnsPublisher

if TYPE_CHECKING:
    from auditwire.alerts.alertmanager import AlertmanagerPeer, Credentials, Peer, PeerAnswer, parse_credentials
    from auditwire.alerts.dead_letters import DeadLetters, MemoryDeadLetters, SqsDeadLetters
    from auditwire.alerts.delivery import Delivery, deliver
    from auditwire.alerts.peers import NO_PEERS, Peers, PeerSource, peers_of
    from auditwire.alerts.queued import QueuedAlert, read_message
    from auditwire.alerts.relay import Relay, Relayed

__all__ = [
    "FOLDED_ALERT",
    "MAX_ALERTS_A_BATCH",
    "NO_PEERS",
    "RULES_REFUSED",
    "Alert",
    "AlertmanagerPeer",
    "AlertsError",
    "Credentials",
    "DeadLetterError",
    "DeadLetters",
    "Delivery",
    "MemoryDeadLetters",
    "MemoryPublisher",
    "MessageError",
    "NotPublishedError",
    "Occurrence",
    "OutboxError",
    "Peer",
    "PeerAddressError",
    "PeerAnswer",
    "PeerError",
    "PeerSource",
    "Peers",
    "Published",
    "Publisher",
    "QueuedAlert",
    "Relay",
    "Relayed",
    "SnsPublisher",
    "SqsDeadLetters",
    "Undecided",
    "attributes_of",
    "deliver",
    "encode_message",
    "fold",
    "parse_credentials",
    "peers_of",
    "publish_self_alert",
    "read_message",
    "rules_refused",
    "self_alert",
    "with_runbook",
]

_LAZY: Final = {
    name: module
    for module, names in {
        "alertmanager": ("AlertmanagerPeer", "PeerAnswer", "Credentials", "Peer", "parse_credentials"),
        "dead_letters": ("DeadLetters", "MemoryDeadLetters", "SqsDeadLetters"),
        "delivery": ("Delivery", "deliver"),
        "peers": ("NO_PEERS", "PeerSource", "Peers", "peers_of"),
        "queued": ("QueuedAlert", "read_message"),
        "relay": ("Relay", "Relayed"),
    }.items()
    for name in names
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"auditwire.alerts.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
