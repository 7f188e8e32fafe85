"""The envelopes of clouds and collectors, told by their keys: what is in each, and what each says about it.

Every function takes the members of an object and what is known of its origin, and gives the pieces in it. Sources of
the forms: the vendors' documentation of subscription filters, Firehose HTTP endpoints, Pub/Sub push, Azure Monitor's
resource logs, EventBridge, OTLP/JSON, Loki's push API, Splunk's HTTP event collector and Elasticsearch's search API.
"""

from collections.abc import Callable, Iterator

import msgspec

from auditwire.events import timestamps
from auditwire.events.casing import Fields, fields_of
from auditwire.events.reject import Skipped
from auditwire.events.wrapping import otlp, sources
from auditwire.events.wrapping.gke import is_log_entry, of_log_entry
from auditwire.events.wrapping.origin import Bytes, Ending, Origin, Piece, Skip, Text, Value
from auditwire.events.wrapping.values import list_in, number_in, object_in, opening, text_in, texts_in

_AUDIT_CATEGORIES = ("kube-audit", "kube-audit-admin")
_RECORD_KEYS = frozenset(("data", "recordId", "approximateArrivalTimestamp", "kinesisRecordMetadata"))

Reader = Callable[[Fields, Origin], Iterator[Piece]]


def envelope_of(fields: Fields) -> Reader | None:
    """Which envelope an object is, as the function that opens it; None for none."""
    if "protoPayload" in fields and is_log_entry(fields):
        return of_log_entry
    for key, is_it, reader in _BY_KEY:
        if key in fields and is_it(fields):
            return reader
    return None


def _cloudwatch_event(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """The event of a subscription filter's function: ``{"awslogs": {"data": …}}``."""
    yield from _bytes(object_in(fields, "awslogs") or {}, origin)


def _cloudwatch_message(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """What a subscription filter delivers: log events of one stream."""
    events = list_in(fields, "logEvents") or []
    if text_in(fields, "messageType") == "CONTROL_MESSAGE":
        yield from (Skip(Skipped.CONTROL_MESSAGE) for _ in range(max(1, len(events))))
        return
    group, stream = text_in(fields, "logGroup") or "", text_in(fields, "logStream") or ""
    is_other = origin.is_other or sources.stream_names_other(group, stream)
    cluster = group.removeprefix("/aws/eks/").removesuffix("/cluster") if group.startswith("/aws/eks/") else ""
    for event in events:
        about = fields_of(event) if opening(event) == b"{" else {}
        milliseconds = number_in(about, "timestamp")
        inner = Origin(
            time="" if milliseconds is None else timestamps.of_epoch(milliseconds / 1000),
            cluster=cluster or origin.cluster,
            stream=f"{group}/{stream}",
            is_other=is_other,
            layers=origin.layers + 1,
        )
        message = text_in(about, "message")
        yield Value(event, inner) if message is None else Text(message.encode(), inner)


def _records(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """``{"records": [...]}``, of Firehose and of Azure alike: what each record is says the record."""
    for record in list_in(fields, "records", "Records") or []:
        yield Value(record, _inside(origin))


def _data_record(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """A record of Firehose, or of a Kinesis event."""
    yield from _bytes(fields, origin)


def _kinesis_record(fields: Fields, origin: Origin) -> Iterator[Piece]:
    yield from _bytes(object_in(fields, "kinesis") or {}, origin)


def _pubsub_push(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """A push of Google's Pub/Sub, with its wrapper; without it the body is the message itself."""
    message = object_in(fields, "message") or {}
    time = timestamps.normalise(text_in(message, "publishTime", "publish_time") or "") or origin.time
    yield from _bytes(message, msgspec.structs.replace(origin, time=time))


def _azure_record(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """A resource log of Azure Monitor, wherever it was exported to. One category is one component's log."""
    properties = object_in(fields, "properties") or {}
    if not properties:
        packed = (text_in(fields, "properties") or "").encode()
        properties = fields_of(packed) if packed.startswith(b"{") and _is_object(packed) else {}
    log = text_in(properties, "log", "log_s") or text_in(fields, "log_s") or ""
    category = text_in(fields, "category", "Category") or ""
    pod = text_in(properties, "pod", "pod_s") or text_in(fields, "pod_s") or ""
    stream = text_in(properties, "stream", "stream_s") or text_in(fields, "stream_s") or ""
    container = text_in(properties, "containerID", "containerID_s") or text_in(fields, "containerID_s") or ""
    resource = text_in(fields, "resourceId", "ResourceId", "_ResourceId") or ""
    inner = Origin(
        time=timestamps.normalise(text_in(fields, "time", "TimeGenerated") or "") or origin.time,
        cluster=resource.lower() or origin.cluster,
        stream=f"{resource}/{pod}/{container}/{stream}",
        is_other=origin.is_other
        or (bool(category) and category not in _AUDIT_CATEGORIES)
        or sources.names_other_pod("", pod, ""),
        layers=origin.layers + 1,
    )
    ending = Ending.LINE_END if log.endswith("\n") else Ending.NO_LINE_END
    yield Text(log.encode(), inner, ending)


def _event_bridge(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """An event of Amazon EventBridge."""
    time = timestamps.normalise(text_in(fields, "time") or "") or origin.time
    yield Value(fields["detail"], msgspec.structs.replace(_inside(origin), time=time))


def _loki_push(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """A push of Loki's API: lines by stream, a stream being a set of labels."""
    for stream in list_in(fields, "streams") or []:
        about = fields_of(stream) if opening(stream) == b"{" else {}
        labels = texts_in(about, "stream")
        is_other = origin.is_other or sources.labels_name_other(labels)
        for entry in list_in(about, "values") or []:
            parts = list_in({"": entry}, "") or []
            line = {"time": parts[0], "text": parts[1]} if len(parts) >= 2 else {}
            text = text_in(line, "text")
            nanoseconds = number_in(line, "time") or 0.0
            inner = Origin(
                time=timestamps.of_epoch(nanoseconds / 1e9) or origin.time,
                cluster=origin.cluster,
                stream=repr(sorted(labels.items())),
                is_other=is_other,
                layers=origin.layers + 1,
            )
            yield Value(entry, inner) if text is None else Text(text.encode(), inner)


def _search_hits(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """The answer of a search in Elasticsearch or OpenSearch."""
    for hit in list_in(object_in(fields, "hits") or {}, "hits") or []:
        yield Value(hit, _inside(origin))


def _search_hit(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """One document of Elasticsearch, as searches and exports give it."""
    yield Value(fields["_source"], _inside(origin))


def _splunk_event(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """What is sent to Splunk's HTTP event collector."""
    inner = Origin(
        time=timestamps.of_epoch(number_in(fields, "time") or 0.0) or origin.time,
        cluster=origin.cluster,
        stream=origin.stream,
        is_other=origin.is_other or sources.splunk_names_other(fields),
        layers=origin.layers + 1,
    )
    text = text_in(fields, "event")
    yield Value(fields["event"], inner) if text is None else Text(text.encode(), inner)


def _bytes(fields: Fields, origin: Origin) -> Iterator[Piece]:
    data = text_in(fields, "data")
    if data:
        yield Bytes(data, _inside(origin))


def _inside(origin: Origin) -> Origin:
    return msgspec.structs.replace(origin, layers=origin.layers + 1)


def _is_object(text: bytes) -> bool:
    try:
        fields_of(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _has(*names: str) -> Callable[[Fields], bool]:
    return lambda fields: any(name in fields for name in names)


def _opens(name: str, first: bytes) -> Callable[[Fields], bool]:
    return lambda fields: opening(fields[name]) == first


def _is_push(fields: Fields) -> bool:
    message = object_in(fields, "message") or {}
    return "data" in message and ("subscription" in fields or "messageId" in message or "message_id" in message)


def _is_azure(fields: Fields) -> bool:
    properties = object_in(fields, "properties") or {}
    return "log" in properties or (
        opening(fields["properties"]) == b'"' and ("resourceId" in fields or "category" in fields)
    )


def _is_splunk(fields: Fields) -> bool:
    # The one key that is needed is "event", and many others have that too: Logstash's is about how a line was taken in.
    inner = object_in(fields, "event")
    return not (fields.keys() & {"message", "log", "MESSAGE"}) and (inner is None or "original" not in inner)


_BY_KEY: tuple[tuple[str, Callable[[Fields], bool], Reader], ...] = (
    ("awslogs", _opens("awslogs", b"{"), _cloudwatch_event),
    ("logEvents", _has("logGroup", "messageType", "logStream"), _cloudwatch_message),
    ("records", _opens("records", b"["), _records),
    ("Records", _opens("Records", b"["), _records),
    ("data", lambda fields: fields.keys() <= _RECORD_KEYS and opening(fields["data"]) == b'"', _data_record),
    ("kinesis", _opens("kinesis", b"{"), _kinesis_record),
    ("message", _is_push, _pubsub_push),
    ("properties", _is_azure, _azure_record),
    ("log_s", _has("Category", "category", "pod_s"), _azure_record),
    ("detail", _has("detail-type"), _event_bridge),
    ("resourceLogs", _opens("resourceLogs", b"["), otlp.of_json),
    ("streams", _opens("streams", b"["), _loki_push),
    ("hits", _opens("hits", b"{"), _search_hits),
    ("_source", _opens("_source", b"{"), _search_hit),
    ("event", _is_splunk, _splunk_event),
)
