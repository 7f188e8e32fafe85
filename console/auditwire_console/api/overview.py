"""What the pages beside the search show: clusters, rules, alerts and the ledger."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from auditwire.search import AllOf, Facet, Groups, Histogram, Interval, Match, Page, Test, Wanted
from auditwire.search.answer import Coverage
from auditwire_console.api.rows import covered, row_of, summary_as_json

if TYPE_CHECKING:
    from auditwire.search import Engine, Query
    from auditwire_console.source import Source
    from auditwire_console.viewer import Viewer

_MAX_RULES: Final = 1_000
_ALERTED: Final = Test("alert", ("",), Match.CONTAINS)
"""True of an event that has any rule in ``alert``."""

NewCoverage = Callable[[], Coverage]
"""Makes a Coverage for each of the questions that an answer takes."""


def clusters(source: "Source", engine: "Engine", query: "Query", viewer: "Viewer", new: NewCoverage) -> dict[str, Any]:
    """Each cluster with its events in the time that is looked at, the newest of them, and what is registered.

    What is registered counts all events of a cluster, so only those see it who may see them all.
    """
    coverage = new()
    of_newest: list[Coverage] = []

    def newest(cluster: str) -> str:
        of_newest.append(new())
        only = replace(query, clusters=frozenset((cluster,)))
        hits = engine.rows(only, Page(limit=1, newest=True), of_newest[-1])
        return next((hit.found.at for hit in hits), "")

    counted = engine.summarise(query, Wanted(groups=Groups(("cluster",))), coverage).groups
    counts = {str(group.values[0]): group.count for group in counted}
    credentials: dict[str, list[Any]] = defaultdict(list)
    for one in source.clusters() if viewer.sees_whole_clusters else ():
        if viewer.sees_all_of(str(one["cluster"])):
            credentials[str(one["cluster"])].append(one)
    rows = [
        {
            "cluster": name,
            "events": counts.get(name, 0),
            "newest": newest(name) if name in counts else "",
            "credentials": credentials[name],
        }
        for name in sorted(counts.keys() | credentials.keys())
    ]
    return {"clusters": rows, "coverage": covered(coverage, *of_newest)}


def quiet(source: "Source") -> frozenset[str]:
    """The alerting rules in force of which a match by itself is no alert: their priority is too low, or they have a
    threshold. None where the rules are not known."""
    rules = source.rules()
    if rules is None:
        return frozenset()
    least = rules.settings.alerting_priority.rank
    return frozenset(
        rule.qualified for rule in rules.alerting if rule.priority.rank < least or rule.text.threshold is not None
    )


def rules(source: "Source", engine: "Engine", query: "Query", new: NewCoverage) -> dict[str, Any]:
    """Each rule in force, and each that matched, with its matches over time and who made it match most."""
    coverage = new()
    counts = engine.summarise(query, Wanted(facets=(Facet("rule", _MAX_RULES), Facet("alert", _MAX_RULES))), coverage)
    matched = {str(one.value): one.count for one in counts.facets["rule"] if one.value}
    alerted = {str(one.value): one.count for one in counts.facets["alert"] if one.value}
    known = source.rules()
    in_force = {rule.qualified: rule for rule in (*known.archiving, *known.alerting)} if known else {}
    rows = []
    for name in sorted(matched.keys() | in_force.keys(), key=lambda name: (-matched.get(name, 0), name)):
        rule = in_force.get(name)
        rows.append(
            {
                "rule": name,
                "matches": matched.get(name, 0),
                "alerting": alerted.get(name, 0),
                "inForce": rule is not None,
                "priority": str(rule.priority) if rule else "",
                "description": rule.desc if rule else "",
            }
        )
    return {
        "rules": rows,
        "known": known is not None,
        "digest": known.digest if known else "",
        "coverage": covered(coverage),
    }


def rule(engine: "Engine", query: "Query", name: str, interval: Interval, new: NewCoverage) -> dict[str, Any]:
    """One rule's matches over time, and the users, namespaces and objects that made it match most."""
    coverage = new()
    wanted = Wanted(
        histogram=Histogram(interval), facets=(Facet("user"), Facet("namespace"), Facet("object"), Facet("cluster"))
    )
    only = replace(query, where=AllOf((query.where, Test("rule", (name,)))))
    return {**summary_as_json(engine.summarise(only, wanted, coverage)), "coverage": covered(coverage)}


def alerts(
    source: "Source", engine: "Engine", query: "Query", page: Page, interval: Interval, new: NewCoverage
) -> dict[str, Any]:
    """The events that a rule alerts on, and how many by rule.

    Rules of which a match is no alert by itself are left out, by the rules in force; ``quiet`` has their matches. A
    match may have been excepted.
    """
    of_rules, coverage, of_rows = new(), new(), new()
    only = replace(query, where=AllOf((query.where, _ALERTED)))
    matched = engine.summarise(only, Wanted(facets=(Facet("alert", _MAX_RULES),)), of_rules).facets["alert"]
    below = quiet(source)
    loud = tuple(str(one.value) for one in matched if one.value and one.value not in below)
    only = replace(query, where=AllOf((query.where, Test("alert", loud))))
    found = engine.summarise(only, Wanted(histogram=Histogram(interval)), coverage)
    rows = [row_of(hit) for hit in engine.rows(only, page, of_rows)]
    return {
        **summary_as_json(found),
        "rules": [{"rule": one.value, "count": one.count} for one in matched if one.value in loud],
        "quiet": [{"rule": one.value, "count": one.count} for one in matched if one.value in below],
        "known": source.rules() is not None,
        "rows": rows,
        "more": of_rows.cut_off == "limit",
        "coverage": covered(coverage, of_rules, of_rows),
    }
