"""The errors on the way from an alert to an Alertmanager.

AlertsError
├── PeerError             one Alertmanager could not be reached, or its answer says nothing about the alerts
├── PeerAddressError      no peer can be made from this address, CA or secret
├── MessageError          a queue message does not contain an alert
├── DeadLetterError       the dead-letter queue could not be used
├── OutboxError           the outbox could not be used
└── NotPublishedError     an alert about auditwire itself did not reach the topic
"""


class AlertsError(Exception):
    """Base of all errors of this package."""


class PeerError(AlertsError):
    """A peer is at fault, not an alert: it is down, slow or redirecting, or it refuses us."""


class PeerAddressError(AlertsError, ValueError):
    """No peer can be made from this address, CA or secret. The message contains no credential."""


class MessageError(AlertsError, ValueError):
    """A queue message does not contain an alert. Trying again would not help."""


class DeadLetterError(AlertsError):
    """A message could not be sent to, read from or moved out of the dead-letter queue. It stays where it was."""


class NotPublishedError(AlertsError):
    """An alert about auditwire itself did not reach the topic. The next run raises it again if its cause is still
    there."""


class OutboxError(AlertsError):
    """Messages in the outbox could not be written, listed, read or removed."""
