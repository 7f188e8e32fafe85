"""Real events and rules for tests of what comes after deciding."""

from datetime import UTC, datetime, timedelta
from typing import Any

from auditwire.alerts import Occurrence
from auditwire.condition import compile_condition
from auditwire.events import Event, ObjectRef, User, settle
from auditwire.rules import Priority, Rule, RuleText

RECEIVED = datetime(2026, 11, 21, 22, 10, tzinfo=UTC)
FIRST = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)
KEY = "events/cluster=prod/date=2026-11-21/hour=22/20261121T220500.000000Z-abc.jsonl.gz"


CREATED = compile_condition('verb = "create"')


def event(number: int = 0, **changes: Any) -> Event:
    """A pod being created, ``number`` seconds after 22:05 UTC; settled for the cluster prod."""
    fields: dict[str, Any] = {
        "level": "Metadata",
        "auditID": f"id-{number}",
        "stage": "ResponseComplete",
        "verb": "create",
        "requestURI": "/api/v1/namespaces/default/pods",
        "user": User(username="alice"),
        "sourceIPs": ["198.51.100.7", "10.0.0.1"],
        "userAgent": "kubectl/v1.31",
        "objectRef": ObjectRef(resource="pods", namespace="default", name="web"),
        "stageTimestamp": (FIRST + timedelta(seconds=number)).isoformat(),
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": 'RBAC: allowed by "edit"',
        },
    }
    made = Event(**{**fields, **changes})
    settle(made, cluster="prod", received=RECEIVED)
    return made


def rule_of(name: str = "CreatePod", *, priority: str = "WARNING", **fields: Any) -> Rule:
    """A rule on created things; its other fields by name."""
    given = {"document": "alerting-rule", "desc": "a pod was created", **fields}
    return Rule(RuleText(name=name, priority=Priority(priority), expression=CREATED.expression, **given))


def occurrence(
    number: int = 0, *, rule: Rule | None = None, key: str = KEY, message: str = "", **changes: Any
) -> Occurrence:
    """An occurrence of a rule on ``event(number, **changes)``."""
    return Occurrence(rule or rule_of(), event(number, **changes), message or f"pod created, {number}", key)
