"""The books of an hour, for its seal: what ingest counted, so that a seal says too what should have arrived."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.evidence.seal import Books
from auditwire.evidence.windows import HOUR
from auditwire.ledger import TAKING
from auditwire.measured import CountsWithheldError, counts_measured

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# In the order in which Books has them.
_COUNTED: Final = ("EventsReceived", "EventsIgnored", "EventsArchived", "EventsQuarantined", "EventsNotStored")


class LedgerBooks:
    """Reads books where ``auditwire ledger`` does."""

    def __init__(self, client: "CloudWatchClient", namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def __call__(self, cluster: str, hours: Sequence[datetime]) -> tuple[Books, ...] | None:
        """The books of hours that follow each other, those in which nothing was counted left out; None where they
        cannot be read, which is nobody's business but the reader's."""
        if not hours:
            return ()
        try:
            counts = counts_measured(
                self._client,
                self._namespace,
                [cluster],
                dict.fromkeys(_COUNTED, TAKING),
                hours[0],
                hours[-1] + HOUR,
            )
        except (CountsWithheldError, ClientError, BotoCoreError):
            return None
        return tuple(
            Books(hour.strftime("%Y-%m-%dT%H"), *(found[name] for name in _COUNTED))
            for (_, hour), found in sorted(counts.items())
        )
