"""Alerts: from a rule's match to a message on the topic, and from the queue to every Alertmanager."""

from auditwire.alerts.alert import Alert, Occurrence
from auditwire.alerts.alertmanager import AlertmanagerPeer, Answer, Credentials, Peer, parse_credentials
from auditwire.alerts.dead_letters import DeadLetters, MemoryDeadLetters, SqsDeadLetters
from auditwire.alerts.delivery import Delivery, deliver
from auditwire.alerts.errors import (
    AlertsError,
    DeadLetterError,
    MessageError,
    NotPublishedError,
    OutboxError,
    PeerAddressError,
    PeerError,
)
from auditwire.alerts.fold import FOLDED_ALERT, MOST_ALERTS_A_BATCH, fold
from auditwire.alerts.message import attributes_of, encode_message
from auditwire.alerts.own import RULES_REFUSED, own_alert, publish_own, rules_refused, with_runbook
from auditwire.alerts.peers import NO_PEERS, Peers, PeerSource, peers_of
from auditwire.alerts.queued import QueuedAlert, read_message
from auditwire.alerts.relay import Relay, Relayed, relay
from auditwire.alerts.sns import MemoryPublisher, Published, Publisher, SnsPublisher

__all__ = [
    "FOLDED_ALERT",
    "MOST_ALERTS_A_BATCH",
    "NO_PEERS",
    "RULES_REFUSED",
    "Alert",
    "AlertmanagerPeer",
    "AlertsError",
    "Answer",
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
    "attributes_of",
    "deliver",
    "encode_message",
    "fold",
    "own_alert",
    "parse_credentials",
    "peers_of",
    "publish_own",
    "read_message",
    "relay",
    "rules_refused",
    "with_runbook",
]
