"""The alert about events of which so much is missing that rules cannot judge them."""

from typing import TYPE_CHECKING, Final

from auditwire.alerts.self_alerts import self_alert
from auditwire.alerts.text import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditwire.alerts.alert import Alert
    from auditwire.events import Reject

BODY_MISSING: Final = "auditwire.BodyMissing"

_MAX_NAMED: Final = 5
_MAX_URI: Final = 120


def events_cut_early(rejects: "Sequence[Reject]", *, cluster: str, bundle: str) -> "list[Alert]":
    """The alert about events that were cut off before they said what was done; none where there are none.

    Nobody can judge such an event, and whoever makes a request can make it that long. So it always alerts, with what is
    known: auditIDs, the beginnings of URIs, and when they were logged.
    """
    cut = [reject.cut for reject in rejects if reject.cut is not None]
    if not cut:
        return []
    times = sorted(one.time for one in cut if one.time)
    events = "1 event" if len(cut) == 1 else f"{len(cut)} events"
    was = "was" if len(cut) == 1 else "were"
    annotations = {
        "summary": f"Events of cluster {cluster} were cut off before they said what was done",
        "message": f"{events} of cluster {cluster} {was} cut off before the verb, so no rule could judge"
        f" {'it' if len(cut) == 1 else 'them'}.",
        "description": "Somebody made a request so long that its event was cut on its way here, which hides what was"
        " asked. Look the request up where it was logged, and see what is left of it:"
        f" auditwire quarantine list --cluster {cluster} --reason cut_before_verb",
        "audit_ids": listed((one.auditID for one in cut), _MAX_NAMED),
        "request_uris": listed((one.requestURI[:_MAX_URI] for one in cut if one.requestURI), _MAX_NAMED),
        "first_logged": times[0] if times else "",
        "last_logged": times[-1] if times else "",
        "count": str(len(cut)),
    }
    labels = {"cluster": cluster, "reason": "cut_before_verb"}
    return [self_alert(BODY_MISSING, time=None, annotations=annotations, labels=labels, bundle=bundle, count=len(cut))]
