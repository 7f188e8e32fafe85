"""The ASGI application: the page's files, the API, and the guard before both."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from auditwire_console.bounded import Bounded
from auditwire_console.call import ON_THIS_MACHINE, Limits
from auditwire_console.guard import LOGIN, Guard
from auditwire_console.page import page_routes
from auditwire_console.routes import Routes
from auditwire_console.search_log import Logged, Write, no_log

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from auditwire_console.guard import Site
    from auditwire_console.source import Source
    from auditwire_console.who import Who


def make_app(
    source: "Source",
    who: "Who",
    site: "Site",
    *,
    sign_in: "Sequence[BaseRoute]" = (),
    limits: Limits = ON_THIS_MACHINE,
    log: Write = no_log,
    clock: Callable[[], float] = time.monotonic,
) -> Guard:
    """The application over a source, served at a site to whoever ``who`` knows. ``sign_in`` are the routes where people
    sign in and out, and ``log`` takes what was searched."""
    page = page_routes(LOGIN if sign_in else "")
    app: ASGIApp = Starlette(routes=[*page, *sign_in, *Routes(source, who).all()])
    if limits.answer_bytes is not None:
        app = Bounded(app, limits.answer_bytes)
    return Guard(Logged(app, limits, log, clock), site)
