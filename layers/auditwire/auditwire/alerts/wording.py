"""What an alert says: labels from one occurrence, annotations from all that were folded into it.

Labels are an alert's identity in Alertmanager, so they only name the act: who did what to which object. Clients choose
most of these values (a user may create objects under ever new names). So their number is bounded by the 500 alerts of a
batch, and their size by 256 characters. What changes from one occurrence to the next (addresses, user agents, times,
auditIDs) goes into annotations, which Alertmanager replaces without multiplying alerts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from auditwire.alerts.text import annotation_value, label_value, listed
from auditwire.events.label_names import OWN_ANNOTATIONS, OWN_LABELS, RUNBOOK, added_names, is_runbook
from auditwire.events.one_line import one_line

if TYPE_CHECKING:
    from auditwire.alerts.alert import Occurrence, Undecided
    from auditwire.events import Event
    from auditwire.rules import Rule

MAX_AUDIT_IDS: Final = 10

SEVERITY: Final = {"DEBUG": "info", "INFO": "info", "WARNING": "warning"}
"""The severity in Alertmanager for each priority, lowest priority first."""

_LABEL_OF: Final = {
    "Workspace": "workspace",
    "ObjectRef.Namespace": "namespace",
    "ObjectRef.Resource": "resource",
    "ObjectRef.Name": "name",
    "Verb": "verb",
    "User.Username": "user",
}
_MAX_LISTED: Final = 10
_MAX_ADDED: Final = 32
_MAX_AUDIT_ID_LENGTH: Final = 128


def labels_of(occurrence: "Occurrence", cluster: str) -> dict[str, str]:
    """The labels of the alert that an occurrence belongs to, sorted by name, without empty ones. Those of a rule with a
    threshold name the group, whichever of its events reached the threshold."""
    rule, event = occurrence.rule, occurrence.event
    act = _act(rule, event) if rule.threshold is None else _group(rule.threshold.group(event))
    fixed = {
        "alertname": rule.name,
        "severity": SEVERITY[rule.priority],
        "priority": str(rule.priority),
        "cluster": cluster,
        **act,
    }
    added = _added(rule.labels, rule.filled_labels(event), OWN_LABELS, label_value)
    return dict(sorted((_values(fixed, label_value) | added).items()))


def _act(rule: "Rule", event: "Event") -> dict[str, str]:
    return {
        "workspace": event.workspace,
        "namespace": event.objectRef.namespace,
        "resource": event.objectRef.resource,
        "name": event.objectRef.name,
        "verb": event.verb,
        # The user who authenticated. The impersonated user is in an annotation.
        "user": event.user.username or "",
        "event": event.digest if rule.alert == "distinct" else "",
    }


def _group(group: Mapping[str, str]) -> dict[str, str]:
    """The labels of a group: fields that alerts have a label for, and the others together in one."""
    known = {_LABEL_OF[name]: value for name, value in group.items() if name in _LABEL_OF}
    others = ", ".join(f"{name} {value}" for name, value in group.items() if name not in _LABEL_OF and value)
    return {**known, "threshold_group": others}


def labels_of_rule(rule: "Rule", event: "Event") -> dict[str, str]:
    """What a rule says about its alert on an event: severity, priority and the labels it adds."""
    fixed = {"severity": SEVERITY[rule.priority], "priority": str(rule.priority)}
    return fixed | _added(rule.labels, rule.filled_labels(event), OWN_LABELS, label_value)


def annotations_of(occurrences: "Sequence[Occurrence]", cluster: str) -> dict[str, str]:
    """The annotations of an alert that is folded from these occurrences (earliest first), sorted by name."""
    rule, event, message = occurrences[0].rule, occurrences[0].event, occurrences[0].message
    events = [occurrence.event for occurrence in occurrences]
    first, last = events[0].stageTimestamp or "", events[-1].stageTimestamp or ""
    impersonated = (one.impersonatedUser.username or "" for one in events if one.impersonatedUser)
    facts = {
        "message": message,
        "first_occurrence": first,
        "last_occurrence": last,
        "count": str(len(occurrences)),
        "source_addresses": _listed((", ".join(one.sourceIPs or ()) for one in events), "; "),
        "user_agent": _listed(one.userAgent for one in events),
        "decision": _listed(_annotation(one, "authorization.k8s.io/decision") for one in events),
        "reason": _listed(_annotation(one, "authorization.k8s.io/reason") for one in events),
        "impersonated_user": _listed(impersonated),
        "audit_ids": ", ".join(audit_ids(occurrences)),
        "archive_key": _listed(occurrence.archive_key for occurrence in occurrences),
        "threshold": "" if rule.threshold is None else rule.threshold.text.as_text(),
    }
    worded = {
        "summary": rule.desc or rule.name,
        "description": f"{act_of(event)} in cluster {cluster}: {_how_often(len(occurrences), first, last)}"
        f"{'' if rule.threshold is None else '; with others before, the threshold is reached'}",
    }
    added = _added(rule.annotations, rule.filled_annotations(event), OWN_ANNOTATIONS, annotation_value)
    if not is_runbook(rule.annotations.get(RUNBOOK, "")):
        added.pop(RUNBOOK, None)
    return dict(sorted((_values(facts | worded, annotation_value) | added).items()))


def audit_ids(occurrences: "Sequence[Occurrence | Undecided]") -> tuple[str, ...]:
    """The first 10 distinct auditIDs. Clients choose them, so each is one line of at most 128 characters."""
    different: dict[str, None] = {}
    for audit_id in dict.fromkeys(occurrence.event.auditID for occurrence in occurrences):
        different[annotation_value(audit_id, _MAX_AUDIT_ID_LENGTH)] = None
        if len(different) == MAX_AUDIT_IDS:
            break
    return tuple(different)


def act_of(event: "Event") -> str:
    """Who did what to which object, in one line."""
    target = event.objectRef
    kind = f"{target.resource}/{target.subresource}" if target.subresource else target.resource
    name = f"{target.namespace}/{target.name}" if target.namespace else target.name
    words = (event.user.username or "an unknown user", event.verb, kind or event.requestURI, name)
    return " ".join(one_line(word) for word in words if word)


def _how_often(count: int, first: str, last: str) -> str:
    return f"once, at {first}" if count == 1 else f"{count} events from {first} to {last}"


def _annotation(event: "Event", name: str) -> str:
    return (event.annotations or {}).get(name, "")


def _listed(values: Iterable[str], separator: str = ", ") -> str:
    return listed(values, _MAX_LISTED, separator)


def _values(values: Mapping[str, str], bounded: Callable[[str], str]) -> dict[str, str]:
    return {name: bounded(value) for name, value in values.items() if value}


def _added(
    written: Mapping[str, str], filled: Mapping[str, str], own: frozenset[str], bounded: Callable[[str], str]
) -> dict[str, str]:
    """What a rule adds: its first 32 values by name, under the names that they may have. ``filled`` has the values as
    they are for an event."""
    names = islice(added_names(written, own).items(), _MAX_ADDED)
    return _values({new: filled[name] for name, new in names}, bounded)
