"""Alerts about auditwire itself, named ``auditwire.<Name>``. They are published like those of the rules.

Each has a section in docs/runbooks.md, and its annotation ``runbook_url`` points there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from auditwire.alerts.alert import Alert
from auditwire.alerts.errors import NotPublishedError
from auditwire.alerts.text import annotation_value, label_value
from auditwire.alerts.wording import SEVERITY
from auditwire.documents.diagnostics import Diagnostic

if TYPE_CHECKING:
    from auditwire.alerts.sns import Publisher

RULES_REFUSED: Final = "auditwire.RulesRefused"
RUNBOOKS: Final = "docs/runbooks.md"
"""Where the runbooks are if no address is configured."""

_DOCUMENT: Final = "auditwire"
_PRIORITY: Final = "WARNING"
_MAX_FINDINGS: Final = 5


def self_alert(
    name: str,
    *,
    time: datetime | None,
    annotations: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
    bundle: str,
    count: int = 1,
) -> Alert:
    """An alert of severity warning. ``name`` is ``auditwire.<Name>``, ``bundle`` the digest of the rules in force.

    ``time`` is when the cause began; None stands for the time of delivery. Values are made legal and cut; empty ones
    are left out.
    """
    moment = "" if time is None else time.isoformat(timespec="microseconds").replace("+00:00", "Z")
    values = {"alertname": name, "severity": SEVERITY[_PRIORITY], "priority": _PRIORITY, **(labels or {})}
    return Alert(
        labels={key: label_value(value) for key, value in values.items() if value},
        annotations={key: annotation_value(value) for key, value in annotations.items() if value},
        first=moment,
        last=moment,
        rule=name,
        document=_DOCUMENT,
        priority=_PRIORITY,
        bundle=bundle,
        count=count,
    )


def with_runbook(alert: Alert, runbooks: str = RUNBOOKS) -> Alert:
    """The alert with the address of its runbook, if it is about auditwire itself. ``runbooks`` is the address of
    docs/runbooks.md."""
    if alert.document != _DOCUMENT:
        return alert
    url = annotation_value(f"{runbooks}#{alert.rule.replace('.', '').lower()}")
    # A rule of a document that somebody has named auditwire may have a runbook_url of its own.
    return replace(alert, annotations={"runbook_url": url, **alert.annotations})


def rules_refused(
    diagnostics: Sequence[Diagnostic], digest: str | None, active: str | None, bucket: str, time: datetime
) -> Alert:
    """The alert about a refused upload: where its first errors are, and which rules stay in force.

    ``digest`` names the refused documents, ``active`` those in force (None: the default pack).
    """
    errors = [found for found in diagnostics if found.is_error]
    count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    stays = (
        f"the rules before them stay in force (bundle {active[:12]})" if active else "the default rules stay in force"
    )
    first = "; ".join(_sentence(found) for found in errors[:_MAX_FINDINGS])
    more = len(errors) - _MAX_FINDINGS
    annotations = {
        "summary": f"The rules uploaded to s3://{bucket}/rules/ are refused",
        "message": f"The uploaded rules have {count}, {stays}.",
        "description": f"{first}; and {more} more" if more > 0 else first,
        "report": f"s3://{bucket}/status.json",
        "refused_digest": digest or "",
    }
    # Two stacks that share an Alertmanager are told apart by the bucket.
    return self_alert(RULES_REFUSED, time=time, annotations=annotations, labels={"bucket": bucket}, bundle=active or "")


def publish_self_alert(publisher: "Publisher", alert: Alert, deadline: float) -> None:
    """Publishes one alert about auditwire itself until ``deadline``, in seconds of the publisher's clock. Raises
    NotPublishedError."""
    if not publisher.publish([alert], deadline).sent:
        raise NotPublishedError(f"{alert.rule} could not be published: {alert.annotations.get('message', '')}")


def publish_self_alerts(
    publisher: "Publisher", alerts: Sequence[Alert], deadline: float, runbooks: str
) -> tuple[list[Alert], list[str]]:
    """Publishes alerts of our own until ``deadline``, in seconds of the publisher's clock: those that were, and a
    sentence for each that was not."""
    if not alerts:
        return [], []
    named = [with_runbook(alert, runbooks) for alert in alerts]
    published = publisher.publish(named, deadline)
    left = [*published.failed, *published.refused]
    told = [alert for alert in named if not any(alert is one for one in left)]
    return told, [f"an alert could not be published: {alert.annotations['message']}" for alert in left]


def _sentence(found: Diagnostic) -> str:
    place = ":".join(str(part) for part in (found.path, found.line, found.column) if part)
    return f"{place + ': ' if place else ''}{found.code} {found.message}"
