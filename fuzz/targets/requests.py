"""Requests: credentials in headers and paths, and whole invocations through the road in memory."""

import json
import logging
import re
from collections.abc import Hashable
from functools import cache
from typing import Any

from auditwire.alerts import MemoryPublisher, encode_message
from auditwire.archive import MemoryArchive
from auditwire.clusters import Cluster, Credential, credential_digest, presented
from auditwire.ingest.ingest import Ingest
from auditwire.ingest.request import Request
from auditwire.rules import RuleSet, default_rules, load_sources
from fuzz import seeds
from fuzz.mutation import mutator
from fuzz.target import Target

TOKEN = "token-of-prod"  # noqa: S105 - of no cluster anywhere
_KEY = re.compile(
    r"events/cluster=prod/date=[0-9]{4}-[0-9]{2}-[0-9]{2}/hour=[0-9]{2}/[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9a-f]{64}\.jsonl\.gz"
    r"|quarantine/cluster=prod/[0-9a-f]{64}\.gz"
)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def _credentials(data: bytes) -> Hashable:
    head, begin, pem = data.decode("utf-8", "surrogateescape").partition("-----BEGIN")
    path, *lines = head.split("\n")
    headers = dict(line.partition(":")[::2] for line in lines)
    found = presented(headers, path, begin + pem if begin else None)
    if found is None:
        return None
    assert re.fullmatch(r"(cert:)?[0-9a-f]{64}", found.digest), "no digest"
    assert repr(found) == "Credential()", "a credential shows itself"
    return found.cluster is None, found.digest == credential_digest(TOKEN), len(headers)


class OneCluster:
    """A directory that knows one credential."""

    def identify(self, credential: Credential | None) -> Cluster | None:
        known = credential is not None and credential.digest == credential_digest(TOKEN)
        return Cluster("prod") if known else None

    def note_use(self, *_: object) -> int:
        return 0


class Rules:
    """A source of the default rules and one that alerts about everything."""

    def current(self) -> RuleSet:
        return _rule_set()

    def ages(self) -> dict[str, float]:
        return {}


@cache
def _rule_set() -> RuleSet:
    every = (
        "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Rule\nmetadata: {name: every, labels: {type: alerting}}\nspec:\n"
        "  rules:\n  - {name: Every, type: rule, priority: WARNING, condition: 'Verb != \"\"', "
        'output: "${User.Username} ${RequestObject.data.a} ${RequestURI}"}\n'
    )
    loaded = load_sources([*default_rules(), type(default_rules()[0])("every.yaml", every)])
    assert loaded.rule_set is not None, loaded.diagnostics
    return loaded.rule_set


def _request(data: bytes) -> Hashable:
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(given, dict):
        return "no object"
    # API Gateway writes the frame of an event; a client chooses path, headers and body.
    headers = given.get("headers")
    event: dict[str, Any] = {
        "rawPath": given["rawPath"] if isinstance(given.get("rawPath"), str) else "/audit/webhook/event",
        "headers": {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {},
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": 1795305600000},
        "isBase64Encoded": bool(given.get("isBase64Encoded")),
    }
    if isinstance(given.get("body"), str):
        event["body"] = given["body"]
    if len(data) % 8:
        event["headers"]["authorization"] = f"Bearer {TOKEN}"
    archive, publisher = MemoryArchive(), MemoryPublisher()
    ingest = Ingest(OneCluster(), Rules(), archive, publisher, "https://archive/")  # type: ignore[arg-type]
    answer = ingest.handle(Request.from_event(event))
    assert answer.status in {200, 401}, f"answered {answer.status}: {answer.error}"
    if answer.account is None:
        return answer.status
    account = answer.account
    kept = account.archived + account.ignored.total() + account.quarantined.total()
    assert account.received == kept, f"{account.received} received, {kept} accounted for"
    for key in archive.objects:
        assert _KEY.fullmatch(key), f"an odd key: {key}"
    assert "\n" not in json.dumps(account.log_fields()), "a log line of several lines"
    for alert in publisher.alerts:
        assert len(encode_message(alert)) <= 200_000, "a message that is too large"
        assert len(alert.labels) <= 64, "too many labels"
        for name, value in alert.labels.items():
            assert _LABEL.fullmatch(name), f"an illegal label: {name}"
            assert len(value) <= 256, "a label that is too long"
    return frozenset(account.quarantined), frozenset(account.flags), min(account.archived, 3), account.empty


def _invocations() -> list[bytes]:
    kept = ("rawPath", "headers", "body", "isBase64Encoded")
    whole = [{name: one[name] for name in kept if name in one} for one in seeds.invocations()]
    single = [{"body": body.decode()} for body in seeds.bodies() if body.isascii() and len(body) < 4_096]
    return [json.dumps(one).encode() for one in (*whole, *single)]


_PEM = "-----BEGIN CERTIFICATE-----\nMIIBejCCASGgAwIBAgIUdGVzdA==\n-----END CERTIFICATE-----\n"
_HEADS = (
    f"/audit/webhook/event\n{_PEM}", f"/audit/webhook/event\nAuthorization: Bearer {TOKEN}\n{_PEM}",
    f"/audit/webhook/event\nAuthorization: Bearer {TOKEN}", f"/audit/webhook/event/{TOKEN}",
    "/audit/webhook/event/\nauthorization: Basic cHJvZDp0b2tlbi1vZi1wcm9k", f"/audit/webhook/event/{TOKEN}/\nAuthorization: ",
    f"/audit/webhook/event\nAuthorization: Bearer a\nauthorization: Bearer {TOKEN}", "/audit/webhook/event/%2e%2e/a%00b",
    f"/audit/firehose\nX-Amz-Firehose-Access-Key: {TOKEN}",
    f"/audit/firehose\nX-Amz-Firehose-Access-Key: {TOKEN}\nAuthorization: Bearer {TOKEN}", "/audit/gke\nAuthorization: Bearer a.b.c",
)  # fmt: skip
_HEAD_WORDS = (
    _PEM.encode(), b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----", b"MII",
    b"\nAuthorization:", b"\nauthorization: ", b"Bearer ", b"Basic ", b"bearer\t", b"%2f", b"%00", b"%", b"/", b"//", b",", b" ",
    b"=", b"==", b"Og==", b"cHJvZDo=", TOKEN.encode(), b"/audit/webhook/event/", b"\r", b"\xc3\xa9", b"\xff", b"A" * 512, b"A" * 1100,
)  # fmt: skip

logging.disable(logging.CRITICAL)

CREDENTIALS = Target(
    "credentials",
    _credentials,
    lambda: [head.encode() for head in _HEADS],
    mutator(_HEAD_WORDS, trees=False),
    share=0.6,
)
REQUEST = Target("request", _request, _invocations, mutator(), share=3)
