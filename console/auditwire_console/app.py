"""The ASGI application: the page's files, the API, and the guard before both."""

from typing import TYPE_CHECKING

from starlette.applications import Starlette

from auditwire_console.guard import Guard
from auditwire_console.page import page_routes
from auditwire_console.routes import SECONDS, Routes

if TYPE_CHECKING:
    from auditwire_console.guard import Site
    from auditwire_console.source import Source
    from auditwire_console.who import Who


def make_app(source: "Source", who: "Who", site: "Site", *, seconds: float = SECONDS) -> Guard:
    """The application over a source, served at a site to whoever ``who`` knows."""
    routes = [*page_routes(), *Routes(source, who, seconds=seconds).all()]
    return Guard(Starlette(routes=routes), site)
