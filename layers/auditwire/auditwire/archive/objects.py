"""Reading objects of the archive bucket."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.archive.errors import ArchiveError, UnreadableError
from auditwire.aws.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK: Final = 1 << 20
# With these no other object can be read either.
_REFUSED: Final = frozenset(("AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "NoSuchBucket"))


def object_chunks(client: "S3Client", bucket: str, key: str, part: str = "") -> Iterator[bytes]:
    """Yields the bytes of an object as they come; of a ``part`` of it, such as ``bytes=0-99``.

    Raises UnreadableError if this one cannot be read, and ArchiveError if none can. The client itself repeats requests
    that were not answered.
    """
    place = f"s3://{bucket}/{key}"
    try:
        asked: Any = {"Range": part} if part else {}
        body = client.get_object(Bucket=bucket, Key=key, **asked)["Body"]
        yield from body.iter_chunks(_CHUNK)
    except ClientError as error:
        kind = ArchiveError if code_of(error) in _REFUSED else UnreadableError
        raise kind(f"{place}: could not be read: {error}") from error
    except BotoCoreError as error:
        raise UnreadableError(f"{place}: could not be read: {error}") from error
