"""Lines of a log that a shipper or a container runtime wrapped: which member of an object is the line, what a runtime
or a program put in front of it, and who wrote it.
"""

import re
from typing import Final

from auditwire.events import timestamps
from auditwire.events.casing import Fields
from auditwire.events.faults import REQUIRED
from auditwire.events.wrapping import sources
from auditwire.events.wrapping.origin import Ending, Origin, Text, Value
from auditwire.events.wrapping.values import number_in, object_in, opening, text_in

LINE_KEYS: Final = ("log", "message", "MESSAGE", "event", "line", "msg", "_raw", "short_message", "detail")
"""Where shippers put a line, in the order in which they are looked at."""

REQUIRED_IN_LOWER_CASE: Final = frozenset(name.lower() for name in REQUIRED)

_DOCKER_KEYS = frozenset(("log", "stream", "time", "attrs"))
_TAGS = ("_p", "logtag")

_TIMESTAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
# containerd and CRI-O: TIME STREAM TAG TEXT; the tag P says that the line goes on in the next text.
_CRI = re.compile(rb"(%b) (stdout|stderr) ([FP])(?::[^ ]*)? ?" % _TIMESTAMP.encode())
_HOST = rb"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_TIME = _TIMESTAMP.encode()
_SYSLOG_TIME = rb"[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}"
_PROGRAM = rb"(?P<program>[A-Za-z0-9_./@-]{1,64})(?:\[[0-9]+\])?:"
# What a tool prints before each line. Nothing else is passed over: an event begins where a line begins, or behind
# these.
_PREFIXES = tuple(
    re.compile(pattern)
    for pattern in (
        rb"\[pod/(?P<pod>[a-z0-9.-]+)/(?P<container>[a-z0-9-]+)\] (?:%b )?(?=\{)" % _TIME,  # kubectl logs --prefix
        rb"(?P<time>%b) (?=\{)" % _TIME,  # kubectl logs --timestamps, aws logs tail --format short
        rb"(?P<time>%b) (?P<stream>[A-Za-z0-9_./:@\[\]$-]{1,512}) (?=\{)" % _TIME,  # aws logs tail
        rb"(?:<[0-9]{1,3}>)?%b (?:%b )?%b (?=\{)" % (_SYSLOG_TIME, _HOST, _PROGRAM),  # syslog, journalctl
        rb"%b %b %b (?=\{)" % (_TIME, _HOST, _PROGRAM),  # journalctl -o short-iso
        rb"<[0-9]{1,3}>1 (?P<time>%b|-) (?:%b|-) (?P<program>[^ ]{1,64}) [^ ]{1,128} [^ ]{1,32} "
        rb"(?:-|\[[^\]]{0,1024}\]) (?:\xef\xbb\xbf)?(?=\{)" % (_TIME, _HOST),  # RFC 5424
        rb"(?P<host>%b) (?=\{)" % _HOST,  # oc adm node-logs
        rb"[A-Za-z0-9_./-]{1,512}:(?:[0-9]{1,9}:)?(?=\{)",  # grep, of several files or with line numbers
        rb"%b +\| (?=\{)" % _HOST,  # docker compose logs
    )
)
_LONGEST_PREFIX = 2_048


def line_in(fields: Fields, origin: Origin) -> Text | Value | None:
    """The line in an object that wraps one; None where it has none.

    The first member that may be an event counts; where none may, the first that is a text.
    """
    chosen = _chosen(fields)
    if chosen is None:
        return None
    inner = Origin(
        time=_time_in(fields) or origin.time,
        cluster=origin.cluster,
        stream=_stream(fields, origin),
        is_other=origin.is_other or sources.is_other(fields),
        layers=origin.layers + 1,
    )
    text = text_in(fields, chosen)
    if text is None:
        return Value(fields[chosen], inner)
    return _text(fields, chosen, text, inner)


def _chosen(fields: Fields) -> str | None:
    texts, objects = [], []
    for key in LINE_KEYS:
        value = fields.get(key)
        first = b"" if value is None else opening(value)
        if first == b"{":
            inner = object_in(fields, key) or {}
            if any(name.lower() in REQUIRED_IN_LOWER_CASE for name in inner):
                return key
            objects.append(key)
        elif first == b'"':
            text = (text_in(fields, key) or "").lstrip(" \t\r\n\0")
            if text.startswith("{") or _CRI.match(text[:128].encode()):
                return key
            texts.append(key)
    # A text behind a prefix, or a later part of a line, comes before an object that only may hold something.
    return texts[0] if texts else objects[0] if objects else None


def _text(fields: Fields, key: str, text: str, inner: Origin) -> Text:
    tag = text_in(fields, *_TAGS)
    if tag and tag[:1] in "FP":
        return Text(text.encode(), inner, Ending.PART if tag[:1] == "P" else Ending.LAST_PART)
    if key == "log" and text_in(fields, "stream") in ("stdout", "stderr"):
        # Docker keeps the line end of a whole line; shippers may take it off.
        is_docker = fields.keys() <= _DOCKER_KEYS
        missing = Ending.NO_LINE_END if is_docker else Ending.UNSAID
        return Text(text.encode(), inner, Ending.LINE_END if text.endswith("\n") else missing, is_strict=is_docker)
    return Text(text.encode(), inner)


def of_runtime(text: bytes, origin: Origin) -> Text | None:
    """The part of a line that a container runtime wrote down as text, with its tag; None where it is none."""
    found = _CRI.match(text)
    if found is None:
        return None
    inner = Origin(
        time=timestamps.normalise(found[1].decode()) or origin.time,
        cluster=origin.cluster,
        stream=f"{origin.stream}/{found[2].decode()}",
        is_other=origin.is_other,
        layers=origin.layers + 1,
    )
    return Text(text[found.end() :], inner, Ending.PART if found[3] == b"P" else Ending.LAST_PART)


def behind_prefix(text: bytes, origin: Origin) -> Text | None:
    """What a line holds behind what a tool printed before it; None where there is nothing of the kind."""
    head = text[:_LONGEST_PREFIX]
    if b"{" not in head:
        return None
    for prefix in _PREFIXES:
        found = prefix.match(head)
        if found is None:
            continue
        said = {name: value.decode() for name, value in found.groupdict().items() if value}
        inner = Origin(
            time=timestamps.normalise(said.get("time", "")) or origin.time,
            cluster=origin.cluster,
            stream=origin.stream,
            is_other=origin.is_other
            or sources.names_other_pod(said.get("container", ""), said.get("pod", ""), "")
            or sources.names_other_program(said.get("program", ""))
            or ("stream" in said and sources.stream_names_other("/aws/eks/", said["stream"])),
            layers=origin.layers + 1,
        )
        return Text(text[found.end() :], inner)
    return None


def _stream(fields: Fields, origin: Origin) -> str:
    """What tells the lines of one container from those of others in the same body."""
    kubernetes = object_in(fields, "kubernetes") or {}
    names = (
        text_in(fields, "stream", "_stream", "source"),
        text_in(kubernetes, "pod_name", "pod_id"),
        text_in(kubernetes, "container_name"),
        text_in(fields, "container_id", "file", "filename", "path"),
    )
    return "/".join((origin.stream, *(name or "" for name in names)))


def _time_in(fields: Fields) -> str:
    text = text_in(fields, "time", "@timestamp", "timestamp", "ts")
    if text and (normal := timestamps.normalise(text)):
        return normal
    return timestamps.of_epoch(number_in(fields, "date", "time", "timestamp", "ts") or 0.0)
