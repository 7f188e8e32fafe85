"""Alerts about events of which so much is missing that rules cannot judge them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from auditwire.alerts.self_alerts import self_alert
from auditwire.alerts.text import label_value, listed
from auditwire.alerts.wording import SEVERITY, act_of, audit_ids, labels_of_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditwire.alerts.alert import Alert, Occurrence
    from auditwire.events import Reject

BODY_MISSING: Final = "auditwire.BodyMissing"

MAX_ALERTS: Final = 50
"""How many alerts about undecided rules one batch makes at most."""

_MAX_NAMED: Final = 5
_MAX_URI: Final = 120
_RANK: Final = {priority: rank for rank, priority in enumerate(SEVERITY)}


def bodies_missing(
    occurrences: "Iterable[Occurrence]", *, cluster: str, bundle: str, archive_url: str = ""
) -> "list[Alert]":
    """The alerts about rules that would alert if they matched, and of which nobody can say whether they do, because a
    part of the event is missing.

    One for each rule and user, with the severity and the labels of the rule; the same batch gives the same alerts. If
    there were more than ``MAX_ALERTS``, those of the highest priority stay, and the last one is about all the others.
    ``archive_url`` is the prefix of links to archived objects, empty for none.
    """
    groups: dict[tuple[str, str, str], list[Occurrence]] = {}
    for occurrence in occurrences:
        user = label_value(occurrence.event.user.username or "")
        groups.setdefault((occurrence.rule.document, occurrence.rule.name, user), []).append(occurrence)
    ranked = sorted(groups.items(), key=lambda group: (-_RANK[group[1][0].rule.priority], group[0]))
    if len(ranked) <= MAX_ALERTS:
        return [_undecided(members, cluster, bundle, archive_url) for _, members in ranked]
    rest = [occurrence for _, members in ranked[MAX_ALERTS - 1 :] for occurrence in members]
    alone = [_undecided(members, cluster, bundle, archive_url) for _, members in ranked[: MAX_ALERTS - 1]]
    return [*alone, _undecided(rest, cluster, bundle, archive_url, is_rest=True)]


def _undecided(
    members: "Sequence[Occurrence]", cluster: str, bundle: str, archive_url: str, *, is_rest: bool = False
) -> "Alert":
    """One alert about occurrences of one rule and user; of several, if ``is_rest``."""
    rule, every = members[0].rule, members
    # An event that several rules of the rest need is one event.
    different = {one.event.digest: one for one in members}
    members = sorted(different.values(), key=lambda one: (one.event.stageTimestamp or "", one.event.digest))
    first, last, count = members[0], members[-1], len(members)
    events = "1 event" if count == 1 else f"{count} events"
    labels = {
        "severity": SEVERITY[rule.priority], "priority": str(rule.priority), "cluster": cluster
    } if is_rest else {
        **labels_of_rule(rule, first.event), "cluster": cluster, "rule": rule.name, "document": rule.document,
        "user": first.event.user.username or "",
    }  # fmt: skip
    whose = "more rules and users" if is_rest else f"rule {rule.qualified}"
    annotations = {
        "summary": f"A missing part of an event decides whether {whose} alerts in cluster {cluster}",
        "message": f"{act_of(first.event)}: {events} of cluster {cluster} came without the part that {whose} needs.",
        "description": "Nobody can say whether it matches. The sender left a body out because it was too large, or the"
        " event was cut off on its way here; whoever makes a request can make it that large. Look at the object"
        " itself, or at the log of the API server.",
        "missing": listed(sorted(frozenset().union(*{one.event.unknown_paths for one in members})), 20),
        "acts": listed((act_of(one.event) for one in members), _MAX_NAMED),
        "audit_ids": ", ".join(audit_ids(members)),
        "source_addresses": listed((", ".join(one.event.sourceIPs or ()) for one in members), _MAX_NAMED, "; "),
        "count": str(count),
        "rules": listed((one.rule.qualified for one in every), 20) if is_rest else "",
        "users": listed((one.event.user.username or "" for one in members), 20) if is_rest else "",
        "first_occurrence": first.event.stageTimestamp or "",
        "last_occurrence": last.event.stageTimestamp or "",
        "archive_key": listed((one.archive_key for one in members), _MAX_NAMED),
    }
    alert = self_alert(BODY_MISSING, time=None, annotations=annotations, labels=labels, bundle=bundle, count=count)
    return replace(
        alert,
        first=first.event.stageTimestamp or "",
        last=last.event.stageTimestamp or "",
        priority=str(rule.priority),
        generator_url=archive_url and archive_url + quote(first.archive_key, safe="/="),
        audit_ids=audit_ids(members),
    )


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
