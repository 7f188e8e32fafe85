"""How many examples a property is tried with."""

from hypothesis import settings


def examples(count: int) -> settings:
    """So many in a complete run; in the fast one, as many as its profile says."""
    return settings() if settings.get_current_profile_name() == "fast" else settings(max_examples=count)
