"""Object Lock, set on each object that is put: nobody can remove it until then.

It is never the bucket's default, because other objects must be removable, such as alerts that have been published.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import ObjectLockModeType
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

Lock = Literal["none", "governance", "compliance"]
"""A principal with a special permission can lift ``governance``. Nobody can lift ``compliance``."""

_LOCKS: Final[tuple[Lock, ...]] = ("none", "governance", "compliance")

Retain = Callable[["PutObjectRequestTypeDef"], None]
"""Adds to a put what has its object retained."""

_MODES: "dict[Lock, ObjectLockModeType]" = {"governance": "GOVERNANCE", "compliance": "COMPLIANCE"}


def parse_lock(text: str) -> Lock:
    """The lock of a parameter's value. Raises ValueError."""
    for lock in _LOCKS:
        if text == lock:
            return lock
    raise ValueError(f"{text[:40]!r} is none of {', '.join(_LOCKS)}")


def retain(request: "PutObjectRequestTypeDef", lock: Lock, until: datetime) -> None:
    """Has the object of a put retained until then; leaves the put as it is where there is no lock."""
    mode = _MODES.get(lock)
    if mode is not None:
        request["ObjectLockMode"] = mode
        request["ObjectLockRetainUntilDate"] = until


def retained_for(lock: Lock, days: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Retain:
    """Has objects retained for so many days from when they are put."""
    return lambda request: retain(request, lock, clock() + timedelta(days=days))
