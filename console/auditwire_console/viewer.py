"""Who may see what, in one predicate that everything goes through: pages, counts, facets, exports, single events."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from auditwire.search import AllOf, AnyOf, Query, Summary, Test

if TYPE_CHECKING:
    from auditwire.search import Coverage, Engine, Filter, Page, Wanted
    from auditwire.search.engine import Hit


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be seen of some clusters: nothing, unless it is said here.

    ``clusters`` None is every cluster. Within the clusters an event is visible if its namespace is granted, or its
    workspace is, or ``everything`` is.
    """

    clusters: frozenset[str] | None = frozenset()
    namespaces: frozenset[str] = frozenset()
    workspaces: frozenset[str] = frozenset()
    everything: bool = False

    @property
    def shows_nothing(self) -> bool:
        """Whether no event at all is visible by it."""
        return self.clusters == frozenset() or not (self.everything or self.namespaces or self.workspaces)

    def covers(self, cluster: str) -> bool:
        """Whether it is about a cluster."""
        return self.clusters is None or cluster in self.clusters

    def joined(self, other: "Grant") -> "Grant":
        """What this grant and another of the same clusters show together."""
        return Grant(
            self.clusters,
            self.namespaces | other.namespaces,
            self.workspaces | other.workspaces,
            self.everything or other.everything,
        )

    @property
    def predicate(self) -> "Filter":
        """What is true of the events that it shows, and of no others."""
        within: list[Filter] = []
        if self.namespaces:
            within.append(Test("namespace", tuple(sorted(self.namespaces))))
        if self.workspaces:
            within.append(Test("workspace", tuple(sorted(self.workspaces))))
        parts: list[Filter] = [] if self.everything else [AnyOf(tuple(within))]
        if self.clusters is not None:
            parts.insert(0, Test("cluster", tuple(sorted(self.clusters))))
        return AllOf(tuple(parts))


ALL: Final = Grant(clusters=None, everything=True)
"""Every event of every cluster."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who may look, and at what: an event is visible if one of the grants shows it.

    ``host_cluster`` is the cluster that KubeSphere's API means where a request names none, or ``host``; empty for all
    of them.
    """

    name: str
    grants: tuple[Grant, ...] = ()
    host_cluster: str = ""

    @property
    def sees_nothing(self) -> bool:
        """Whether no event at all is visible, so that nobody need be asked."""
        return all(grant.shows_nothing for grant in self.grants)

    @property
    def sees_all(self) -> bool:
        """Whether every event of every cluster is visible."""
        return any(grant.clusters is None and grant.everything for grant in self.grants)

    @property
    def sees_whole_clusters(self) -> bool:
        """Whether every event of some cluster is visible, or would be if there were any."""
        return any(grant.everything and not grant.shows_nothing for grant in self.grants)

    def sees_cluster(self, cluster: str) -> bool:
        """Whether events of a cluster may be visible."""
        return any(grant.covers(cluster) and not grant.shows_nothing for grant in self.grants)

    def sees_all_of(self, cluster: str) -> bool:
        """Whether every event of a cluster is visible."""
        return any(grant.covers(cluster) and grant.everything for grant in self.grants)

    @property
    def predicate(self) -> "Filter":
        """What is true of the events that are visible, and of no others."""
        merged: dict[frozenset[str] | None, Grant] = {}
        for grant in self.grants:
            if not grant.shows_nothing:
                # Somebody in many groups often has a namespace of the same clusters from each.
                there = merged.get(grant.clusters)
                merged[grant.clusters] = grant if there is None else there.joined(grant)
        return AnyOf(tuple(grant.predicate for grant in merged.values()))

    def limited(self, query: Query) -> Query:
        """The query, of what is visible alone, in the clusters that the viewer sees."""
        if self.sees_all:
            return query
        return replace(query, clusters=self._clusters(query.clusters), where=AllOf((self.predicate, query.where)))

    def _clusters(self, asked: frozenset[str] | None) -> frozenset[str] | None:
        """Those of the clusters that are asked for that may have something visible. None for all of them."""
        shown = [grant.clusters for grant in self.grants if not grant.shows_nothing]
        seen: frozenset[str] = frozenset()
        for clusters in shown:
            if clusters is None:
                return asked
            seen |= clusters
        return seen if asked is None else asked & seen


class Visible:
    """An Engine of what a viewer may see. Nothing else reaches the engine that it asks."""

    def __init__(self, engine: "Engine", viewer: Viewer) -> None:
        self._engine, self._viewer = engine, viewer
        self.name = engine.name

    def rows(self, query: Query, page: "Page", coverage: "Coverage") -> "Iterator[Hit]":
        """See Engine.rows."""
        if self._viewer.sees_nothing:
            return iter(())
        return self._engine.rows(self._viewer.limited(query), page, coverage)

    def summarise(self, query: Query, wanted: "Wanted", coverage: "Coverage") -> Summary:
        """See Engine.summarise."""
        if self._viewer.sees_nothing:
            facets = {facet.field: () for facet in wanted.facets}
            return Summary(0, facets=facets, distinct=dict.fromkeys(wanted.distinct, 0))
        return self._engine.summarise(self._viewer.limited(query), wanted, coverage)


def digest_of(token: str) -> str:
    """What is kept of a viewer's token: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Viewers:
    """Those who may look, by the digests of their tokens."""

    by_digest: Mapping[str, Viewer] = field(default_factory=dict)

    def of(self, token: str) -> Viewer | None:
        """The viewer with this token, None if nobody has it. Takes as long for every token."""
        digest, found = digest_of(token), None
        for known, viewer in self.by_digest.items():
            if hmac.compare_digest(known, digest):
                found = viewer
        return found
