"""Alerts about sealing: what nobody saw in time, a chain that somebody has had a hand in, objects that are none."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from auditwire.alerts.self_alerts import self_alert
from auditwire.alerts.text import listed
from auditwire.evidence.exporting import SEAL_MISSING

if TYPE_CHECKING:
    from auditwire.alerts.alert import Alert
    from auditwire.evidence.exporting import ExportDone
    from auditwire.evidence.sealing import Sealed

SEALED_LATE: Final = "auditwire.EvidenceSealedLate"
CHAIN_DAMAGED: Final = "auditwire.SealChainDamaged"
OBJECTS_DAMAGED: Final = "auditwire.EvidenceDamaged"

EXPORT_INCOMPLETE: Final = "auditwire.ExportIncomplete"

_MAX_FAULTS: Final = 5


def alerts_about(done: "Sealed", cluster: str, bucket: str, time: datetime) -> "list[Alert]":
    """The alerts about what became of an order, none where all is well."""
    labels = {"cluster": cluster}
    alerts = []
    if done.unseen:
        annotations = {
            "summary": f"Objects of cluster {cluster} were sealed late",
            "message": f"{done.unseen:,} archived objects of cluster {cluster} were in no seal though they should have"
            " been; they are now.",
            "description": "Between arrival and seal nobody could have told whether they were changed. Notifications of"
            f" s3://{bucket} were lost, or nobody sealed for long. Look: auditwire verify --cluster {cluster}",
        }
        late = self_alert(SEALED_LATE, time=time, annotations=annotations, labels=labels, bundle="", count=done.unseen)
        alerts.append(late)
    if done.chain_faults:
        annotations = {
            "summary": f"Somebody has had a hand in the seals of cluster {cluster}",
            "message": f"The chain of seals of cluster {cluster} is not as it was written: {done.chain_faults[0]}.",
            "description": f"{listed(done.chain_faults, _MAX_FAULTS)}. New seals go on behind the last good one. Look:"
            f" auditwire verify --cluster {cluster}",
        }
        alerts.append(self_alert(CHAIN_DAMAGED, time=time, annotations=annotations, labels=labels, bundle=""))
    for fault, count in sorted(done.faults.items()):
        annotations = {
            "summary": f"Objects of cluster {cluster} in the archive are no events",
            "message": f"{count:,} objects of cluster {cluster} cannot be read as events: {fault}.",
            "description": "Ingest stores no such objects: somebody else did, or changed them before they were sealed."
            f" Their seal names them with this fault. Look: auditwire verify --cluster {cluster}",
        }
        by_fault = {**labels, "fault": fault}
        damaged = self_alert(
            OBJECTS_DAMAGED, time=time, annotations=annotations, labels=by_fault, bundle="", count=count
        )
        alerts.append(damaged)
    return alerts


def alerts_about_export(done: "ExportDone", cluster: str, time: datetime) -> "list[Alert]":
    """The alerts about what can never be exported, none where all is well."""
    alerts = []
    for reason, count in sorted(done.lost.items()):
        annotations = {
            "summary": f"The export of cluster {cluster} is incomplete",
            "message": f"{count:,} {'seals' if reason == SEAL_MISSING else 'events'} of cluster {cluster} cannot be"
            f" exported as OCSF: {reason}.",
            "description": "They were sealed, and are gone or not what was sealed any more."
            f" Look: auditwire verify --cluster {cluster}",
        }
        labels = {"cluster": cluster, "reason": reason}
        alerts.append(
            self_alert(EXPORT_INCOMPLETE, time=time, annotations=annotations, labels=labels, bundle="", count=count)
        )
    return alerts
