"""Listing the objects of a bucket, all pages."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef


def objects_below(
    client: "S3Client", bucket: str, prefix: str, *, start_after: str | None = None, most: int | None = None
) -> Iterator["ObjectTypeDef"]:
    """Yields the objects whose keys start with ``prefix``, ordered by key. Pages are requested as they are needed.

    ``start_after`` leaves out all keys up to and including this one. ``most`` limits the number of objects. Raises
    ClientError and BotoCoreError.
    """
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    if start_after is not None:
        request["StartAfter"] = start_after
    if most is not None:
        request["PaginationConfig"] = {"MaxItems": most}
    for page in client.get_paginator("list_objects_v2").paginate(**request):
        yield from page.get("Contents", ())
