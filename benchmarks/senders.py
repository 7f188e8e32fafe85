"""Senders that know what they send: every shape, every credential, one body in twenty wrong in some way.

A delivery says what must become of it, event by event, so that a system can be held to it (`books.py`). Which events
are kept is the business of `RULES`; the senders know these by heart.
"""

import gzip
import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import orjson
from traffic import batches

from auditwire.senders.kind import SenderKind
from auditwire.senders.paths import EVENT_PATH
from auditwire_cli.send.bodies import body
from auditwire_cli.send.shape import Shape

MAX_EVENTS: Final = 400
BAD: Final = 0.05
REPEATED: Final = 0.02
"""How many bodies come a second time: kube-apiserver repeats what it got no answer to."""
EXEC: Final = 0.02
"""How many events are a shell in a pod, which alerts."""
WRITES: Final = ("create", "update", "patch", "delete")
REFUSED: Final = "-refused"
"""How the names of objects end whose alerts Alertmanager shall refuse."""

RULES: Final = {
    "webhook.yaml": """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {name: kube-auditing-webhook}
spec: {k8sAuditingEnabled: true}
""",
    "load.yaml": """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {name: load-archiving, labels: {type: archiving}}
spec:
  rules:
  - {name: Writes, type: rule, priority: DEBUG, condition: 'Verb in ("create", "update", "patch", "delete")'}
---
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {name: load-alerting, labels: {type: alerting}}
spec:
  rules:
  - {name: LoadExec, type: rule, priority: WARNING, condition: 'ObjectRef.Subresource = "exec"'}
""",
}

_SHAPES: Final = tuple(Shape)
_WAYS: Final = ("bearer", "basic", "path")
_FAULTS: Final = ("items", "broken", "gzip", "nan", "truncated", "credential")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request and what must become of it: the status, and what of its content is where afterwards."""

    cluster: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    archived: frozenset[str]
    """The auditIDs that are to be in the archive, once each."""
    ignored: int
    """How many events no rule wants."""
    quarantined: int
    """How many bodies and items cannot be read; no two are the same."""
    alerts: frozenset[str]
    """The names of the objects there is to be an alert about."""
    fault: str = ""

    @property
    def received(self) -> int:
        """Events and what should have been some, as ingest counts them."""
        return len(self.archived) + self.ignored + self.quarantined


@dataclass(frozen=True, slots=True)
class Sender:
    """One cluster's webhook; ``number`` decides shape, way of the credential, and whether it compresses."""

    number: int
    seed: int
    most: int = MAX_EVENTS
    """Events in one body."""

    @property
    def cluster(self) -> str:
        """Its registered name."""
        return f"load-{self.number}"

    @property
    def credential(self) -> str:
        """What it presents."""
        return f"credential-of-load-{self.number}"

    @property
    def shape(self) -> Shape:
        """The one shape it sends."""
        return _SHAPES[self.number % len(_SHAPES)]

    @property
    def kind(self) -> SenderKind:
        """Its registered sender kind."""
        if self.shape is Shape.JSONL:
            return SenderKind.ANY
        return SenderKind.KUBESPHERE if self.shape.of_kubesphere else SenderKind.KUBERNETES

    def deliveries(self, bodies: int | None = None) -> Iterator[Delivery]:
        """So many bodies, or without end, of 1 to ``most`` events, and a few of them twice.

        They are the same for the same number and seed.
        """
        dice = random.Random(f"{self.seed}/{self.number}")  # noqa: S311 - nothing secret about it
        for number in count() if bodies is None else range(bodies):
            fault = dice.choice(_FAULTS) if dice.random() < BAD else ""
            size = 1 if self.shape is Shape.SINGLE else dice.randint(1, self.most)
            events = _events(f"{self.cluster}-{number}", size, dice)
            delivery = self._delivery(events, fault, f"{self.cluster}-{number}")
            yield delivery
            if not fault and dice.random() < REPEATED:
                yield delivery

    def _delivery(self, events: list[dict[str, Any]], fault: str, tag: str) -> Delivery:
        content, readable, lost = _content(events, self.shape, fault, tag)
        taken = fault != "credential"
        compressed = self.number % 4 == 3 or fault == "gzip"
        if compressed:
            content = gzip.compress(content, 1, mtime=0)
        path, headers = self._addressed("wrong" if not taken else self.credential)
        encoded = {"Content-Encoding": "gzip", "Content-Type": "application/gzip"}
        kept = [event for event in readable if event["verb"] in WRITES] if taken else []
        return Delivery(
            cluster=self.cluster,
            path=path,
            headers=headers | (encoded if compressed else {"Content-Type": "application/json"}),
            # What is left out of a gzip stream is its end, with the checksum.
            body=content[:-9] if fault == "gzip" else content,
            status=200 if taken else 401,
            archived=frozenset(event["auditID"] for event in kept),
            ignored=len(readable) - len(kept) if taken else 0,
            quarantined=lost,
            alerts=frozenset(event["objectRef"]["name"] for event in kept if "subresource" in event["objectRef"]),
            fault=fault,
        )

    def _addressed(self, credential: str) -> tuple[str, dict[str, str]]:
        """Path and headers with a credential, in this sender's way."""
        match _WAYS[self.number % len(_WAYS)]:
            case "path":
                return f"{EVENT_PATH}/{credential}", {}
            case "basic":
                word = b64encode(f"{self.cluster}:{credential}".encode()).decode()
                return EVENT_PATH, {"Authorization": f"Basic {word}"}
            case _:
                return EVENT_PATH, {"Authorization": f"Bearer {credential}"}


def _events(tag: str, size: int, dice: random.Random) -> list[dict[str, Any]]:
    """Ordinary traffic in which, now and then, somebody runs a shell; each in a pod nobody else knows."""
    (batch,) = batches(1, size, seed=dice.getrandbits(48))
    events: list[dict[str, Any]] = orjson.loads(batch)["items"]
    for number, event in enumerate(events):
        if dice.random() < EXEC:
            name = f"{tag}-{number}{REFUSED if dice.random() < 0.1 else ''}"
            event["verb"] = "create"
            event["objectRef"] = {"resource": "pods", "subresource": "exec", "namespace": "shop", "name": name}
            event.pop("requestObject", None)
    return events


def _content(
    events: list[dict[str, Any]], shape: Shape, fault: str, tag: str
) -> tuple[bytes, list[dict[str, Any]], int]:
    """A body with this fault, what of the events can be read in it, and how much goes to quarantine."""
    items = [orjson.dumps(event) for event in events]
    whole = body(items, shape)
    # Lines are read one by one, so only one is lost; everything else is lost as a whole.
    rest = events[:-1] if shape is Shape.JSONL else []
    match fault:
        case "items":
            bad = [f'{{"level":"Metadata","place":"{tag}-{number}"}}'.encode() for number in range(3)]
            if shape is Shape.SINGLE:
                return body(bad[:1], shape), [], 1
            return body([bad[0], *items, *bad[1:]], shape), events, len(bad)
        case "broken":
            return f"<html>{tag}</html>".encode(), [], 1
        case "gzip":
            return whole, [], 1
        case "truncated":
            return whole[:-40], rest, 1
        case "nan":
            before, _, after = whole.rpartition(b'"code":')
            return before + b'"code":NaN,"was":' + after, rest, 1
        case _:
            return whole, events, 0
