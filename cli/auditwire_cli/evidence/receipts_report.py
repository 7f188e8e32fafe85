"""Verifying receipts, and saying what they prove."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import CallError
from auditwire_cli.output import Output, printable

if TYPE_CHECKING:
    from auditwire.evidence.receipt import Receipt
    from auditwire.evidence.walk import Keys


def verify_receipts(path: Path, keys: "Keys", output: Output) -> int:
    """Prints what each receipt of a file proves; 0 where all do, else 1. Raises CallError for what is no file of
    receipts."""
    from auditwire.evidence.errors import MalformedError
    from auditwire.evidence.receipt import parse_receipts

    try:
        receipts = parse_receipts(path.read_bytes())
    except OSError as error:
        raise CallError(f"cannot read {path}: {error.strerror}") from None
    except MalformedError as error:
        raise CallError(f"{path}: {error}") from None
    said = [_said(receipt, keys) for receipt in receipts]
    is_good = all(one["state"] == "valid" for one in said)
    if output is Output.JSON:
        print(json.dumps({"receipts": said, "verdict": "intact" if is_good else "tampered"}))
    else:
        for one in said:
            print(printable(f"{one['state']:7}  {one['auditID']} {one['stage']}: {one['detail']}"))
    return 0 if is_good else 1


def _said(receipt: "Receipt", keys: "Keys") -> dict[str, Any]:
    from auditwire.evidence.receipt import RefusedError, prove

    about = _event(receipt.line)
    try:
        proven = prove(receipt, keys)
    except RefusedError as error:
        return {**about, "state": "invalid", "detail": str(error)}
    seal = proven.seal
    detail = f"it was in {proven.entry.key} when seal {seal.number} of {seal.cluster} was signed, at {seal.made}"
    return {
        **about,
        "state": "valid",
        "detail": detail,
        "cluster": seal.cluster,
        "number": seal.number,
        "key": proven.entry.key,
    }


def _event(line: str) -> dict[str, str]:
    try:
        event = json.loads(line)
        return {name: str(event.get(name, "")) for name in ("auditID", "stage")}
    except (ValueError, AttributeError):
        return {"auditID": "an event that cannot be read", "stage": ""}
