"""Where inputs begin: what the repository has of bodies, documents, conditions and messages."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

_REF = '"objectRef":{"resource":"secrets","namespace":"shop","name":"db","apiVersion":"v1"}'
_MORE_BODIES = (
    b"", b"null", b"{}", b"[]", b"\xef\xbb\xbf[]", b'{"items":null}', b'{"Items":[]}', b"[" * 600 + b"]" * 600,
    b'{"a":' * 600 + b"1" + b"}" * 600, b'[{"level":"Metadata","stage":"Panic","verb":"get","auditID":"x","x":1e999}]',
    b'{"metadata":{"creationTimestamp":"2017-01-01T00:00:00Z"},"timestamp":"2017-01-01T00:00:00Z","level":"Metadata",'
    b'"stage":"RequestReceived","verb":"get","auditID":"x"}',
    b'{"level":"RequestResponse","stage":"ResponseComplete","verb":"patch","auditID":"x",%b,"requestObject":[{"op":"add",'
    b'"path":"/data/a~1b","value":"eA=="}],"responseObject":{"kind":"Secret","data":{"a":"eA=="}}}' % _REF.encode(),
    b'{"level":"Request","stage":"ResponseComplete","verb":"create","auditID":"x","requestURI":"/a?access_token=x&b=c",'
    b'"requestObject":{"kind":"List","items":[{"kind":"Secret","stringData":{"a":"b"}}]},"_auditwire":{"a":1}}',
)  # fmt: skip


@cache
def invocations() -> list[dict[str, Any]]:
    """The sample invocations of ingest."""
    return [json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "events" / "ingest").glob("*.json"))]


def bodies() -> list[bytes]:
    """Request bodies: of the sample invocations whole and line by line, and odd ones."""
    texts = [one["body"].encode() for one in invocations() if one.get("body") and not one.get("isBase64Encoded")]
    small = [piece for text in texts for piece in _events(text)]
    return [*(text for text in texts if len(text) < 20_000), *small, *_MORE_BODIES]


def _events(text: bytes) -> Iterator[bytes]:
    decoder = json.JSONDecoder()
    left = text.decode().strip()
    while left:
        try:
            value, end = decoder.raw_decode(left)
        except ValueError:
            return
        left = left[end:].strip()
        items = value.get("items") or value.get("Items") if isinstance(value, dict) else value
        for one in (items if isinstance(items, list) else [value])[:6]:
            yield json.dumps(one, separators=(",", ":"), ensure_ascii=False).encode()


@cache
def condition_vectors() -> list[str]:
    """Conditions of the conformance vectors, and those of the default rules."""
    path = ROOT / "tests" / "conformance" / "conditions.jsonl"
    found = [json.loads(line)["condition"] for line in path.read_text("utf-8").splitlines()]
    return [text for text in dict.fromkeys(found) if len(text) < 400]


def vector_events() -> list[bytes]:
    """The events the vectors are about."""
    events = json.loads((ROOT / "tests" / "conformance" / "events.json").read_text("utf-8"))
    return [json.dumps(event).encode() for event in events.values()]


def rule_documents() -> list[bytes]:
    """Rule documents: the head of each default document cut to a few entries, and small ones with everything."""
    small = [path.read_text("utf-8") for path in sorted((ROOT / "rules").glob("*.yaml"))]
    return [text.encode() for text in [*(text for text in small if len(text) < 6_000), *_documents()]]


def _documents() -> Iterator[str]:
    head = "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Rule\nmetadata:\n  name: r\n  labels: {type: alerting}\n"
    entries = (
        '  - {name: a, type: rule, priority: WARNING, condition: \'Verb = "get" and ${m}\', output: "${u} ${Verb}"}',
        "  - {name: m, type: macro, macro: 'ObjectRef.Name in ${l} or not Annotations.a exists'}",
        '  - {name: l, type: list, list: [a, "b", c]}',
        "  - {name: u, type: alias, alias: User.Username}",
        "  - {name: d, type: rule, enable: false, condition: 'RequestObject.spec.containers[*].image like \"a*\"'}",
        "  - {name: e, type: rule, condition: 'RequestObject.a[0:2].b regex \"^(a|b){1,9}$\"', alert: distinct}",
        "  - {name: x, type: macro, macro: '${y}'}\n  - {name: y, type: macro, macro: '${x}'}",
        "  - {name: n, type: rule, condition: 'ResponseStatus.code >= 400 and User.Groups contains \"g\"'}",
        '  - name: b\n    type: rule\n    priority: INFO\n    condition: >-\n      ${other.m}\n      and Verb = "x"\n'
        "    labels: {severity: high}\n    annotations: {runbook_url: 'https://example.org'}",
    )
    for entry in entries:
        yield f"{head}spec:\n  rules:\n{entry}\n"
    joined = "\n".join(entries[:5])
    yield f"{head}spec:\n  rules:\n{joined}\n"
    yield (
        "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Webhook\nmetadata:\n  name: w\nspec:\n  auditLevel: Request\n"
        "  k8sAuditingEnabled: true\n  auditSinkPolicy:\n    alertingRuleSelector:\n      matchLabels: {type: alerting}\n"
        "      matchExpressions: [{key: a, operator: In, values: [b]}]\n  receivers:\n  - name: am\n    type: alertmanager\n"
        "    config: {url: 'http://a:9093'}\n"
    )
    # Few aliases of aliases stand for more than memory holds.
    laughs = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    yield f"a0: &a0 [x]\n{laughs}"
    yield f"{head}spec:\n  a0: &a0 [x]\n" + "".join(f"  {line}\n" for line in laughs.splitlines())
    yield f"a0: &a0 [x]\n{laughs}{head}spec:\n  rules: *a11\n"


def policies() -> list[bytes]:
    """Policy files of the vectors."""
    path = ROOT / "tests" / "conformance" / "policy.jsonl"
    found = [json.loads(line)["policy"] for line in path.read_text("utf-8").splitlines()]
    return [text.encode() for text in dict.fromkeys(found)]


def messages() -> list[bytes]:
    """Bodies of the alerts queue: the sample's, in an envelope, and odd ones."""
    event = json.loads((ROOT / "events" / "relay" / "alerts.json").read_text("utf-8"))
    texts = [record["body"] for record in event["Records"]]
    envelope = json.dumps({"Type": "Notification", "Message": texts[0]})
    odd = '{"labels":{"alertname":"x","n":1,"é":"b","ö":"c"},"annotations":null,"startsAt":"0001-01-01T00:00:00+14:00"}'
    return [*(text.encode() for text in texts), envelope.encode(), odd.encode(), b"{}", b"[]"]
