"""How a request ended."""

from typing import Any

import pytest

from auditwire.events import Event, ObjectRef, ResponseStatus
from auditwire.events.outcome import MEMBERS, outcome_depends, reason_depends
from made_events import event

FORBID = {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "no RBAC policy matched"}
ALL = "/api/v1/pods?dryRun=All"


def ended(code: int | None = 200, *, reason: str | None = None, verb: str = "create", **more: Any) -> Event:
    status = None if code is None and reason is None else ResponseStatus(code=code, reason=reason)
    return event(verb=verb, responseStatus=status, **more)


@pytest.mark.parametrize(
    ("one", "outcome"),
    [
        (ended(201), "allowed"),
        (ended(101, subresource="exec"), "allowed"),
        (ended(302), "allowed"),
        (ended(None), None),
        (ended(0), None),
        (ended(None, reason="x"), None),
        (ended(403, stage="RequestReceived"), None),
        (ended(None, annotations=FORBID), None),
        (ended(200, annotations=FORBID), "denied"),
        (ended(500, annotations=FORBID), "denied"),
        (ended(401), "denied"),
        (ended(403, requestURI=ALL), "denied"),
        (ended(403, stage="Panic"), "denied"),
        (ended(400), "failed"),
        (ended(404, verb="get"), "failed"),
        (ended(503, requestURI=ALL), "failed"),
        (ended(200, stage="Panic", requestURI=ALL), "failed"),
        (ended(200, stage="ResponseStarted", verb="watch"), "allowed"),
        (ended(requestURI=ALL), "dry-run"),
        *((ended(requestURI=ALL, verb=verb), "dry-run") for verb in ("update", "patch", "delete", "deletecollection")),
        *((ended(requestURI=ALL, verb=verb), "allowed") for verb in ("get", "list", "watch", "proxy", "", "CREATE")),
        *(
            (ended(requestURI=ALL, subresource=subresource), "allowed")
            for subresource in ("exec", "attach", "portforward", "proxy", "token")
        ),
        (ended(requestURI=ALL, subresource="status"), "dry-run"),
        (ended(requestURI=ALL, subresource="ephemeralcontainers", verb="patch"), "dry-run"),
        (ended(requestURI="/x?a=1&dryRun=All&b"), "dry-run"),
        (ended(requestURI="/x?dryRun=All&dryRun=All"), "dry-run"),
        (ended(requestURI="/x?%64ryRun=%41%6c%6C"), "dry-run"),
        (ended(requestURI="/x?dryRun=All&dryRun=None"), "allowed"),
        (ended(requestURI="/x?dryRun=All&dryRun="), "allowed"),
        (ended(requestURI="/x?dryRun=All&dryRun"), "allowed"),
        (ended(requestURI="/x?dryRun=all"), "allowed"),
        (ended(requestURI="/x?dryRun=All+"), "allowed"),
        (ended(requestURI="/x?DryRun=All"), "allowed"),
        (ended(requestURI="/x?a=dryRun=All"), "allowed"),
        (ended(requestURI="/x;dryRun=All"), "allowed"),
        (ended(requestURI="/x?a;dryRun=All"), "allowed"),
        (ended(requestURI="/x?a=1?dryRun=All"), "allowed"),
        (ended(requestURI="/x/dryRun=All"), "allowed"),
        (ended(requestURI=""), "allowed"),
    ],
)
def test_the_first_that_holds_is_the_outcome(one: Event, outcome: str | None) -> None:
    assert one.outcome == outcome


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (ended(403, reason="Forbidden", annotations=FORBID), "no RBAC policy matched"),
        (ended(403, reason="Forbidden"), "Forbidden"),
        (ended(403, reason="Forbidden", annotations={"authorization.k8s.io/reason": ""}), "Forbidden"),
        (ended(201, annotations={"authorization.k8s.io/reason": ""}), None),
        (ended(None), None),
    ],
)
def test_the_authorizer_is_asked_first_for_the_reason(one: Event, reason: str | None) -> None:
    assert one.outcomeReason == reason


@pytest.mark.parametrize(
    ("one", "unknown", "depends"),
    [
        (ended(201), {"annotations"}, True),
        (ended(201), {"requestURI"}, True),
        (ended(201), {"responseStatus"}, True),
        (ended(201, stage="RequestReceived"), MEMBERS - {"stage"}, False),
        (ended(201), {"stage"}, True),
        (ended(403), {"annotations", "requestURI", "verb", "objectRef"}, False),
        (ended(404), {"requestURI", "verb"}, False),
        (ended(404), {"annotations"}, True),
        (ended(201, annotations=FORBID), {"requestURI"}, False),
        (ended(None), {"annotations", "requestURI"}, False),
    ],
)
def test_an_outcome_that_follows_from_what_is_known_is_known(one: Event, unknown: set[str], depends: bool) -> None:
    assert outcome_depends(one, unknown) is depends


def test_a_reason_depends_on_the_answer_only_without_one_of_the_authorizer() -> None:
    assert not reason_depends(ended(403, annotations=FORBID), {"responseStatus"})
    assert reason_depends(ended(403), {"responseStatus"})
    assert reason_depends(ended(403, annotations=FORBID), {"annotations"})


def test_values_of_other_types_stop_nothing() -> None:
    odd: Any = ["get"]

    assert event(verb=odd, responseStatus=ResponseStatus(code=200)).outcome == "allowed"
    assert Event(
        level="Request", auditID="a", stage="s", verb="create", objectRef=ObjectRef(subresource=odd),
        responseStatus=ResponseStatus(code=200), requestURI=ALL,
    ).outcome == "dry-run"  # fmt: skip
