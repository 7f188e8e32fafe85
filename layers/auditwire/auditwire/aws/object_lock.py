"""Object Lock, set on each object that is put: nobody can remove it until then.

It is never the bucket's default, because other objects must be removable, such as alerts that have been published.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import ObjectLockModeType
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

Lock = Literal["none", "governance", "compliance"]
"""A principal with a special permission can lift ``governance``. Nobody can lift ``compliance``."""

LOCKS: Final[tuple[Lock, ...]] = ("none", "governance", "compliance")

_MODES: "dict[Lock, ObjectLockModeType]" = {"governance": "GOVERNANCE", "compliance": "COMPLIANCE"}


def object_lock(lock: Lock, retain_until: datetime | None) -> "PutObjectRequestTypeDef":
    """The members of a put request that retain its object; none if it is not to be retained."""
    mode = _MODES.get(lock)
    if mode is None or retain_until is None:
        return {}  # type: ignore[typeddict-item]  # the rest of the request has what is required
    return {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": retain_until}  # type: ignore[typeddict-item]
