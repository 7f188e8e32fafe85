"""Processing one request: identify the sender, decode, decide, archive, publish, answer.

Nothing is answered with 200 before it is stored, and no body is ever answered with 4xx: kube-apiserver would repeat it
five times and then drop it, ks-apiserver would drop it at once.
"""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from auditwire.alerts import MAX_ALERTS_A_BATCH, Alert, Occurrence, OutboxError, Publisher, Undecided, fold
from auditwire.alerts.about_batch import bodies_quarantined, evaluation_errors, thresholds_not_judged
from auditwire.alerts.body_missing import bodies_missing, events_cut_early
from auditwire.alerts.doctor_test import doctor_test
from auditwire.alerts.message import message_of
from auditwire.alerts.outbox import NoOutbox, Outbox
from auditwire.alerts.self_alerts import RUNBOOKS, with_runbook
from auditwire.archive import (
    Archive,
    ArchiveError,
    HourGroup,
    PutResult,
    Record,
    batch_digest,
    partition,
)
from auditwire.archive.rejected import keep_cut_texts, quarantine_rejects
from auditwire.bundles.active_rules import ActiveRules
from auditwire.clusters import (
    APISERVER,
    DOCTOR_CLUSTER,
    Cluster,
    Credential,
    Directory,
    DirectoryError,
    SentBy,
    presented,
    sender_version,
)
from auditwire.events import BodyError, Event, Flag, Reject, encode_line, read, settle, timestamps
from auditwire.events.slicing import slices
from auditwire.ingest import firehose
from auditwire.ingest.account import Account
from auditwire.ingest.request import Request
from auditwire.ingest.thresholds import facts_of, groups_of, judge
from auditwire.pipeline import Deciding, Decisions, Kept
from auditwire.rules import RuleSet
from auditwire.rules.pack import doctor_rule_set
from auditwire.senders.kind import SenderKind
from auditwire.senders.paths import FIREHOSE_PATH
from auditwire.thresholds.store import NoThresholds, ThresholdStore

DEADLINE_SECONDS: Final = 2.2
"""How long after a request the answer must be on its way. ks-apiserver waits three seconds and never repeats a
request."""

OUTBOX_SECONDS: Final = 1.0
"""How much of that is reserved for the outbox, and for a last request to SNS that hangs."""

THRESHOLD_SECONDS: Final = 1.5
"""How much of that is reserved when thresholds are judged: for a last request to their table that hangs, and for what
is to be published or put into the outbox then."""

ARCHIVE_SECONDS: Final = 1.0
"""How much of that is reserved for a last request to a store of single events that hangs."""


class NotStoredError(Exception):
    """What came by a road on which nobody waits for an answer could not be stored: it has to come again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status with what has to be logged. ``account`` is None if no batch was processed. ``error`` says why a
    batch or its alerts could not be stored, and contains nothing of a credential. ``ended`` is the cluster of a
    credential that is known and no longer valid."""

    status: int
    account: Account | None = None
    error: str = ""
    body: str = ""
    content_type: str = "text/plain"
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one cluster sent at one time: the inflated body and its batch_digest. ``fault`` says why a body could not be
    inflated; such a body is not read. Events from before ``quiet_before`` raise no alert and are flagged: they are
    history that somebody brings in."""

    cluster: Cluster
    body: bytes
    digest: str
    received: datetime
    fault: Reject | None = None
    quiet_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ingest:
    """Processes the requests of one deployment.

    ``archive_url`` is the prefix of links to archived objects, empty for none. Without an ``outbox`` a batch is only
    done once SNS has taken its alerts. ``runbooks`` is the address of the runbooks for alerts about auditwire itself,
    ``region`` the region in which it runs. ``thresholds`` counts the matches of rules with thresholds.
    """

    directory: Directory
    rules: ActiveRules
    archive: Archive
    publisher: Publisher
    archive_url: str = ""
    outbox: Outbox = field(default_factory=NoOutbox)
    runbooks: str = RUNBOOKS
    region: str = ""
    thresholds: ThresholdStore = field(default_factory=NoThresholds)

    def renew(self) -> None:
        """Forgets what may no longer be true: for an environment that stood still for an unknown time."""
        self.directory.renew()
        self.rules.renew()

    def handle(self, request: Request) -> Answer:
        """Answers one request: 200 if every event is stored and every alert is published or stored, 401 for a
        credential that is not valid, 503 if something could not be stored."""
        if request.method == "GET" and request.path.rstrip("/") == "/healthz":
            return Answer(200, body="ok")
        if request.route == FIREHOSE_PATH:
            answer = self._answer(request, firehose.DEADLINE_SECONDS)
            body = firehose.answer_body(request, answer.status)
            return replace(answer, body=body, content_type="application/json")
        return self._answer(request, DEADLINE_SECONDS)

    def _answer(self, request: Request, seconds: float) -> Answer:
        """The answer to a request that may carry events, on its way ``seconds`` after the request."""
        credential = presented(request.headers, request.path, request.certificate, request.claims)
        try:
            cluster = self.directory.identify(credential)
        except DirectoryError as error:
            return Answer(503, error=str(error))
        if cluster is None or credential is None:
            return Answer(401, ended=self.directory.ended(credential))
        body, fault = request.inflated()
        deadline = request.received.timestamp() + seconds
        if request.route == FIREHOSE_PATH and fault is None:
            answer = self.take_sliced(cluster, firehose.records_of(body), request.received, deadline)
        else:
            batch = Batch(cluster, body, batch_digest(cluster.name, body), request.received, fault)
            answer = self.take(batch, deadline)
        if answer.account:
            self._note_use(request, credential, answer.account, deadline, stored=answer.status == 200)
        return answer

    def take_sliced(
        self,
        cluster: Cluster,
        body: bytes,
        received: datetime,
        deadline: float,
        *,
        quiet_before: datetime | None = None,
    ) -> Answer:
        """Processes what came by a road with more time than a webhook has: as ``take`` does, and a body that is over a
        bound in slices, which are the same each time. Ends with the first that could not be stored."""
        total: Account | None = None
        try:
            parts = list(slices(body))
        except BodyError as error:
            fault = Reject("body", error.reason, error.detail, body)
            return self.take(Batch(cluster, body, batch_digest(cluster.name, body), received, fault), deadline)
        for part in parts:
            digest = batch_digest(cluster.name, part)
            answer = self.take(Batch(cluster, part, digest, received, quiet_before=quiet_before), deadline)
            if total is None:
                total = answer.account
            elif answer.account is not None:
                total.add(answer.account)
            if answer.status != 200:
                return replace(answer, account=total)
        return Answer(200, total)

    def take(self, batch: Batch, deadline: float) -> Answer:
        """Processes one batch after its credential was checked: settle, decide, archive, publish, judge thresholds.

        All should be done by ``deadline``, in seconds since the epoch. Alerts that are not published in time go to the
        outbox. Processing a batch again does no harm: it gives the same keys and the same alerts.
        """
        rules = self.rules.current()
        if batch.cluster.name == DOCTOR_CLUSTER:
            rules = doctor_rule_set(rules)
        decisions, rejects, skipped, version = _decide(batch, rules)
        account = Account(batch.cluster.name, batch.cluster.sender, sender_version=version, bundle=rules.digest)
        account.received = len(decisions.seen) + len(rejects)
        account.skipped = skipped
        account.empty = not (account.received or skipped)
        try:
            alerts, pending = self._store(batch, rules, decisions, rejects, account, deadline - ARCHIVE_SECONDS)
        except ArchiveError as error:
            # All of them, even those stored before the failure: the whole batch comes again.
            account.not_stored = account.received
            return Answer(503, account, str(error))
        answer = self._publish(alerts, deadline, account)
        if answer.status != 200 or not pending:
            return answer
        alerted = {one.event.digest for one in decisions.kept if one.verdict.alerts}
        return self._judge(batch, pending, rules.digest, deadline, account, alerted)

    def _note_use(
        self, request: Request, credential: Credential, account: Account, latest: float, *, stored: bool
    ) -> None:
        """Records the use of the credential, after everything that matters and not after ``latest``. That is as late
        as the answer may be: a sender that seldom has events meets a cold environment each time, and must not be taken
        for silent because of that."""
        count = account.received if stored else 0  # what was not stored comes again, and is counted then
        account.last_use_failures = self.directory.note_use(
            credential, count, lambda: SentBy(request.user_agent, account.sender_version), latest
        )

    def _store(
        self,
        batch: Batch,
        rules: RuleSet,
        decisions: Decisions,
        rejects: list[Reject],
        account: Account,
        deadline: float,
    ) -> tuple[list[Alert], list[Occurrence]]:
        """Stores the kept events and the rejects. Returns the alerts about both, and the matches of rules with
        thresholds. Raises ``ArchiveError``."""
        cluster, digest = batch.cluster.name, batch.digest
        received = batch.received.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        provenance = {"received": received, "batch": digest, "bundle": rules.digest}
        kept_at = {kept.position: kept for kept in decisions.kept}
        occurrences: list[Occurrence] = []
        undecided: list[Undecided] = []
        pending: list[Occurrence] = []
        results: list[PutResult] = []
        for group in partition(decisions.seen, batch.received):
            kept = [kept_at[position] for position in group.members if position in kept_at]
            if not kept:
                continue
            place = self.archive.place(cluster, group, digest)
            records = (Record(one.event, _line(one, group, provenance), group.t) for one in kept)
            results.append(self.archive.put_events(place, records, deadline))
            account.objects.append(place)
            occurrences += [
                Occurrence(rule, one.event, rule.message(one.event), place)
                for one in kept
                for rule in one.verdict.alerts
            ]
            undecided += [Undecided(might, one.event, place) for one in kept if (might := one.verdict.might_alert)]
            pending += [
                Occurrence(rule, one.event, rule.message(one.event), place)
                for one in kept
                for rule in one.verdict.pending
            ]
        quarantined = quarantine_rejects(self.archive, rejects, cluster=cluster, received=batch.received)
        keep_cut_texts(self.archive, (one.event for one in decisions.kept), cluster=cluster, received=batch.received)
        account.stored_before = bool(results) and all(result == "exists" for result in results)
        _count(account, decisions, rejects)
        errors = decisions.evaluation_errors
        documents = {rule.qualified: rule.document for rule in (*rules.archiving, *rules.alerting)} if errors else {}
        about_batch = [
            *bodies_quarantined(quarantined, cluster=cluster, bundle=rules.digest),
            *events_cut_early(rejects, cluster=cluster, bundle=rules.digest),
            *bodies_missing(undecided, cluster=cluster, bundle=rules.digest, archive_url=self.archive_url),
            *evaluation_errors(errors, documents, cluster=cluster, bundle=rules.digest),
            *doctor_test([one.event.auditID for one in decisions.kept], cluster=cluster, bundle=rules.digest),
        ]
        # Thresholds that are reached may add one more at least.
        room = MAX_ALERTS_A_BATCH - len(about_batch) - bool(pending)
        alerts = fold(occurrences, cluster=cluster, bundle=rules.digest, archive_url=self.archive_url, most=room)
        return [with_runbook(alert, self.runbooks) for alert in (*alerts, *about_batch)], pending

    def _judge(
        self,
        batch: Batch,
        pending: list[Occurrence],
        bundle: str,
        deadline: float,
        account: Account,
        alerted: AbstractSet[str],
    ) -> Answer:
        """Judges the thresholds of a batch that is stored, and publishes what reaches one. What cannot be judged in
        time goes to the outbox. ``alerted`` are the digests of the events that alert anyway."""
        cluster = batch.cluster.name
        judged = judge(groups_of(pending, cluster, batch.received), self.thresholds, deadline - THRESHOLD_SECONDS)
        account.pending = Counter(one.rule.qualified for one in pending)
        account.threshold_problem = judged.problem
        reached = [one for group in judged.reached for one in group.occurrences]
        account.alerts.update(one.rule.qualified for one in reached)
        account.alerted += len({one.event.digest for one in reached} - alerted)
        room = max(1, MAX_ALERTS_A_BATCH - account.published - account.outboxed - account.refused)
        alerts = fold(reached, cluster=cluster, bundle=bundle, archive_url=self.archive_url, most=room)
        if judged.left:
            told = {group.key for group in judged.reached}
            facts = [facts_of(group, cluster, bundle, self.archive_url, told) for group in judged.left]
            try:
                self.outbox.hold_unjudged(facts)
                account.thresholds_deferred = len(facts)
            except OutboxError as error:
                lost = Counter(one.rule.qualified for group in judged.left for one in group.occurrences)
                account.thresholds_not_judged = lost.total()
                account.threshold_problem = f"{judged.problem}, and {error}"
                alerts += thresholds_not_judged(lost, cluster=cluster, bundle=bundle)
        return self._publish([with_runbook(alert, self.runbooks) for alert in alerts], deadline, account)

    def _publish(self, alerts: list[Alert], deadline: float, account: Account) -> Answer:
        if not alerts:
            return Answer(200, account)
        published = self.publisher.publish(alerts, deadline - OUTBOX_SECONDS)
        account.published += published.sent
        account.refused += len(published.refused)
        account.unpublished += len(published.failed)
        try:
            if published.failed:
                is_new = self.outbox.hold([message_of(alert) for alert in published.failed])
                account.outboxed += len(published.failed) if is_new else 0
                account.unpublished -= len(published.failed)
            if published.refused:
                self.outbox.set_aside([message_of(alert) for alert in published.refused])
        except OutboxError as error:
            return Answer(503, account, f"SNS took {published.sent} of {len(alerts)} alerts in time, and {error}")
        return Answer(200, account)


class _Taking:
    """Settles the events of a batch and decides about them, one by one. Also looks for the version of the sender."""

    def __init__(self, batch: Batch, rules: RuleSet) -> None:
        self._cluster = batch.cluster.name
        self._received = batch.received
        self.deciding = Deciding(sender=batch.cluster.sender, rules=rules)
        self.version = ""

    def take(self, event: Event) -> None:
        settle(event, cluster=self._cluster, received=self._received)
        if not self.version and (event.user.username == APISERVER or event.sender == SenderKind.KUBESPHERE):
            self.version = sender_version((event,))
        self.deciding.take(event)


def _decide(batch: Batch, rules: RuleSet) -> tuple[Decisions, list[Reject], Counter[str], str]:
    """What becomes of the events of a batch, what was bad in it, what was none, and its sender's version as far as it
    tells."""
    if batch.fault is not None:
        return Decisions(), [batch.fault], Counter(), ""
    taken = read(batch.body, lambda: _Taking(batch, rules), _Taking.take)
    decisions = taken.taker.deciding.decisions()
    if batch.quiet_before is not None:
        decisions.kept = [_quieted(kept, timestamps.as_text(batch.quiet_before)) for kept in decisions.kept]
    return decisions, taken.rejects, taken.skipped, taken.taker.version


def _quieted(kept: Kept, before: str) -> Kept:
    """A kept event without its alerts and with a flag, if it is from before a time."""
    if (kept.event.stageTimestamp or before) >= before:
        return kept
    kept.event.flag(Flag.BACKFILL)
    return Kept(kept.position, kept.event, kept.verdict.without_alerts())


def _line(kept: Kept, group: HourGroup, provenance: Mapping[str, object]) -> bytes:
    about = {**provenance, "archiving": kept.verdict.archiving, "alerting": kept.verdict.alerting}
    if kept.verdict.undecided:
        about["undecided"] = kept.verdict.undecided
    if kept.verdict.excepted:
        about["excepted"] = [{"rule": one.rule, "exception": one.exception} for one in kept.verdict.excepted]
    if kept.verdict.pending:
        about["pending"] = [rule.qualified for rule in kept.verdict.pending]
    if kept.position in group.strays:
        about["flags"] = [Flag.OTHER_HOUR]
    return encode_line(kept.event, about)


def _count(account: Account, decisions: Decisions, rejects: list[Reject]) -> None:
    account.ignored = decisions.ignored
    account.evaluation_errors = decisions.evaluation_errors
    account.conflicts = decisions.conflicts
    account.archived = len(decisions.kept)
    account.alerted = sum(1 for kept in decisions.kept if kept.verdict.alerts)
    account.alerts = Counter(rule.qualified for kept in decisions.kept for rule in kept.verdict.alerts)
    account.excepted = Counter(one.exception for kept in decisions.kept for one in kept.verdict.excepted)
    account.quarantined = Counter(reject.reason for reject in rejects)
    account.flags = Counter(flag for event in decisions.seen for flag in event.flags)
