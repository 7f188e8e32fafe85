"""The bucket that gets the files: one of this account, or a foreign one under a role that is assumed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_SESSION: Final = "auditwire-ocsf"
_BEFORE_IT_ENDS: Final = timedelta(minutes=5)
_MAX_SESSION_SECONDS: Final = 3_600
"""What every role allows, and what a role that assumes another may ask for."""


class DestinationError(Exception):
    """The destination did not take a file; the message says why."""


class Destination(Protocol):
    """Where files go."""

    def put(self, key: str, file: Path) -> None:
        """Stores a file, and replaces what was there. Raises DestinationError."""


@dataclass(slots=True)
class S3Destination:
    """A bucket. ``client`` gives what may write to it; ``owner`` is the account that it must belong to, empty for
    any."""

    client: "Callable[[], S3Client]"
    bucket: str
    owner: str = ""

    def put(self, key: str, file: Path) -> None:
        """See Destination.put."""
        try:
            with file.open("rb") as body:
                request: PutObjectRequestTypeDef = {"Bucket": self.bucket, "Key": key, "Body": body}
                if self.owner:
                    request["ExpectedBucketOwner"] = self.owner
                self.client().put_object(**request)
        except (ClientError, BotoCoreError) as error:
            raise DestinationError(f"s3://{self.bucket}/{key}: could not be stored: {error}") from error


@dataclass(slots=True)
class AssumedRole:
    """Gives clients of S3 with the rights of a role; a new one before the rights of the last one end.

    ``assume`` is what STS calls AssumeRole, ``make`` makes a client of the credentials that it gives.
    """

    assume: Callable[..., Any]
    role_arn: str
    external_id: str
    make: "Callable[[Mapping[str, Any]], S3Client]"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _client: "S3Client | None" = field(default=None, init=False)
    _until: datetime = field(default=datetime.min.replace(tzinfo=UTC), init=False)

    def __call__(self) -> "S3Client":
        """A client whose rights last for some minutes. Raises ClientError and BotoCoreError."""
        if self._client is None or self.clock() > self._until - _BEFORE_IT_ENDS:
            asked = {"RoleArn": self.role_arn, "RoleSessionName": _SESSION, "DurationSeconds": _MAX_SESSION_SECONDS}
            if self.external_id:
                asked["ExternalId"] = self.external_id
            given = self.assume(**asked)["Credentials"]
            self._client, self._until = self.make(given), given["Expiration"]
        return self._client
