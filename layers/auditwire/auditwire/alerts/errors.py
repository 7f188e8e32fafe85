"""What can go wrong between an alert and an Alertmanager.

AlertsError
├── PeerError             one Alertmanager could not be asked, or its answer says nothing about the alerts
├── PeerAddressError      an address, a CA or a secret that no peer can be made from
├── MessageError          a queue message that holds no alert
├── DeadLetterError       a message could not be put aside
├── OutboxError           something about the outbox could not be done
└── NotPublishedError     an alert about auditwire itself did not reach the topic
"""


class AlertsError(Exception):
    """Base of everything this package raises."""


class PeerError(AlertsError):
    """A peer is at fault, not an alert: it is down, slow, refusing, redirecting, or does not know us."""


class PeerAddressError(AlertsError, ValueError):
    """An address, a CA or a secret that no peer can be made from. Its text shows no credential."""


class MessageError(AlertsError, ValueError):
    """A queue message that holds no alert: repeating it would not help."""


class DeadLetterError(AlertsError):
    """A message could not be put aside; it goes back to where it came from."""


class NotPublishedError(AlertsError):
    """An alert about auditwire itself did not reach the topic; what it is about is still so at the next look."""


class OutboxError(AlertsError):
    """Messages could not be put into the outbox, or not be listed, read or removed there."""
