"""Who may see what, in one predicate that everything goes through: pages, counts, facets, exports, single events."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from auditwire.search import AllOf, AnyOf, Query, Summary, Test

if TYPE_CHECKING:
    from auditwire.search import Coverage, Engine, Filter, Page, Wanted
    from auditwire.search.engine import Hit


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who may look, and at what: nothing, unless it is granted.

    ``clusters`` None is every cluster. Within the clusters an event is visible if its namespace is granted, or its
    workspace is, or ``everything`` is. ``host_cluster`` is the cluster that KubeSphere's API means where a request
    names none, or ``host``; empty for all of them.
    """

    name: str
    clusters: frozenset[str] | None = frozenset()
    namespaces: frozenset[str] = frozenset()
    workspaces: frozenset[str] = frozenset()
    everything: bool = False
    host_cluster: str = ""

    @property
    def sees_nothing(self) -> bool:
        """Whether no event at all is visible, so that nobody need be asked."""
        return self.clusters == frozenset() or not (self.everything or self.namespaces or self.workspaces)

    @property
    def sees_all(self) -> bool:
        """Whether every event of every cluster is visible."""
        return self.clusters is None and self.everything

    def sees_cluster(self, cluster: str) -> bool:
        """Whether events of a cluster may be visible."""
        return self.clusters is None or cluster in self.clusters

    @property
    def predicate(self) -> "Filter":
        """What must be true of an event, beside its cluster."""
        if self.everything:
            return AllOf()
        granted: list[Filter] = []
        if self.namespaces:
            granted.append(Test("namespace", tuple(sorted(self.namespaces))))
        if self.workspaces:
            granted.append(Test("workspace", tuple(sorted(self.workspaces))))
        return AnyOf(tuple(granted))

    def limited(self, query: Query) -> Query:
        """The query, of what is visible alone."""
        clusters = query.clusters
        if self.clusters is not None:
            clusters = self.clusters if clusters is None else clusters & self.clusters
        where = query.where if self.everything else AllOf((self.predicate, query.where))
        return replace(query, clusters=clusters, where=where)


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
