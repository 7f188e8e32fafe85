"""How a request ended: refused, failed, tried out only, or done. The functions take an ``Event``."""

from collections.abc import Set as AbstractSet
from typing import Any, Final
from urllib.parse import parse_qsl

DENIED: Final = "denied"
FAILED: Final = "failed"
DRY_RUN: Final = "dry-run"
ALLOWED: Final = "allowed"
OUTCOMES: Final = (ALLOWED, DENIED, FAILED, DRY_RUN)

MEMBERS: Final = frozenset(("stage", "annotations", "responseStatus", "verb", "objectRef", "requestURI"))
"""The members of an event that say how its request ended."""

_DECISION: Final = "authorization.k8s.io/decision"
_FORBID: Final = "forbid"
_REASON: Final = "authorization.k8s.io/reason"
_REFUSED: Final = (401, 403)
_FIRST_ERROR: Final = 400
# Tuples, because an event that was built by hand may hold what has no hash.
_CHANGES: Final = ("create", "update", "patch", "delete", "deletecollection")
_WITHOUT_DRY_RUN: Final = ("exec", "attach", "portforward", "proxy", "token")


def outcome_of(event: Any) -> str | None:
    """One of ``OUTCOMES``: the first that holds in the order denied, failed, dry-run, allowed. None while the request
    has no answer yet."""
    code = _code(event)
    if code is None:
        return None
    annotations = event.annotations
    if code in _REFUSED or (annotations and annotations.get(_DECISION) == _FORBID):
        return DENIED
    if code >= _FIRST_ERROR or event.stage == "Panic":
        return FAILED
    return DRY_RUN if event.verb in _CHANGES and _is_dry_run(event) else ALLOWED


def outcome_depends(event: Any, unknown: AbstractSet[str]) -> bool:
    """Whether the outcome depends on members of the event that are unknown."""
    if "stage" in unknown or ("responseStatus" in unknown and event.stage != "RequestReceived"):
        return True
    code = _code(event)
    if code is None or code in _REFUSED:
        return False
    if "annotations" in unknown:
        return True
    if (event.annotations or {}).get(_DECISION) == _FORBID or code >= _FIRST_ERROR or event.stage == "Panic":
        return False
    return bool(unknown & {"verb", "objectRef", "requestURI"})


def reason_of(event: Any) -> str | None:
    """Why: what the authorizer says, else what the answer says."""
    status = event.responseStatus
    reason: str | None = (event.annotations or {}).get(_REASON) or (None if status is None else status.reason)
    return reason or None


def reason_depends(event: Any, unknown: AbstractSet[str]) -> bool:
    """Whether the reason depends on members of the event that are unknown."""
    return "annotations" in unknown or not (event.annotations or {}).get(_REASON)


def _code(event: Any) -> int | None:
    """The code of the answer; 0 is how Go says that there is none."""
    status = event.responseStatus
    if status is None or event.stage == "RequestReceived":
        return None
    code: int | None = status.code
    return code or None


def _is_dry_run(event: Any) -> bool:
    """Whether the API server only tried a change out.

    Tokens and connections to pods know no dry run: there the parameter is just what a client wrote, as in reads.
    """
    uri = event.requestURI
    if "dryRun" not in uri and "%" not in uri:
        return False  # as in most requests, and without parsing
    _, _, query = uri.partition("?")
    if not query or event.objectRef.subresource in _WITHOUT_DRY_RUN:
        return False
    asked = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "dryRun"]
    return bool(asked) and all(value == "All" for value in asked)
