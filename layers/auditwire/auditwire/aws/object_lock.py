"""Object Lock, set on each object that is put: until then nobody removes it.

Never the bucket's default, for what lies beside events must go: alerts that were published, and the like.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import ObjectLockModeType
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

Lock = Literal["none", "governance", "compliance"]
"""``governance`` can be lifted by who has a permission of its own, ``compliance`` by nobody."""

LOCKS: Final[tuple[Lock, ...]] = ("none", "governance", "compliance")

_MODES: "dict[Lock, ObjectLockModeType]" = {"governance": "GOVERNANCE", "compliance": "COMPLIANCE"}


def object_lock(lock: Lock, retain_until: datetime | None) -> "PutObjectRequestTypeDef":
    """What a put carries so that its object is retained; nothing where it is not to be."""
    mode = _MODES.get(lock)
    if mode is None or retain_until is None:
        return {}  # type: ignore[typeddict-item]  # the rest of the request has what is required
    return {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": retain_until}  # type: ignore[typeddict-item]
