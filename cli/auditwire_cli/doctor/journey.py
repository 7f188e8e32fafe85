"""The test that takes the whole road: a credential for five minutes, one event, its alert.

Whatever happens, the credential is revoked at the end: by an error, Ctrl-C or SIGTERM too. Should this machine be gone
by then, it ends by itself.
"""

import json
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from auditwire_cli.cluster.secret import new_credential
from auditwire_cli.doctor.finding import Finding, ill, skipped, well
from auditwire_cli.doctor.patient import Patient
from auditwire_cli.send.endpoint import Endpoint
from auditwire_cli.times import now_in_seconds

VALID = timedelta(minutes=5)

_ARCHIVED_SECONDS = 20.0
_PEER_SECONDS = 5.0
_PAUSE = 0.2


def journey(patient: Patient, url: str, ca_file: str | None, wait: float) -> Iterator[Finding]:
    """The steps of the test, each as it ends; the first that fails ends it. ``wait`` is for how many seconds the alert
    is waited for."""
    if patient.parameter("TruststoreUri") and patient.parameter("DefaultEndpoint") != "open":
        yield skipped("test", "the endpoint asks for a client certificate, which doctor does not have")
        return
    token, audit_id, started = new_credential(), str(uuid.uuid4()), time.monotonic()
    before = _counted(patient) if patient.has_relay else 0.0
    with _credential(patient, token) as revoke:
        yield well("credential", f"made for {_minutes(VALID)}", time.monotonic() - started)
        steps: tuple[Callable[[], Finding], ...] = (
            lambda: _answered(Endpoint(url, token, ca_file=ca_file), audit_id),
            lambda: _archived(patient, audit_id),
            lambda: _delivered(patient, audit_id, wait, before),
        )
        for step in steps:
            finding = step()
            yield finding
            if finding.health == "ill":
                break
        begun = time.monotonic()
        revoke()
        yield well("credential revoked", "ingest forgets it within a minute", time.monotonic() - begun)


@contextmanager
def _credential(patient: Patient, token: str) -> Iterator[Callable[[], None]]:
    """Registers the credential of the reserved cluster, and removes it on every way out. Yields what removes it."""
    from auditwire.clusters import DOCTOR_CLUSTER, Cluster, ClustersTable, Registration, credential_digest

    table = ClustersTable(patient.client("dynamodb"), patient.found.output("ClustersTable"))
    now, digest = now_in_seconds(), credential_digest(token)
    # Of a run that was killed.
    for row in table.list().of(DOCTOR_CLUSTER):
        if not row.holds(now.timestamp()):
            table.remove(row.credential)
    row = Registration(credential=digest, cluster=Cluster(DOCTOR_CLUSTER), created=now, expires=now + VALID)
    with _ended_by_signals():
        try:
            table.add(row)
            yield lambda: table.remove(digest)
        finally:
            table.remove(digest)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end the command as an exception does, so that what has to be put away is."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answered(endpoint: Endpoint, audit_id: str) -> Finding:
    from auditwire_cli.send.posting import Poster

    with Poster(endpoint, retries=2) as poster:
        answer = poster.post(_body(audit_id))
    if answer.delivered:
        return well("event answered 200", f"by {endpoint.url}", answer.seconds)
    said = f"answered {answer.status} {answer.reason}".rstrip() if answer.status else answer.reason
    mend = {
        None: "does its name resolve, and may this machine reach it?",
        401: "the clusters table of this stack is not the one that ingest reads: deploy the stack again",
        403: "DefaultEndpoint=closed, or the domain's certificate authority: is this the address of senders?",
        404: "is this the address of the stack's API?",
        429: "raise ThrottleRatePerSecond and ThrottleBurst, or find the noisy sender",
    }.get(answer.status, "the log of ingest says why; see docs/runbooks.md, ServerErrorsAlarm")
    return ill("event answered 200", f"{endpoint.url}: {said}", mend, answer.seconds)


def _body(audit_id: str) -> bytes:
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": audit_id,
        "stage": "ResponseComplete",
        "requestURI": "/auditwire/doctor",
        "verb": "get",
        "user": {"username": "auditwire-doctor"},
        "sourceIPs": [],
        "userAgent": "auditwire doctor",
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": moment,
        "stageTimestamp": moment,
    }
    return json.dumps({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [event]}).encode()


def _archived(patient: Patient, audit_id: str) -> Finding:
    from auditwire.archive.search import Search
    from auditwire.clusters import DOCTOR_CLUSTER
    from auditwire.search import Coverage, Page, Query
    from auditwire_cli.query.engines import Choice, engine_of

    search = Search(cluster=DOCTOR_CLUSTER, audit_id=audit_id, start=patient.now - timedelta(minutes=5))
    engine, search = engine_of(patient.found, Choice(), search, patient.now)
    started = time.monotonic()
    found = _until(lambda: next(engine.rows(Query.of(search), Page(1), Coverage()), None), _ARCHIVED_SECONDS)
    if found:
        return well("event archived", "found by its auditID", time.monotonic() - started)
    mend = "may you read the archive? Did ingest answer 200 without storing? See docs/runbooks.md, ServerErrorsAlarm"
    return ill("event archived", f"not found within {_ARCHIVED_SECONDS:.0f} s", mend, time.monotonic() - started)


def _delivered(patient: Patient, audit_id: str, wait: float, before: float) -> Finding:
    """Whether the alert is in an Alertmanager. Where none can be asked from here, the relay's count says so."""
    check = "alert delivered"
    if not patient.has_relay:
        return skipped(check, "Alertmanager=off: the alert went to the subscribers of the topic")
    started = time.monotonic()
    if seen := _until(lambda: _where(patient, audit_id, before), wait):
        return well(check, seen, time.monotonic() - started)
    mend = "the log of relay says what each Alertmanager answers; see docs/runbooks.md, OldestAlertAlarm"
    return ill(check, f"no Alertmanager had it within {wait:.0f} s", mend, time.monotonic() - started)


def _where(patient: Patient, audit_id: str, before: float) -> str:
    """Where the alert is; empty while it is nowhere. Only where no Alertmanager can be asked, the relay's count is."""
    from auditwire.alerts import PeerError
    from auditwire.alerts.doctor_test import RUN

    asked = 0
    for peer in patient.peers:
        try:
            if peer.find(RUN, audit_id, _PEER_SECONDS):
                return f"auditwire.DoctorTest is active in {peer.url}"
            asked += 1
        except PeerError:
            continue
    return "the relay counted a delivery" if not asked and _counted(patient) > before else ""


def _counted(patient: Patient) -> float:
    """How many deliveries for the reserved cluster the relay has counted since this run began. CloudWatch says so after
    a minute or two."""
    from auditwire.clusters import DOCTOR_CLUSTER

    answer: Any = patient.client("cloudwatch").get_metric_statistics(
        Namespace=patient.found.output("MetricsNamespace"),
        MetricName="AlertsDelivered",
        Dimensions=[{"Name": "service", "Value": "relay"}, {"Name": "cluster", "Value": DOCTOR_CLUSTER}],
        StartTime=patient.now.replace(second=0, microsecond=0),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in answer["Datapoints"]))


def _until(found: Callable[[], Any], seconds: float) -> Any:
    """What is found at last, looking again and again; None when the time is over."""
    ends, pause = time.monotonic() + seconds, _PAUSE
    while not (seen := found()):
        if time.monotonic() >= ends:
            return None
        time.sleep(pause)
        pause = min(2 * pause, 5.0)
    return seen


def _minutes(length: timedelta) -> str:
    return f"{length.total_seconds() / 60:.0f} minutes"
