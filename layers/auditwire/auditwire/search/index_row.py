"""An event as a row of the index, and the columns that the index has."""

from typing import TYPE_CHECKING, Final

import msgspec

from auditwire.events.timestamps import is_normal

if TYPE_CHECKING:
    from auditwire.archive.found import Found

MAX_ROW_BYTES: Final = 1 << 20
"""An object with a longer row is left out of the index, and so scanned."""

_MAX_CODE: Final = (1 << 63) - 1


class IndexRow(msgspec.Struct, frozen=True, gc=False):
    """The columns, with times as texts. Their names are those of ``auditwire.search.fields``; ``key`` and ``number``
    say where the line lies."""

    time: str
    received: str | None
    audit_id: str
    stage: str
    level: str
    verb: str
    user: str
    groups: tuple[str, ...]
    impersonated: str
    source: tuple[str, ...]
    agent: str
    uri: str
    resource: str
    api_group: str
    namespace: str
    name: str
    subresource: str
    code: int | None
    status: str
    reason: str
    decision: str
    workspace: str
    rule: tuple[str, ...]
    alert: tuple[str, ...]
    flag: tuple[str, ...]
    key: str
    number: int


# Times are whole microseconds since 1970: a TIMESTAMP is not the same to every engine.
_TYPES: Final = {
    str: "VARCHAR",
    str | None: "BIGINT",
    int | None: "BIGINT",
    int: "INTEGER",
    tuple[str, ...]: "VARCHAR[]",
}

TIMES: Final = frozenset(("time", "received"))
"""The columns that are times."""

COLUMNS: Final[dict[str, str]] = {
    field.name: "BIGINT" if field.name in TIMES else _TYPES[field.type] for field in msgspec.structs.fields(IndexRow)
}
"""Every column with its type in SQL. Times are microseconds since 1970."""

_encoder = msgspec.json.Encoder()


def encode_row(found: "Found", key: str, number: int) -> bytes | None:
    """The row of an event as a line of JSON; None for an event that the index cannot hold."""
    if not is_normal(found.at) or (found.code is not None and not -_MAX_CODE <= found.code <= _MAX_CODE):
        return None
    ref = found.ref
    row = IndexRow(
        found.at,
        found.received or None,
        found.audit_id,
        found.stage,
        found.level,
        found.verb,
        found.user,
        found.groups,
        found.impersonated,
        found.sources,
        found.agent,
        found.uri,
        ref.resource,
        ref.apiGroup,
        ref.namespace,
        ref.name,
        ref.subresource,
        found.code,
        found.status,
        found.reason,
        found.decision,
        found.workspace,
        found.rules,
        found.alerts,
        found.flags,
        key,
        number,
    )
    encoded = _encoder.encode(row)
    return encoded + b"\n" if len(encoded) < MAX_ROW_BYTES else None
