"""Records of OCSF: of whatever lies in the archive one is made, which has what the class requires."""

import json
from collections.abc import Hashable
from typing import Final

from auditwire.ocsf.record import MAX_RECORD_BYTES, encode_record
from fuzz import seeds
from fuzz.mutation import mutator
from fuzz.target import Target

_PLACE: Final = "events/x#0"
_REQUIRED: Final = frozenset(
    ("activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "src_endpoint", "time", "type_uid")
)  # fmt: skip


def _record(data: bytes) -> Hashable:
    encoded = encode_record(data, _PLACE, "20261121T220000.000000Z")
    assert len(encoded) <= MAX_RECORD_BYTES, f"{len(encoded)} bytes"
    assert b"\n" not in encoded, "more than one line"
    record = json.loads(encoded)
    assert record.keys() >= _REQUIRED, f"missing: {_REQUIRED - record.keys()}"
    assert record["type_uid"] == 600300 + record["activity_id"]
    assert record["metadata"]["uid"] == _PLACE
    assert record["src_endpoint"].keys() & {"ip", "name"}
    assert {"operation", "request"} <= record["api"].keys()
    assert -(2**31) <= record["api"].get("response", {}).get("code", 0) < 2**31
    assert json.loads(record["unmapped"]) is not None
    return record["activity_id"], record["status_id"], len(record), *record["metadata"].get("labels", ())


RECORD = Target("record", _record, lambda: [*seeds.bodies(), *seeds.vector_events()], mutator())
