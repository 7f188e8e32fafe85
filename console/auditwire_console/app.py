"""The ASGI application: the page's files, the API, and the guard before both."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from auditwire_console.guard import Guard
from auditwire_console.routes import SECONDS, Routes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from auditwire_console.source import Source
    from auditwire_console.who import Who

STATIC: Final = Path(__file__).parent / "static"


def make_app(source: "Source", who: "Who", hosts: Collection[str], *, seconds: float = SECONDS) -> Guard:
    """The application over a source, for requests to one of these hosts, such as ``127.0.0.1:8080``."""

    def page(request: "Request") -> "Response":
        del request
        return FileResponse(STATIC / "index.html")

    routes = [
        Route("/", page, methods=["GET"]),
        Mount("/static", StaticFiles(directory=STATIC)),
        *Routes(source, who, seconds=seconds).all(),
    ]
    return Guard(Starlette(routes=routes), hosts)
