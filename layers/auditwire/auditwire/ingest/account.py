"""Counts of what became of one request."""

from collections import Counter
from dataclasses import dataclass, field, fields

from auditwire.events import Flag, Skipped


@dataclass(slots=True)
class Account:
    """What became of one request: every event received is ignored, archived or quarantined; or none of them could be
    stored, and the sender was told so. ``skipped`` counts what else was in the body and is no audit event, by reason;
    it is no part of ``received``.

    ``pending`` counts the matches of rules with thresholds. ``thresholds_deferred`` are groups that wait in the outbox
    to be judged, ``thresholds_not_judged`` are matches that are in no count, and ``threshold_problem`` says why.

    ``outboxed`` only counts what is new in the outbox: a repeated batch finds its alerts there.
    """

    cluster: str = ""
    sender: str = ""
    sender_version: str = ""
    bundle: str = ""
    received: int = 0
    empty: bool = False
    ignored: Counter[str] = field(default_factory=Counter)
    archived: int = 0
    alerted: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    excepted: Counter[str] = field(default_factory=Counter)
    pending: Counter[str] = field(default_factory=Counter)
    thresholds_deferred: int = 0
    thresholds_not_judged: int = 0
    threshold_problem: str = ""
    quarantined: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    not_stored: int = 0
    evaluation_errors: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    conflicts: int = 0
    objects: list[str] = field(default_factory=list)
    stored_before: bool = False
    published: int = 0
    outboxed: int = 0
    unpublished: int = 0
    refused: int = 0
    last_use_failures: int = 0

    def add(self, other: "Account") -> None:
        """Add the counts of another part of the same body; ``stored_before`` is whether that holds for all."""
        is_first = not (self.received or self.skipped or self.objects)
        for each in fields(self):
            mine, others = getattr(self, each.name), getattr(other, each.name)
            if each.name == "stored_before":
                self.stored_before = others and (is_first or mine)
            elif isinstance(mine, str):
                setattr(self, each.name, mine or others)
            elif isinstance(mine, bool):
                setattr(self, each.name, mine and others)
            else:
                setattr(self, each.name, mine + others)

    def log_fields(self) -> dict[str, object]:
        """All counts as plain values, for one structured log line."""
        values = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in values}

    def metrics(self) -> dict[str, int]:
        """The counts that become metrics, by metric name. The others are only in the log.

        Zeros are left out, because each metric of each cluster costs money in every hour in which it occurs.
        """
        counts = {
            "EventsIgnored": self.ignored.total(),
            "EventsArchived": self.archived,
            "EventsAlerted": self.alerted,
            "EventsQuarantined": self.quarantined.total(),
            "EventsNotStored": self.not_stored,
            "ItemsSkipped": self.skipped.total(),
            "ForgedSources": self.skipped[Skipped.FORGED_SOURCE],
            "MatchesExcepted": self.excepted.total(),
            "ThresholdsDeferred": self.thresholds_deferred,
            "ThresholdsNotJudged": self.thresholds_not_judged,
            "EvaluationErrors": self.evaluation_errors.total(),
            "ConflictingAuditIDs": self.conflicts,
            "BodiesSkipped": self.flags[Flag.BODIES_SKIPPED],
            "EventsCutOff": self.flags[Flag.CUT_OFF],
            "ReportedClusterDiffers": self.flags[Flag.CLUSTER_DIFFERS],
            "EmptyBodies": int(self.empty),
            "AlertsPublished": self.published,
            "AlertsOutboxed": self.outboxed,
            "AlertsUnpublished": self.unpublished,
            "AlertsRefused": self.refused,
            "LastUseFailures": self.last_use_failures,
        }
        return {"EventsReceived": self.received, **{name: count for name, count in counts.items() if count}}
