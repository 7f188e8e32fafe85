"""Settings for every test."""

import os

from hypothesis import settings

pytest_plugins = ["roles.check"]

# How long an example takes says more about the machine than about the code: time is measured in benchmarks/.
settings.register_profile("auditwire", deadline=None)
settings.load_profile("auditwire")


def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: more than half of the time of an integration test it waits, for polls and windows."""
    return 2 * (os.cpu_count() or 1)
