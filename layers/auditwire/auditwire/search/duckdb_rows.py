"""Rows that DuckDB gives, as found events without their lines."""

from collections.abc import Sequence
from typing import Any, Final

from auditwire.archive.found import Found
from auditwire.archive.items import object_name
from auditwire.events import ObjectRef
from auditwire.search.sql import text_of

_NAMES: Final = (
    "cluster", "audit_id", "stage", "verb", "user", "source", "code", "rule", "level", "groups", "impersonated",
    "agent", "uri", "status", "reason", "decision", "workspace", "alert", "flag", "resource", "api_group",
    "namespace", "name", "subresource",
)  # fmt: skip

EVENT: Final = ", ".join(f'"{name}"' for name in ("time", "received", *_NAMES))
"""What is selected of a row to make an event of it."""


def found_of(row: Sequence[Any]) -> Found:
    """The event of a row of EVENT. It has no line."""
    of = dict(zip(_NAMES, row[2:], strict=True))
    ref = ObjectRef(
        resource=of["resource"],
        namespace=of["namespace"],
        name=of["name"],
        apiGroup=of["api_group"],
        subresource=of["subresource"],
    )
    return Found(
        line=b"",
        at=text_of(row[0]),
        cluster=of["cluster"],
        audit_id=of["audit_id"],
        stage=of["stage"],
        verb=of["verb"],
        user=of["user"],
        sources=tuple(of["source"]),
        ref=ref,
        object=object_name(ref),
        code=of["code"],
        rules=tuple(of["rule"]),
        level=of["level"],
        received="" if row[1] is None else text_of(row[1]),
        groups=tuple(of["groups"]),
        impersonated=of["impersonated"],
        agent=of["agent"],
        uri=of["uri"],
        status=of["status"],
        reason=of["reason"],
        decision=of["decision"],
        workspace=of["workspace"],
        alerts=tuple(of["alert"]),
        flags=tuple(of["flag"]),
    )
