"""The page's files. Their addresses carry a digest of them all, so a browser asks for each of them once and for all.

Only the page itself, which names those addresses, is asked for each time.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC: Final = Path(__file__).parent / "static"
_FOR_A_YEAR: Final = "public, max-age=31536000, immutable"


def page_routes(login: str = "") -> list[BaseRoute]:
    """The page, and everything it is made of. ``login`` is where people sign in, empty where they have a token."""
    markup = (STATIC / "index.html").read_text(encoding="utf-8").replace('data-login=""', f'data-login="{login}"')
    markup = markup.replace('"/static/', f'"{_place()}/').replace("</head>", f"{_preloaded()}</head>")

    def page(request: Any) -> Response:
        del request
        return HTMLResponse(markup)

    return [Route("/", page, methods=["GET"]), Mount(_place(), _Files(directory=STATIC))]


def address_of(name: str) -> str:
    """The address of a file of the page."""
    return f"{_place()}/{name}"


def _preloaded() -> str:
    """Names all modules, so that a browser asks for them at once and not for each when another has named it: a function
    that is cold answers slowly."""
    names = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))
    return "".join(f'<link rel="modulepreload" href="{address_of(name)}">\n' for name in names if name != "app.js")


@cache
def _place() -> str:
    found = hashlib.sha256()
    for path in sorted(STATIC.rglob("*.*")):
        found.update(f"{path.relative_to(STATIC)} {path.stat().st_size} ".encode())
        found.update(path.read_bytes())
    return f"/static/{found.hexdigest()[:16]}"


class _Files(StaticFiles):
    """Files that never change at their address."""

    def file_response(self, *given: Any, **more: Any) -> Response:
        """See StaticFiles."""
        response = super().file_response(*given, **more)
        response.headers["cache-control"] = _FOR_A_YEAR
        return response
