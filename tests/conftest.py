"""Settings for every test."""

from hypothesis import settings

pytest_plugins = ["role_check"]

# How long an example takes says more about the machine than about the code: time is measured in benchmarks/.
settings.register_profile("auditwire", deadline=None)
settings.load_profile("auditwire")
