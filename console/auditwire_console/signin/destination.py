"""Where the page leads after signing in: a path of the console itself."""

import re
from typing import Final

MAX_LENGTH: Final = 4000

# A path of plain segments, of which none is empty, begins with a dot or has percent signs: nothing that a browser or a
# proxy could take for another host. Query and fragment are whatever is printable.
_PATH: Final = re.compile(r"(/|(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?)([?#][!-~]*)?")
# They would begin it all again.
_OWN: Final = re.compile(r"/(login|callback|logout)/?([?#].*)?")


def destination_of(*asked: str) -> str:
    """The path that was asked for, with query and fragment, if it is one path of this origin; otherwise ``/``."""
    if len(asked) != 1 or len(asked[0]) > MAX_LENGTH or "\\" in asked[0]:
        return "/"
    return asked[0] if _PATH.fullmatch(asked[0]) and not _OWN.fullmatch(asked[0]) else "/"
