"""Writing an event as one line of the archive: canonical keys, values as received, and its provenance."""

from collections.abc import Mapping
from typing import cast

import msgspec

from auditwire.events.casing import canonical_fields, fields_of
from auditwire.events.model import Event, Flag

PROVENANCE = "_auditwire"
_REPORTED = "_auditwire_reported"
_LAST_MEMBER = b',"_auditwire":'
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def encode_line(event: Event, provenance: Mapping[str, object]) -> bytes:
    """One JSON object without a line end: the event under canonical keys, and ``_auditwire``.

    The line is put together from the received bytes, key by key, so numbers, unknown keys and bodies keep their exact
    text. Only values that settling, levels or redaction changed are replaced, and ``cluster`` is added. ``_auditwire``
    is ``provenance``, plus ``reportedCluster`` and ``flags`` if there are any. If an event has a key ``_auditwire`` of
    its own, the key is renamed and the event is flagged.
    """
    # It would be faster to copy the whole item and append our keys. But that needs certainty that it has no key twice
    # and none of ours, and to be certain the item has to be read once more, which is what costs the time here.
    flags = event.flags
    fields: dict[str, object]
    if event.canonical:
        fields = cast("dict[str, object]", fields_of(event.received))
    else:
        fields = cast("dict[str, object]", canonical_fields(event.received))
        if _set_aside_forged(fields):
            flags = (*flags, Flag.RESERVED_KEY)
    for name in event.edited:
        value = getattr(event, name)
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    if event.cluster:
        fields["cluster"] = event.cluster
    fields[PROVENANCE] = _about(provenance, flags, event.reportedCluster)
    line = msgspec.json.encode(fields)
    # Within JSON a line end can only be white space between tokens. Inside strings it is always escaped.
    return line.translate(None, b"\r\n") if b"\n" in line or b"\r" in line else line


def event_part(line: bytes) -> bytes:
    """A line of the archive without ``_auditwire``: equal for two lines that hold the same event, however it came."""
    head, found, tail = line.rpartition(_LAST_MEMBER)
    if not found or not tail.endswith(b"}"):
        return line
    try:
        _OBJECT.decode(tail[:-1])
    except msgspec.DecodeError:
        # The key stands within a body of a line that was not written here.
        return line
    return head


def _about(provenance: Mapping[str, object], flags: tuple[str, ...], reported_cluster: str) -> Mapping[str, object]:
    if not flags and not reported_cluster:
        return provenance
    about = dict(provenance)
    if reported_cluster:
        about["reportedCluster"] = reported_cluster
    if flags:
        given = about.get("flags")
        about["flags"] = list(dict.fromkeys([*(given if isinstance(given, list | tuple) else ()), *flags]))
    return about


def _set_aside_forged(fields: dict[str, object]) -> bool:
    """Renames keys that imitate our own, in any casing, because some query engines do not tell casings apart."""
    forged = [key for key in fields if key.lower() == PROVENANCE]
    for key in forged:
        name = _REPORTED
        while name in fields:
            name += "_"
        fields[name] = fields.pop(key)
    return bool(forged)
