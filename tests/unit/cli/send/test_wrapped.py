"""What `send --as` puts around events is taken off again by the endpoint."""

import json
from pathlib import Path

import pytest

from auditwire.events import decode
from auditwire_cli.send.shape import Deliverer
from auditwire_cli.send.wrapped import wrapped

LOG = Path(__file__).parents[4] / "events" / "audit.log"
LINES = [line for line in LOG.read_bytes().splitlines() if line]


@pytest.mark.parametrize("deliverer", [one for one in Deliverer if one is not Deliverer.GKE])
def test_the_events_inside_are_the_same_byte_for_byte(deliverer: Deliverer) -> None:
    decoded = decode(wrapped(LINES, deliverer))

    assert [event.raw for event in decoded.events] == LINES
    assert (decoded.rejects, decoded.skipped) == ([], {})


def test_gke_keeps_what_it_keeps() -> None:
    decoded = decode(wrapped(LINES, Deliverer.GKE))
    assert (decoded.rejects, decoded.skipped) == ([], {})

    for line, event in zip(map(json.loads, LINES), decoded.events, strict=True):
        given = line.get("objectRef") or {}
        assert (event.auditID, event.verb) == (line["auditID"], line["verb"])
        assert event.user.username == (line["user"].get("username") or "system:anonymous")
        names = ("resource", "name", "subresource", "apiGroup")
        assert {name: getattr(event.objectRef, name) for name in names} == {name: given.get(name, "") for name in names}
        if "code" in (line.get("responseStatus") or {}) and line["responseStatus"]["code"] >= 400:
            assert event.responseStatus is not None
            assert event.responseStatus.code == line["responseStatus"]["code"]
        assert event.requestURI.partition("?")[0] == line["requestURI"].partition("?")[0]


@pytest.mark.parametrize("deliverer", Deliverer)
def test_what_is_no_event_is_wrapped_all_the_same(deliverer: Deliverer) -> None:
    for item in (b"7", b'"x"', b"[]", b'{"auditID":1}', b'{\n "a": 1\n}', b'{"objectRef":7,"user":[]}'):
        assert wrapped([item], deliverer)
