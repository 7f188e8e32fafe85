"""Alerts about events of which so much is missing that rules cannot judge them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from auditwire.alerts.self_alerts import self_alert
from auditwire.alerts.text import label_value, listed
from auditwire.alerts.wording import SEVERITY, act_of, audit_ids, labels_of_rule

if TYPE_CHECKING:
    from auditwire.alerts.alert import Alert, Undecided
    from auditwire.events import Reject
    from auditwire.rules import Priority, Rule

BODY_MISSING: Final = "auditwire.BodyMissing"

MAX_ALERTS: Final = 50
"""How many alerts about undecided rules one batch makes at most."""

_MAX_NAMED: Final = 5
_MAX_LISTED: Final = 20
_MAX_URI: Final = 120
_DESCRIPTION: Final = (
    "Nobody can say whether they match. The sender left a body out because it was too large, or the event was cut off"
    " on its way here; whoever makes a request can make it that large. Look at the object itself, or at the log of the"
    " API server."
)
_RANK: Final = {priority: rank for rank, priority in enumerate(SEVERITY)}


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is the same for all alerts of a batch. ``archive_url`` is the prefix of links to archived objects."""

    cluster: str
    bundle: str
    archive_url: str


class _OfUser:
    """The different events of one user, by the rules that cannot judge them."""

    def __init__(self) -> None:
        self.rules: set[Rule] = set()
        self._events: dict[tuple[Rule, ...], dict[str, Undecided]] = {}
        self._found: dict[tuple[int, ...], _Events] = {}

    def add(self, one: "Undecided") -> None:
        self.rules.update(one.rules)
        self._events.setdefault(one.rules, {})[one.event.digest] = one

    def undecided(self, some: "Iterable[Rule]") -> "_Events":
        """Those that at least one of these rules cannot judge."""
        wanted = frozenset(some)
        groups = [(at, group) for at, (rules, group) in enumerate(self._events.items()) if not wanted.isdisjoint(rules)]
        # Most rules cannot judge the same events, of which there may be thousands.
        key = tuple(at for at, _ in groups)
        if key not in self._found:
            self._found[key] = _Events(chain.from_iterable(group.values() for _, group in groups))
        return self._found[key]


class _Events:
    """Events in the order of their time, and what an alert says about them."""

    def __init__(self, events: "Iterable[Undecided]") -> None:
        self.all = sorted(events, key=lambda one: (one.event.stageTimestamp or "", one.event.digest))
        self.count = len(self.all)
        self.counted = "1 event" if self.count == 1 else f"{self.count} events"
        self.missing = frozenset[str]().union(*{one.event.unknown_paths for one in self.all})
        self.audit_ids = audit_ids(self.all)
        self.first = self.all[0].event.stageTimestamp or ""
        self.last = self.all[-1].event.stageTimestamp or ""
        self.act = act_of(self.all[0].event)
        self.facts = {
            "acts": listed((act_of(one.event) for one in self.all), _MAX_NAMED),
            "audit_ids": ", ".join(self.audit_ids),
            "source_addresses": listed((", ".join(one.event.sourceIPs or ()) for one in self.all), _MAX_NAMED, "; "),
            "count": str(self.count),
            "first_occurrence": self.first,
            "last_occurrence": self.last,
            "archive_key": listed((one.archive_key for one in self.all), _MAX_NAMED),
        }


def bodies_missing(
    undecided: "Iterable[Undecided]", *, cluster: str, bundle: str, archive_url: str = ""
) -> "list[Alert]":
    """The alerts about rules that would alert if they matched, and of which nobody can say whether they do, because a
    part of the event is missing.

    One for each rule and user, with the severity and the labels of the rule; the same batch gives the same alerts. All
    those of one user have the same summary. If there were more than ``MAX_ALERTS``, those of the highest priority stay,
    and the last one is about all the others. ``archive_url`` is the prefix of links to archived objects; empty, there
    are none.
    """
    batch = _Batch(cluster, bundle, archive_url)
    users: dict[str, _OfUser] = {}
    for one in undecided:
        user = label_value(one.event.user.username or "")
        if user not in users:
            users[user] = _OfUser()
        users[user].add(one)
    # There may be thousands of users, each with many rules: no more of them are looked at than there are alerts.
    ranked = list(islice(_ranked(users), MAX_ALERTS + 1))
    alone = ranked if len(ranked) <= MAX_ALERTS else ranked[: MAX_ALERTS - 1]
    alerts = [_alert(rule, users[user], batch) for rule, user in alone]
    if len(alone) < len(ranked):
        alerts.append(_alert_of_the_rest(users, alone, batch))
    return alerts


def _rank(rule: "Rule") -> tuple[int, str, str]:
    return (-_RANK[rule.priority], rule.document, rule.name)


def _ranked(users: Mapping[str, _OfUser]) -> "Iterator[tuple[Rule, str]]":
    """Each rule with each user of whom it cannot judge an event: by priority, rule and user."""
    names = sorted(users)
    for rule in sorted({rule for each in users.values() for rule in each.rules}, key=_rank):
        yield from ((rule, user) for user in names if rule in users[user].rules)


def _alert(rule: "Rule", of_user: _OfUser, batch: _Batch) -> "Alert":
    """The alert about the events of one user that one rule cannot judge."""
    events, every = of_user.undecided([rule]), of_user.undecided(of_user.rules)
    rules, event = sorted(of_user.rules, key=_rank), events.all[0].event
    of_rules = "1 rule" if len(rules) == 1 else f"{len(rules)} rules"
    labels = {
        **labels_of_rule(rule, event), "cluster": batch.cluster, "rule": rule.name, "document": rule.document,
        "user": event.user.username or "",
    }  # fmt: skip
    annotations = {
        "summary": f"{of_rules} cannot judge {every.counted} of {event.user.username or 'an unknown user'} in cluster"
        f" {batch.cluster}: a part did not arrive",
        "message": f"{events.act}: {events.counted} of cluster {batch.cluster} came without the part that rule"
        f" {rule.qualified} needs.",
        "missing": listed(sorted(rule.members & events.missing), _MAX_LISTED),
        "rules": listed((each.qualified for each in rules), _MAX_LISTED),
    }
    return _made(events, rule.priority, labels, annotations, batch)


def _alert_of_the_rest(users: Mapping[str, _OfUser], alone: "Sequence[tuple[Rule, str]]", batch: _Batch) -> "Alert":
    """The alert about all rules and users that have none of their own."""
    told: dict[str, set[Rule]] = {}
    for rule, user in alone:
        told.setdefault(user, set()).add(rule)
    left = {user: each.rules - told.get(user, set()) for user, each in users.items()}
    events = _Events(one for user, rules in left.items() if rules for one in users[user].undecided(rules).all)
    rules = sorted({rule for each in left.values() for rule in each}, key=_rank)
    annotations = {
        "summary": f"A missing part of an event decides whether more rules and users alert in cluster {batch.cluster}",
        "message": f"{events.act}: {events.counted} of cluster {batch.cluster} came without the part that more rules"
        " and users need.",
        "missing": listed(sorted(events.missing), _MAX_LISTED),
        "rules": listed((each.qualified for each in rules), _MAX_LISTED),
        "users": listed((one.event.user.username or "" for one in events.all), _MAX_LISTED),
    }
    return _made(events, rules[0].priority, {"cluster": batch.cluster}, annotations, batch)


def _made(
    events: _Events, priority: "Priority", labels: Mapping[str, str], annotations: Mapping[str, str], batch: _Batch
) -> "Alert":
    first_key = events.all[0].archive_key
    alert = self_alert(
        BODY_MISSING,
        time=None,
        annotations={"description": _DESCRIPTION, **annotations, **events.facts},
        labels={"severity": SEVERITY[priority], "priority": str(priority), **labels},
        bundle=batch.bundle,
        count=events.count,
    )
    return replace(
        alert,
        first=events.first,
        last=events.last,
        priority=str(priority),
        generator_url=batch.archive_url and batch.archive_url + quote(first_key, safe="/="),
        audit_ids=events.audit_ids,
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
