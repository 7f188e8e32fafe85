"""A bundle: what was compiled comes back as it was, and nothing else is taken for one."""

import contextlib
import subprocess
import sys
from dataclasses import replace
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.condition.syntax import Expression
from auditwire.condition.tree_json import from_json, to_json
from auditwire.rules import RuleSet, Source, default_rules, load_sources
from auditwire.rules.bundle import SCHEMA, BundleError, decode_bundle, encode_bundle
from auditwire.rules.pack import compile_pack, default_rule_set
from examples import examples
from made_events import event
from strategies import expressions

DOCUMENTS = [
    Source(
        "mine.yaml",
        """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {name: mine, labels: {type: alerting}}
spec:
  rules:
  - {name: who, type: alias, alias: User.Username}
  - name: r
    type: rule
    priority: WARNING
    alert: distinct
    labels: {team: a}
    annotations: {runbook_url: 'https://example.com/r'}
    output: "${who} did ${Verb} to ${RequestObject.spec.containers[*].image}"
    condition: 'RequestObject.spec.containers[*].ports[0:2].hostPort > 0 and not (Verb in ("get", 5))'
  - name: many
    type: rule
    priority: WARNING
    threshold: {distinct: 'Annotations["a/b"]', atLeast: 5, by: [User.Username, '${who}'], within: 90s}
    condition: 'Verb = "get" and Stage = "ResponseComplete"'
  - name: often
    type: rule
    priority: WARNING
    threshold: {count: 1000, within: 24h}
    condition: 'Verb = "list" and Stage = "ResponseComplete"'
""",
    ),
    Source(
        "webhook.yaml",
        """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {name: w}
spec:
  auditLevel: Request
  alertingPriority: INFO
  k8sAuditingEnabled: false
  missingBodies: archive
  redact: [{path: 'spec["a.b"].*', resources: [widgets.example.com, pods/status]}]
  auditSinkPolicy:
    alertingRuleSelector: {matchExpressions: [{key: type, operator: In, values: [alerting, x]}]}
  receivers: [{name: am, type: alertmanager, config: {url: 'http://am:9093'}}]
""",
    ),
]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def loaded(sources: list[Source]) -> RuleSet:
    rule_set = load_sources(sources).rule_set
    assert rule_set is not None
    return rule_set


@cache
def sound() -> bytes:
    return encode_bundle(loaded(DOCUMENTS), DOCUMENTS)


def damaged(**changes: Any) -> bytes:
    return orjson.dumps({**orjson.loads(sound()), **changes})


def test_a_bundle_gives_back_rules_settings_findings_and_documents() -> None:
    rule_set = loaded(DOCUMENTS)

    bundle = decode_bundle(encode_bundle(rule_set, DOCUMENTS))

    assert bundle.digest == rule_set.digest
    assert bundle.sources == tuple(DOCUMENTS)
    assert bundle.rule_set.settings == rule_set.settings
    assert bundle.rule_set.findings == rule_set.findings
    assert [rule.text for rule in bundle.rule_set.alerting] == [rule.text for rule in rule_set.alerting]
    assert bundle.rule_set.archiving == ()


def test_a_bundle_of_the_first_schema_is_read() -> None:
    value = orjson.loads(damaged(schema=1))
    del value["exceptions"], value["settings"]["missingBodies"], value["settings"]["redact"]
    for one in value["alerting"]:
        del one["threshold"]

    again = decode_bundle(orjson.dumps(value)).rule_set

    before = [replace(rule.text, threshold=None) for rule in loaded(DOCUMENTS).alerting]
    assert [rule.text for rule in again.alerting] == before
    assert again.exceptions == ()


def test_rules_of_a_bundle_decide_and_say_the_same() -> None:
    rule_set = loaded(DOCUMENTS)
    again = decode_bundle(encode_bundle(rule_set, DOCUMENTS)).rule_set
    container = {"image": "a:1", "ports": [{"hostPort": 1}, {"hostPort": 2}]}
    events = [event(verb="create", body={"spec": {"containers": [container]}}), event(verb="get"), event(verb="patch")]

    for one in events:
        before, after = rule_set.decide(one), again.decide(one)
        assert (before.outcome, before.alerting) == (after.outcome, after.alerting)
    assert again.alerting[0].message(events[0]) == "ann did create to a:1"


def test_the_same_documents_give_the_same_bytes_in_any_order() -> None:
    assert encode_bundle(loaded(DOCUMENTS), DOCUMENTS) == encode_bundle(loaded(DOCUMENTS[::-1]), DOCUMENTS[::-1])


@given(expressions)
@examples(200)
def test_every_expression_survives_the_way_through_json(expression: Expression) -> None:
    assert from_json(orjson.loads(orjson.dumps(to_json(expression)))) == expression


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "AW401", id="empty"),
        pytest.param(encode_bundle(loaded(DOCUMENTS), DOCUMENTS)[:-40], "AW401", id="cut off"),
        pytest.param(b'{"kind":"Secret"}', "AW401", id="foreign JSON"),
        pytest.param(b"[1]", "AW401", id="a list"),
        pytest.param(damaged(schema=SCHEMA + 1), "AW402", id="a later schema"),
        pytest.param(damaged(digest="0" * 64), "AW403", id="another digest"),
        pytest.param(damaged(sources=[]), "AW403", id="documents taken out"),
        pytest.param(damaged(alerting=[{"name": "x"}]), "AW401", id="half a rule"),
        pytest.param(damaged(settings={}), "AW401", id="no settings"),
        pytest.param(damaged(alerting=5), "AW401", id="wrong type"),
    ],
)
def test_what_is_no_sound_bundle_is_refused_with_its_code(data: bytes, code: str) -> None:
    with pytest.raises(BundleError) as caught:
        decode_bundle(data)

    assert caught.value.diagnostic.code == code


@given(JSON)
@examples(100)
def test_no_json_makes_reading_fail_in_another_way(value: Any) -> None:
    for part in ("alerting", "settings", "sources", "warnings"):
        with contextlib.suppress(BundleError):
            decode_bundle(damaged(**{part: value}))


def test_the_default_pack_is_the_default_documents() -> None:
    assert default_rule_set().digest == loaded(default_rules()).digest
    assert decode_bundle(compile_pack()).sources == tuple(sorted(default_rules(), key=lambda source: source.path))


def test_reading_a_bundle_brings_neither_parser_nor_yaml_along() -> None:
    program = (
        "import sys; from auditwire.rules.bundle import decode_bundle; from auditwire.ingest.ingest import Ingest;"
        "decode_bundle(sys.stdin.buffer.read()).rule_set;"
        "sys.exit(', '.join(sorted({'lark', 'yaml'} & set(sys.modules))) or 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        input=encode_bundle(loaded(DOCUMENTS), DOCUMENTS),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
