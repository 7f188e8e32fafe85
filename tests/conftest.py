"""Settings for every test."""

import gc
import os
import signal
import sys
from functools import cache

from hypothesis import settings

pytest_plugins = ["roles.check"]

# How long an example takes says more about the machine than about the code: time is measured in benchmarks/.
settings.register_profile("auditwire", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=15)
settings.load_profile("auditwire")

# What a shell starts in the background ignores Ctrl-C, and so would every command that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    # What was imported stays: nothing is gained by looking through it again and again.
    gc.collect()
    gc.freeze()
    if "botocore.session" in sys.modules:
        import botocore.session

        # Every AWS in memory begins with a session of its own, which would read the services' descriptions anew.
        botocore.session.create_loader = cache(botocore.session.create_loader)


def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: more than half of the time of an integration test it waits, for polls and windows."""
    return 2 * (os.cpu_count() or 1)
