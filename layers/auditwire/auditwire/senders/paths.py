"""The paths to which senders post."""

from typing import Final

EVENT_PATH: Final = "/audit/webhook/event"
"""Where every sender may post. A sender that can carry its credential only in the URL appends ``/CREDENTIAL``."""

FIREHOSE_PATH: Final = "/audit/firehose"
"""Where a delivery stream of Amazon Data Firehose posts. Its access key is the credential."""

GKE_PATH: Final = "/audit/gke"
"""Where Google's Pub/Sub pushes with a token, which API Gateway verifies before the function is called."""
