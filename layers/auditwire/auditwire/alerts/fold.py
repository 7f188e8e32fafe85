"""From occurrences to alerts: one per rule, label set and batch, at most 500."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from auditwire.alerts.alert import Alert
from auditwire.alerts.text import annotation_value, label_value, listed
from auditwire.alerts.wording import SEVERITY, annotations_of, audit_ids, labels_of

if TYPE_CHECKING:
    from auditwire.alerts.alert import Occurrence

MAX_ALERTS_A_BATCH: Final = 500
FOLDED_ALERT: Final = "auditwire.AlertsFolded"

_MAX_RULES_LISTED: Final = 20
_RANK: Final = {priority: rank for rank, priority in enumerate(SEVERITY)}


def fold(
    occurrences: "Iterable[Occurrence]",
    *,
    cluster: str,
    bundle: str,
    archive_url: str = "",
    most: int = MAX_ALERTS_A_BATCH,
) -> list[Alert]:
    """The alerts of a batch in order of first occurrence. The same batch gives the same alerts.

    ``archive_url``, followed by the (URL-encoded) key of the archived object, becomes an alert's generatorURL; if it is
    empty there is none. If there are more than ``most`` alerts, ``most - 1`` of them stay: each rule's first alert
    before any rule's second, higher priorities before lower, so that a noisy rule cannot hide a quiet one. The rest
    becomes one ``auditwire.AlertsFolded``.
    """
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Occurrence]] = {}
    for occurrence in occurrences:
        labels = tuple(labels_of(occurrence, cluster).items())
        groups.setdefault((occurrence.rule.qualified, labels), []).append(occurrence)
    alerts = [_alert(dict(labels), members, cluster, bundle, archive_url) for (_, labels), members in groups.items()]
    alerts.sort(key=_order)
    if len(alerts) <= most:
        return alerts
    kept, rest = _most_telling(alerts, most - 1)
    return [*kept, _alert_of_the_rest(rest, cluster, bundle)]


def _alert(labels: dict[str, str], members: "list[Occurrence]", cluster: str, bundle: str, archive_url: str) -> Alert:
    members.sort(key=_moment)
    rule, first, last = members[0].rule, members[0], members[-1]
    return Alert(
        labels=labels,
        annotations=annotations_of(members, cluster),
        first=first.event.stageTimestamp or "",
        last=last.event.stageTimestamp or "",
        rule=rule.qualified,
        document=rule.document,
        priority=str(rule.priority),
        bundle=bundle,
        count=len(members),
        generator_url=archive_url and archive_url + quote(first.archive_key, safe="/="),
        audit_ids=audit_ids(members),
    )


def _moment(occurrence: "Occurrence") -> tuple[str, str]:
    # The digest decides the order of events of the same microsecond, in whatever order they came.
    return (occurrence.event.stageTimestamp or "", occurrence.event.digest)


def _order(alert: Alert) -> tuple[str, str, list[tuple[str, str]]]:
    return (alert.first, alert.rule, list(alert.labels.items()))


def _most_telling(alerts: Sequence[Alert], most: int) -> tuple[list[Alert], list[Alert]]:
    """Splits alerts (in order) into the ``most`` to keep and the rest, both in order."""
    seen: Counter[str] = Counter()
    ranked = []
    for position, alert in enumerate(alerts):
        ranked.append((seen[alert.rule], -_RANK[alert.priority], position))
        seen[alert.rule] += 1
    keep = {position for _, _, position in sorted(ranked)[:most]}
    kept = [alert for position, alert in enumerate(alerts) if position in keep]
    return kept, [alert for position, alert in enumerate(alerts) if position not in keep]


def _alert_of_the_rest(rest: Sequence[Alert], cluster: str, bundle: str) -> Alert:
    by_rule: Counter[str] = Counter()
    for alert in rest:
        by_rule[alert.rule] += alert.count
    priority = max((alert.priority for alert in rest), key=_RANK.__getitem__)
    count = by_rule.total()
    first, last = min(alert.first for alert in rest), max(alert.last for alert in rest)
    most_first = sorted(by_rule.items(), key=lambda rule: (-rule[1], rule[0]))
    keys = listed((alert.annotations.get("archive_key", "") for alert in rest), 10)
    description = (
        f"One batch of cluster {cluster} gave more than {MAX_ALERTS_A_BATCH} alerts. {len(rest)} of them, for"
        f" {count} events, were not sent one by one; every event is in the archive."
    )
    annotations = {
        "summary": f"{len(rest)} alerts of one batch were folded into this one",
        "description": description,
        "message": f"{len(rest)} alerts for {count} events of {len(by_rule)} rules folded",
        "rules": listed((f"{rule}: {events}" for rule, events in most_first), _MAX_RULES_LISTED),
        "count": str(count),
        "folded_alerts": str(len(rest)),
        "first_occurrence": first,
        "last_occurrence": last,
        "archive_key": keys,
    }
    labels = {
        "alertname": FOLDED_ALERT,
        "cluster": cluster,
        "priority": priority,
        "severity": SEVERITY[priority],
    }
    return Alert(
        labels={name: label_value(value) for name, value in labels.items()},
        annotations={name: annotation_value(annotations[name]) for name in sorted(annotations)},
        first=first,
        last=last,
        rule=FOLDED_ALERT,
        document="auditwire",
        priority=priority,
        bundle=bundle,
        count=count,
        generator_url=rest[0].generator_url,
    )
