"""One event: its line, and whether a seal proves it."""

from typing import TYPE_CHECKING, Any

import orjson

from auditwire.archive.errors import UnreadableError
from auditwire.archive.keys import parse_object_key
from auditwire.evidence.errors import EvidenceError
from auditwire.evidence.finding import find_entry
from auditwire.evidence.reading import UnreadableError as NoLinesError
from auditwire.evidence.reading import content_of, lines_of
from auditwire.evidence.receipt import Receipt, RefusedError, make_receipt, prove
from auditwire.evidence.store import read_whole
from auditwire.search.objects import Archived
from auditwire.search.scan import pick
from auditwire_console.api.rows import fields_of

if TYPE_CHECKING:
    from auditwire.archive.found import Found
    from auditwire_console.source import Source
    from auditwire_console.viewer import Viewer


def find(source: "Source", viewer: "Viewer", key: str, number: int) -> "Found | None":
    """The event in a line of an object; None where there is none that the viewer may see. Raises UnreadableError."""
    place = parse_object_key(key)
    if place is None or not viewer.sees_cluster(place.cluster):
        return None
    archived = Archived(key, place.cluster, place.hour, place.t, 0, None)
    try:
        found = pick(source.reader, archived, frozenset((number,))).get(number)
    except EvidenceError:
        return None
    return found if found is not None and viewer.predicate.matches(found) else None


def event_as_json(found: "Found", key: str, number: int) -> dict[str, Any]:
    """The event whole. ``line`` is its text as it is stored, of which no number or key is changed."""
    return {"key": key, "number": number, "fields": fields_of(found), "line": found.line.decode(errors="replace")}


def evidence(source: "Source", found: "Found", key: str) -> dict[str, Any]:
    """Whether a seal covers the event, and proves it. ``state`` is sealed, unsealed, changed or unknown."""
    try:
        receipt = receipt_of(source, found, key)
    except (EvidenceError, UnreadableError) as error:
        return {"state": "unknown", "detail": str(error)}
    if receipt is None:
        return {"state": "unsealed", "detail": "no seal names its object yet; sealing follows within two hours"}
    seal = orjson.loads(receipt.seal)
    about = {"seal": seal.get("number"), "to": seal.get("to"), "key": receipt.key}
    try:
        prove(receipt, source.keys)
    except RefusedError as error:
        given = receipt.key in source.keys
        return {"state": "changed" if given else "unknown", "detail": str(error), **about}
    return {"state": "sealed", "detail": "its line is as it was when it was sealed", **about}


def receipt_of(source: "Source", found: "Found", key: str) -> Receipt | None:
    """The receipt of an event, proven or not; None where no seal names its object. Raises EvidenceError."""
    place = parse_object_key(key)
    if place is None:
        return None
    listed = next((one for one in source.reader.listing(key) if one.key == key), None)
    if listed is None:
        return None
    try:
        lines = list(lines_of(content_of(read_whole(source.reader, key))))
        number = lines.index(found.line)
    except (NoLinesError, ValueError):
        return None
    entry = find_entry(source.reader, place.cluster, listed)
    return None if entry is None else make_receipt(lines, number, entry[1], entry[0])
