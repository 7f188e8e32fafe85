"""What clouds and shippers put around events: envelopes, wrapped lines, lines in parts, events that were cut off."""

import base64
import gzip
from collections.abc import Hashable

import msgspec

from auditwire.events import Flag, decode
from auditwire.events.bounds import MAX_ITEMS
from auditwire.events.pieces import pieces
from auditwire_cli.send.shape import Deliverer
from auditwire_cli.send.wrapped import wrapped
from fuzz.mutation import mutator
from fuzz.target import Target

_EVENT = (
    b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete",'
    b'"requestURI":"/api/v1/pods","verb":"create","user":{"username":"u"},"requestObject":{"auditID":"inner","level":'
    b'"Metadata","stage":"Panic","verb":"get","x":"\\"auditID\\":\\"inner\\""}}'
)
_TEXT = msgspec.json.encode(_EVENT.decode())
_CRI = b"2026-11-21T22:05:00.004123456Z stdout "
_SHAPES = (
    *(wrapped([_EVENT, _EVENT], one) for one in Deliverer),
    b'{"requestId":"r","timestamp":1,"records":[{"data":"%b"}]}' % base64.b64encode(gzip.compress(_EVENT, mtime=0)),
    b'{"Records":[{"kinesis":{"data":"%b"}}]}' % base64.b64encode(_EVENT),
    b'{"detail-type":"x","detail":%b}' % _EVENT,
    b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":%b}}]}]}]}' % _TEXT,
    b"\x0a\x0a\x12\x08\x12\x06\x2a\x04\x0a\x02{}",
    b'{"streams":[{"stream":{"filename":"audit.log"},"values":[["1795298700004000000",%b]]}]}' % _TEXT,
    b'{"time":1,"host":"h","event":%b}{"event":%b}' % (_EVENT, _TEXT),
    b'{"hits":{"hits":[{"_index":"i","_source":%b}]}}' % _EVENT,
    b'[{"log":%b,"kubernetes":{"container_name":"kube-apiserver","pod_name":"kube-apiserver-1"}},{"log":%b,"kubernetes":'
    b'{"container_name":"app"}}]' % (_TEXT, _TEXT),
    b"%bP %b\n%bF %b\n" % (_CRI, _EVENT[:90], _CRI, _EVENT[90:]),
    b'{"log":%b,"stream":"stdout","time":"2026-11-21T22:05:00Z"}\n' % msgspec.json.encode(_EVENT.decode() + "\n"),
    b"<13>1 2026-11-21T22:05:00Z h audit - - - " + _EVENT,
    b'{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/aws/eks/x/cluster","logStream":"kube-apiserver-audit-1",'
    b'"logEvents":[{"timestamp":1,"message":%b}]}' % msgspec.json.encode(_EVENT[:230].decode() + "[Truncated...]"),
    b'{"AuditId":"a","Level":"Metadata","Stage":"Panic","Verb":"get","RequestReceivedTime":"2026-11-21T22:05:00Z",'
    b'"StageReceivedTime":"2026-11-21T22:05:00Z","User":{"username":"u"},"PodName":"kube-apiserver-1"}',
)
_WORDS = (
    b"[Truncated...]", b'"log":', b'"message":', b'"records":[', b'"data":"', b'"protoPayload":', b'"event":', b"\\n", b"\n",
    b'"auditID":"a"', b'"kubernetes":{"container_name":"kube-apiserver"}', _CRI + b"P ", _CRI + b"F ", b"H4sIAAAAAAAA",
)  # fmt: skip


def _wrapping(data: bytes) -> Hashable:
    decoded = decode(data)
    assert len(decoded.events) + len(decoded.rejects) <= MAX_ITEMS, "more than a body may hold"
    for event in decoded.events:
        given = msgspec.json.decode(event.raw)
        assert isinstance(given, dict), "an event that was no object"
        if Flag.CONVERTED not in event.flags:
            keys = {key.lower() for key in given}
            assert {"level", "stage", "auditid"} <= keys, "an event of something that has no fields of one"
        assert bool(event.cut_text) == (Flag.CUT_OFF in event.flags), "an event cut off without its text"
        assert not event.unknown_paths & {"level", "stage", "verb", "auditID"}, "what decides is unknown"
    if len(data) < 4_096:
        assert list(pieces([data])) in ([data], []), "a small stream is not given as it is"
    kinds = frozenset((frozenset(event.flags), bool(event.reportedCluster)) for event in decoded.events[:20])
    return kinds, frozenset(reject.reason for reject in decoded.rejects), frozenset(decoded.skipped)


WRAPPING = Target("wrapping", _wrapping, lambda: list(_SHAPES), mutator(_WORDS), share=2)
