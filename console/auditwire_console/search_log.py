"""The log of searches: who asked what, from how many objects and bytes the answer came, and what became of it.

It holds the parameters that searches have, and nothing else of a request: no header, cookie or unknown parameter. Of
requests of nobody known it holds that there were some.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from auditwire_console.call import IN_SCOPE, Call, Limits

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Write = Callable[[Mapping[str, Any]], None]
"""Takes what the log says of a request."""

PARAMETERS: Final = frozenset((
    "is", "has", "not", "text", "cluster", "start", "end", "limit", "offset", "order", "facet", "interval", "format",
    "rule", "key", "number", "pay", "search",
    "operation", "start_time", "end_time", "sort", "from", "size", "workspace_filter", "workspace_search",
    "objectref_namespace_filter", "objectref_namespace_search", "objectref_name_filter", "objectref_name_search",
    "objectref_resource_filter", "objectref_subresource_filter", "level_filter", "verb_filter", "user_filter",
    "user_search", "group_search", "source_ip_search", "response_code_filter", "response_status_filter",
))  # fmt: skip
"""What is logged of what was asked: what the page and KubeSphere ask by."""


def no_log(record: Mapping[str, Any]) -> None:
    """Whoever looks at an archive with their own rights keeps no log of it."""


class Logged:
    """An ASGI application around another, whose requests become Calls. Those of the API are logged when their answers
    have ended, or have broken off."""

    def __init__(self, app: "ASGIApp", limits: Limits, write: Write, clock: Callable[[], float]) -> None:
        self._app, self._limits, self._write, self._clock = app, limits, write, clock

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = Call(self._limits, self._clock)
        status, is_whole = 500, False

        async def send_noted(message: "Message") -> None:
            nonlocal status, is_whole
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            is_whole = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            await self._app({**scope, IN_SCOPE: call}, receive, send_noted)
        finally:
            if call.route:
                self._write(record_of(call, status, is_whole=is_whole))


def record_of(call: Call, status: int, *, is_whole: bool) -> dict[str, Any]:
    """What the log says of a call."""
    asker = call.asker
    return {
        "viewer": asker.viewer.name if asker else "",
        "subject": asker.subject if asker else "",
        "route": call.route,
        "parameters": _parameters(call) if asker else {},
        "status": status,
        "whole": is_whole,
        "engine": " ".join(sorted({one.engine for one in call.coverages if one.engine})),
        "objects": sum(one.indexed + one.scanned for one in call.coverages),
        "bytes": sum(one.bytes for one in call.coverages),
        "unreadable": len(unreadable(call)),
        "cut_off": "time" if any(one.cut_off == "time" for one in call.coverages) else "",
        "milliseconds": call.milliseconds,
    }


def unreadable(call: Call) -> set[str]:
    """What a call could not read."""
    return {one for coverage in call.coverages for one in coverage.unreadable}


def _parameters(call: Call) -> dict[str, list[str]]:
    found = {name: call.given.getlist(name) for name in call.given if name in PARAMETERS}
    return found | {"cluster": [call.cluster, *found.get("cluster", ())]} if call.cluster else found
