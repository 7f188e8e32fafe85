"""The console: a page over the archive, and KubeSphere's query API, as one ASGI application.

It answers with what a Viewer may see, and changes nothing.
"""

from auditwire_console.app import make_app
from auditwire_console.call import ON_LAMBDA, ON_THIS_MACHINE, Limits
from auditwire_console.guard import behind_gateway, on_loopback
from auditwire_console.source import Source
from auditwire_console.viewer import Grant, Viewer, Viewers
from auditwire_console.who import ByToken, ByTokenOrSession

__all__ = [
    "ON_LAMBDA",
    "ON_THIS_MACHINE",
    "ByToken",
    "ByTokenOrSession",
    "Grant",
    "Limits",
    "Source",
    "Viewer",
    "Viewers",
    "behind_gateway",
    "make_app",
    "on_loopback",
]
