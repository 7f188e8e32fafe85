"""Why an event was kept or alerted: what the rules said when it was archived, and what those in force say now."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from auditwire.analysis.matches import Became, about, became
from auditwire.events import decode, settle
from auditwire.events.archived import Provenance
from auditwire.rules.rule_set import RuleSet

if TYPE_CHECKING:
    from auditwire.archive.found import Found
    from auditwire_console.source import Source
    from auditwire_console.viewer import Viewer

_A_MINUTE: Final = timedelta(minutes=1)
_OF_ALL: Final = "whether Alertmanager took it is counted for all alerts of an hour, not for each of them"


def why(source: "Source", viewer: "Viewer", found: "Found") -> dict[str, Any]:
    """What became of each match, whether its alert was delivered as far as that is known, and how the rules in force
    judge the event now. Raises UnreadableError."""
    said = about(found)
    then = source.rules_of(said.bundle)
    matches = sorted(became(found, said, then), key=lambda one: list(Became).index(one.became))
    alerted = any(one.became is Became.ALERTED for one in matches)
    rules = source.rules()
    return {
        "then": {
            "matches": [{"rule": one.rule, "became": one.became, "detail": one.detail} for one in matches],
            "known": then is not None,
            "bundle": said.bundle,
            "received": said.received,
            "delivery": _delivery(source, viewer, found.cluster, said) if alerted else None,
        },
        "bundle": "" if rules is None else rules.digest,
        "now": [] if rules is None else _by(rules, source, found, {one.rule for one in matches}),
    }


def _by(rules: RuleSet, source: "Source", found: "Found", names: set[str]) -> list[dict[str, Any]]:
    """The explanations of the rules that matched then, or match now."""
    # It brings a parser along, for which nobody who opens the page should wait.
    from auditwire.analysis.explain import explain  # noqa: PLC0415

    explained: list[dict[str, Any]] = []
    for event in decode(found.line).events:
        settle(event, cluster=found.cluster, received=source.now())
        verdict = rules.decide(event)
        shown = names | {*verdict.archiving, *verdict.alerting, *verdict.undecided}
        known = (*rules.archiving, *rules.alerting)
        explained += [explain(event, rule, rules).as_json() for rule in known if rule.qualified in shown]
    return explained


def _delivery(source: "Source", viewer: "Viewer", cluster: str, said: Provenance) -> dict[str, str]:
    """Whether Alertmanager has the alerts of an event. Only if it has all of the hour it certainly has these."""
    if not viewer.sees_all:
        return {"state": "unknown", "detail": f"{_OF_ALL}, and you may not see those counts"}
    try:
        received = datetime.fromisoformat(said.received)
    except ValueError:
        return {"state": "unknown", "detail": "when it was received is not readable"}
    # What came in at the end of an hour may be counted in the next.
    hours = {_hour(received), _hour(received + _A_MINUTE)}
    ledger = source.ledger(received) or {"rows": []}
    rows = [row for row in ledger["rows"] if row["cluster"] == cluster and row["hour"] in hours]
    if not rows:
        return {"state": "unknown", "detail": f"{_OF_ALL}, and here nobody knows these counts"}
    published, delivered = (sum(row[name] for row in rows) for name in ("published", "delivered"))
    waiting, dead = (sum(row[name] for row in rows) for name in ("waiting", "dead_lettered"))
    lost = sum(row[name] for row in rows for name in ("refused", "not_published", "missing_alerts"))
    if all(row["settled"] for row in rows) and published and not (waiting or dead or lost):
        return {"state": "delivered", "detail": f"Alertmanager took all {published:,} alerts of this cluster's hour"}
    counts = f"{published:,} published, {delivered:,} delivered so far, {waiting:,} waiting, {dead:,} dead letters"
    return {"state": "unknown", "detail": f"{_OF_ALL}: {counts}" + (f", {lost:,} lost or refused" if lost else "")}


def _hour(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:00:00Z")
