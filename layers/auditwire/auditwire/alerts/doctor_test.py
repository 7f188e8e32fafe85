"""The test alert of ``auditwire doctor``: it takes the whole road, disturbs nobody, and ends by itself.

Whatever comes with the credential of the reserved cluster is archived and raises this alert. Its severity is ``none``,
which no route should page anybody for, and the relay lets it end a minute after its delivery.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from auditwire.alerts.self_alerts import self_alert
from auditwire.alerts.text import annotation_value
from auditwire.clusters.cluster import DOCTOR_CLUSTER

if TYPE_CHECKING:
    from auditwire.alerts.alert import Alert

DOCTOR_TEST: Final = "auditwire.DoctorTest"
TEST_TTL: Final = timedelta(minutes=1)
PRIORITY: Final = "DEBUG"
"""Below what mail and usual filter policies let pass."""
RUN: Final = "run"
"""The label that tells the alerts of two runs apart."""


def doctor_test(audit_ids: Sequence[str], *, cluster: str, bundle: str) -> "list[Alert]":
    """The alert about a batch with these auditIDs; none if it is that of another cluster, or empty."""
    if cluster != DOCTOR_CLUSTER or not audit_ids:
        return []
    annotations = {
        "summary": "auditwire doctor is trying the road of an alert",
        "message": "This alert is a test. Nothing is wrong, and nothing is to be done.",
        "audit_ids": audit_ids[0],
    }
    labels = {"cluster": cluster, "severity": "none", "priority": PRIORITY, RUN: annotation_value(audit_ids[0], 64)}
    alert = self_alert(DOCTOR_TEST, time=None, annotations=annotations, labels=labels, bundle=bundle)
    return [replace(alert, priority=PRIORITY)]
