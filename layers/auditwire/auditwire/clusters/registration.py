"""A row of the clusters table: a credential, its cluster, how long it is valid, and when it was last used.

| attribute | type | |
| --- | --- | --- |
| ``credential`` | S, partition key | SHA-256 of a token in hex, or ``cert:`` and that of a certificate |
| ``cluster``, ``sender`` | S | name; kubernetes, kubesphere or any |
| ``enabled`` | BOOL | anything but true means that the credential is not valid |
| ``labels`` | M of S | chosen by the operator |
| ``not_before``, ``expires`` | S | ``2027-02-21T00:00:00Z``; absent for no limit |
| ``created`` | S | when it was registered |
| ``silence_seconds`` | N | after how long without a batch the cluster counts as silent; absent for never |
| ``last_seen``, ``user_agent``, ``version`` | S | written by ingest, about once a minute |
| ``events``, ``batches`` | N | likewise |
| ``revoked`` | S | when it was revoked; such a row is not enabled, and not listed |

Times are text, because people also read and edit this table.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditwire.clusters.cluster import MAX_LABELS, Cluster, is_label
from auditwire.clusters.credential import CredentialKind
from auditwire.clusters.errors import DirectoryError, InvalidClusterNameError
from auditwire.senders.kind import SenderKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Row = Mapping[str, AttributeValueTypeDef]


@dataclass(frozen=True, slots=True)
class LastUse:
    """What is known of a credential's use. The real counts may be higher: when an environment ends, the counts of its
    last minute are lost."""

    seen: datetime
    events: int = 0
    batches: int = 0
    user_agent: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One row of the clusters table. Times have a time zone, UTC, and are in whole seconds."""

    credential: str = field(repr=False)
    cluster: Cluster
    enabled: bool = True
    not_before: datetime | None = None
    expires: datetime | None = None
    created: datetime | None = None
    silence_seconds: int | None = None
    use: LastUse | None = None

    @property
    def kind(self) -> CredentialKind:
        """What kind of credential this is."""
        return CredentialKind.of(self.credential)

    def holds(self, now: float) -> bool:
        """Whether the credential is valid at this time, in seconds since 1970: enabled, begun and not expired."""
        begun = self.not_before is None or self.not_before.timestamp() <= now
        return self.enabled and begun and (self.expires is None or now < self.expires.timestamp())

    def as_row(self) -> "dict[str, AttributeValueTypeDef]":
        """The row without its last use, which ingest writes."""
        times = {"not_before": self.not_before, "expires": self.expires, "created": self.created}
        row: dict[str, AttributeValueTypeDef] = {
            "credential": {"S": self.credential},
            "cluster": {"S": self.cluster.name},
            "sender": {"S": self.cluster.sender},
            "enabled": {"BOOL": self.enabled},
        }
        if self.cluster.labels:
            row["labels"] = {"M": {name: {"S": value} for name, value in self.cluster.labels.items()}}
        row |= {name: {"S": time_text(time)} for name, time in times.items() if time is not None}
        if self.silence_seconds is not None:
            row["silence_seconds"] = {"N": str(self.silence_seconds)}
        return row

    @classmethod
    def from_row(cls, row: "Row") -> "Registration":
        """Reads a row.

        Raises DirectoryError if anything is wrong that decides whether the credential is valid and whose it is. A limit
        that cannot be read is no reason to let anybody in. Everything else is left out if it cannot be read.
        """
        sender = SenderKind.of(_text(row, "sender"))
        if sender is None:
            message = f"a row of the clusters table has no usable sender: one of {SenderKind.words()}"
            raise DirectoryError(message)
        try:
            cluster = Cluster(_text(row, "cluster"), sender, _labels(row))
        except InvalidClusterNameError as error:
            message = f"a row of the clusters table cannot be used: {error}"
            raise DirectoryError(message) from error
        return cls(
            credential=_text(row, "credential"),
            cluster=cluster,
            enabled=row.get("enabled", {}).get("BOOL") is True,
            not_before=_limit(row, "not_before"),
            expires=_limit(row, "expires"),
            created=_time(_text(row, "created")),
            silence_seconds=_number(row, "silence_seconds") or None,
            use=_use(row),
        )


def time_text(time: datetime) -> str:
    """A time in the form that the table has."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _limit(row: "Row", name: str) -> datetime | None:
    if name not in row:
        return None
    time = _time(_text(row, name))
    if time is None:
        message = f"a row of the clusters table has no usable {name}: a time like 2027-02-21T00:00:00Z"
        raise DirectoryError(message)
    return time


def _time(text: str) -> datetime | None:
    """Reads a time in ISO 8601, in UTC if it names no zone; None for anything else."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _labels(row: "Row") -> dict[str, str]:
    values: dict[str, Any] = dict(row.get("labels", {}).get("M", {}))
    labels = ((name, value.get("S", "")) for name, value in sorted(values.items()))
    return dict([(name, value) for name, value in labels if is_label(name, value)][:MAX_LABELS])


def _use(row: "Row") -> LastUse | None:
    seen = _time(_text(row, "last_seen"))
    if seen is None:
        return None
    return LastUse(
        seen, _number(row, "events"), _number(row, "batches"), _text(row, "user_agent"), _text(row, "version")
    )


def _number(row: "Row", name: str) -> int:
    text = row.get(name, {}).get("N", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _text(row: "Row", name: str) -> str:
    return row.get(name, {}).get("S", "")
