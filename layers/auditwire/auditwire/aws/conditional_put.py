"""Writing an object to S3 only if nobody else has written it.

S3 refuses a conditional put in two ways. 412, or 404 for ``If-Match`` on an object that is gone, means that the
condition does not hold. 409 means that another writer is busy with the same key at this moment, so it is not decided
yet who comes first, and the put has to be repeated.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from auditwire.aws.errors import status_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectOutputTypeDef, PutObjectRequestTypeDef

_WAITS_SECONDS: Final = (0.05, 0.1, 0.2)


def conditional_put(
    client: "S3Client", request: "PutObjectRequestTypeDef", sleep: Callable[[float], None] = time.sleep
) -> "PutObjectOutputTypeDef | None":
    """Sends a ``put_object`` with ``IfNoneMatch`` or ``IfMatch``. Returns its answer, or None if the condition does not
    hold.

    After a 409 the put is repeated up to three times; ``sleep`` waits seconds in between. Raises ClientError, also for
    the last 409, and BotoCoreError.
    """
    waits = iter(_WAITS_SECONDS)
    while True:
        try:
            return client.put_object(**request)
        except ClientError as error:
            status = status_of(error)
            if status == 412 or (status == 404 and "IfMatch" in request):
                return None
            wait = next(waits, None) if status == 409 else None
            if wait is None:
                raise
        sleep(wait)
