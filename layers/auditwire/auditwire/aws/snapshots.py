"""Environments that Lambda restores from a snapshot: what was true when it was made may not be true any more."""

import random
from collections.abc import Callable


def after_restore(renew: Callable[[], None]) -> bool:
    """Has ``renew`` called after each restore of this environment, and ``random`` seeded anew: environments of one
    snapshot would all draw the same numbers. Returns whether the runtime makes snapshots at all."""
    try:
        from snapshot_restore_py import register_after_restore  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError:
        return False

    def restored() -> None:
        random.seed()
        renew()

    register_after_restore(restored)
    return True
