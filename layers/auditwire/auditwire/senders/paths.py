"""The paths to which senders post."""

from typing import Final

EVENT_PATH: Final = "/audit/webhook/event"
"""Where every sender may post. A sender that can carry its credential only in the URL appends ``/CREDENTIAL``."""
