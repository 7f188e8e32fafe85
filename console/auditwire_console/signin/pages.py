"""The two pages of signing in. They need no script, and everything in them that is not ours is escaped."""

from html import escape

from starlette.responses import HTMLResponse

from auditwire_console.page import address_of
from auditwire_console.person import Person

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{head}<title>{title} · auditwire</title>
<link rel="icon" href="{icon}" type="image/svg+xml">
<link rel="stylesheet" href="{style}">
</head>
<body>
<main><h1>{title}</h1>
<p>{text}</p>
<p><a href="{to}">{link}</a></p></main>
</body>
</html>
"""


def signed_in(person: Person, to: str) -> HTMLResponse:
    """Leads on to ``to``, by itself unless there is something to read. The way back from the issuer must end here: a
    Strict cookie is not sent by a browser that is still being redirected from another site."""
    text = f"You are signed in as <bdi>{escape(person.name)}</bdi>."
    head = f'<meta http-equiv="refresh" content="0;url={escape(to)}">\n'
    if person.left_out:
        text += f" {len(person.groups):,} of your groups count. Left out: {person.left_out:,}. If you miss rights, ask "
        text += "your administrator to let the issuer send fewer groups."
        head = ""
    return HTMLResponse(_page(head=head, title="Signed in", text=text, to=escape(to), link="Go on"))


def not_signed_in(status: int, sentence: str, to: str = "/") -> HTMLResponse:
    """Says why nobody is signed in, and leads to the beginning."""
    text = escape(sentence[:1].upper() + sentence[1:]) + "."
    page = _page(head="", title="Not signed in", text=text, to=escape(to), link="Back to the console")
    return HTMLResponse(page, status)


def _page(**parts: str) -> str:
    return _PAGE.format(icon=address_of("icon.svg"), style=address_of("style.css"), **parts)
