"""From when to when the arrivals of a cluster are sealed, worked out of its seals in order."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditwire.evidence.states import SpanReport, SpanState

if TYPE_CHECKING:
    from auditwire.evidence.seal import Seal


class Spans:
    """Takes seals in order, gives spans in order. Times are texts, which sort as time does."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._spans: list[SpanReport] = []
        self.reached = ""
        """Until when something is said; empty before the first seal."""

    def add(self, seal: "Seal") -> None:
        """The next seal that counts. A backfill says nothing of a span."""
        if seal.kind == "backfill":
            return
        if not self._spans:
            self._put("", seal.begun, "before_first", "")
            self.reached = seal.begun
        if seal.start > self.reached:
            self._put(self.reached, seal.start, "unsealed", "no seal is about this time")
        state: SpanState = "gap" if seal.kind == "gap" else "sealed"
        if seal.end > self.reached:
            self._put(max(seal.start, self.reached), seal.end, state, seal.reason or "")
            self.reached = seal.end

    def end(self, until: str) -> None:
        """No more seals; there should be some up to ``until``, or up to the last one if that is empty."""
        if self.reached and until > self.reached:
            self._put(self.reached, until, "unsealed", "no seal is about this time")

    def within(self, start: str, end: str) -> Iterator[SpanReport]:
        """The spans, cut to what lies from ``start`` on and before ``end``; empty is without a bound."""
        for span in self._spans:
            first, last = max(span.start, start), min(span.end, end or span.end)
            if first < last:
                yield SpanReport(span.cluster, first, last, span.state, span.detail)

    def _put(self, start: str, end: str, state: SpanState, detail: str) -> None:
        last = self._spans[-1] if self._spans else None
        if last and state == "sealed" == last.state and last.end == start:
            self._spans[-1] = SpanReport(self._cluster, last.start, end, state)
        else:
            self._spans.append(SpanReport(self._cluster, start, end, state, detail))
