"""The alerts queue: whatever anybody published, the relay tells alerts from the rest and posts only legal ones."""

import json
import re
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from typing import Any

from auditwire.alerts import MemoryDeadLetters, PeerAnswer
from auditwire.alerts.relay import relay
from fuzz import seeds
from fuzz.mutation import mutator
from fuzz.target import Target

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NOW = datetime(2026, 11, 21, 22, 6, tzinfo=UTC)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z")


class _Alertmanager:
    """A peer that refuses what the v2 API would."""

    url = "http://alertmanager"

    def __init__(self) -> None:
        self.wrong = ""

    def post(self, alerts: bytes, seconds: float) -> PeerAnswer:
        for alert in json.loads(alerts):
            self.wrong = self.wrong or _fault(alert)
        return PeerAnswer(200)


def _fault(alert: dict[str, Any]) -> str:
    if not alert["labels"]:
        return "no labels"
    for name, value in (*alert["labels"].items(), *alert["annotations"].items()):
        if not _NAME.fullmatch(name) or not isinstance(value, str) or not value:
            return f"an illegal label {name!r}: {value!r}"
    if not _TIME.fullmatch(alert["startsAt"]) or not alert["startsAt"] <= alert["endsAt"]:
        return f"odd times: {alert['startsAt']} to {alert['endsAt']}"
    return ""


def _relay(data: bytes) -> Hashable:
    bodies = data.decode("utf-8", "surrogateescape").split("\n---\n")[:10]
    records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
    peer, letters = _Alertmanager(), MemoryDeadLetters()
    done = relay(
        {"Records": records},
        peers=[peer],
        dead_letters=letters,
        ttl=timedelta(minutes=15),
        seconds=20,
        now=lambda: _NOW,
    )
    assert not peer.wrong, peer.wrong
    assert done.alerts == len(records) == done.delivered + done.failed + done.dead_lettered, "messages got lost"
    assert not done.failed, f"good messages failed: {done.peers}"
    json.dumps(done.as_response())
    json.dumps(done.log_fields())
    return done.delivered, done.dead_lettered


_TOKENS = (
    b"\n---\n", b"{", b"}", b"[", b"]", b",", b":", b'"', b'"labels":{', b'"annotations":{', b'"startsAt":"', b'"auditwire":{"first":',
    b'"Type":"Notification"', b'"Message":', b'"generatorURL":"http://a:99999/"', b"http://[::1", b"\\u0000", b"\xef\xbf\xbe", b"null",
)  # fmt: skip

RELAY = Target("relay", _relay, seeds.messages, mutator(_TOKENS), share=2)
