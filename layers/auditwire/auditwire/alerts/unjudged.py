"""What could not be judged against a threshold in time: facts, and the alert that is to be published if they reach it.

They wait in the outbox as JSON lines. Whoever judges them later needs no rules: everything is in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from auditwire.alerts.message import Message
from auditwire.thresholds.store import Addition


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Matches of a group in one batch: what is to be counted, for which cluster and by which bundle. Without a
    ``message`` the alert has been published already."""

    addition: Addition
    cluster: str
    bundle: str
    message: Message | None


def encode_unjudged(facts: Sequence[Unjudged]) -> bytes:
    """Facts as JSON lines. The same facts give the same bytes."""
    return b"".join(orjson.dumps(_as_json(one)) + b"\n" for one in facts)


def decode_unjudged(lines: bytes) -> tuple[Unjudged, ...]:
    """Reads what encode_unjudged wrote. Raises ValueError for anything else."""
    try:
        return tuple(_from_json(orjson.loads(line)) for line in lines.splitlines())
    except (KeyError, TypeError) as error:
        raise ValueError(f"a line is no match: {error}") from None


def _as_json(one: Unjudged) -> dict[str, Any]:
    message = one.message
    return {
        "cluster": one.cluster,
        "bundle": one.bundle,
        **one.addition._asdict(),
        "message": None if message is None else {"message": message.body, "attributes": dict(message.attributes)},
    }


def _from_json(value: dict[str, Any]) -> Unjudged:
    message = value["message"]
    members = tuple(str(member) for member in value["members"])
    if not members:
        raise ValueError("a line has no members")
    addition = Addition(
        str(value["rule"]), int(value["at_least"]), int(value["within"]), str(value["group"]), int(value["window"]),
        members,
    )  # fmt: skip
    if addition.at_least < 1 or addition.within < 1:
        raise ValueError("a line has no threshold")
    return Unjudged(
        addition,
        str(value["cluster"]),
        str(value["bundle"]),
        None if message is None else Message(str(message["message"]), dict(message["attributes"])),
    )
