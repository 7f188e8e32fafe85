"""Verifies receipts, and shows what they prove."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import ExitCode, UsageError
from auditwire_cli.files import read_file
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import Output, show, show_json

if TYPE_CHECKING:
    from auditwire.evidence.receipt import Receipt
    from auditwire.evidence.walk import Keys


def verify_receipts(path: Path, keys: "Keys", output: Output) -> ExitCode:
    """Show what each receipt in a file proves; OK where all of them prove something, else FINDINGS.

    Raises UsageError for a file that cannot be read or has no receipts.
    """
    from auditwire.evidence.errors import MalformedError
    from auditwire.evidence.receipt import parse_receipts

    try:
        receipts = parse_receipts(read_file(path))
    except MalformedError as error:
        raise UsageError(f"{path}: {error}") from None
    said = [_said(receipt, keys) for receipt in receipts]
    is_good = all(one["state"] == "valid" for one in said)
    if output is Output.JSON:
        show_json({"receipts": said, "verdict": "intact" if is_good else "tampered"})
    else:
        for one in said:
            show(printable(f"{one['state']:7}  {one['auditID']} {one['stage']}: {one['detail']}"))
    return ExitCode.OK if is_good else ExitCode.FINDINGS


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
