"""The JSON Schemas accept what loads, refuse what an editor can see, and are the ones checked in."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from auditwire.rules import Source, load_sources, rule_files
from auditwire.rules.schema import SCHEMAS, document_schema, policy_schema, rule_schema, webhook_schema

ROOT = Path(__file__).parents[3]
HEADER = "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Rule\nmetadata: {name: a, labels: {type: alerting}}\n"
WEBHOOK = "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Webhook\n"

GUIDE = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {name: kube-auditing-webhook}
spec:
  auditLevel: RequestResponse
  auditSinkPolicy:
    alertingRuleSelector: {matchLabels: {type: alerting}}
    archivingRuleSelector: {matchExpressions: [{key: type, operator: In, values: [persistence]}]}
  image: kubesphere/kube-auditing-webhook:v0.1.0
  archivingPriority: DEBUG
  replicas: 2
  receivers:
  - name: alert
    type: alertmanager
    config: {service: {namespace: kubesphere-monitoring-system, name: alertmanager-main, port: 9093}}
"""


def shipped() -> list[Any]:
    return [pytest.param(path, id=path.name) for path in rule_files(ROOT / "rules")]


def shown() -> list[Any]:
    """Every whole document the pages show."""
    found = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        fences = re.findall(r"^```yaml[^\n]*\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        documents = [fence for fence in fences if fence.startswith("apiVersion: auditing.kubesphere.io/v1alpha1\n")]
        found += [pytest.param(text, id=f"{page.stem}-{number}") for number, text in enumerate(documents, 1)]
    return found


def faults(text: str, schema: dict[str, Any] | None = None) -> list[str]:
    """What the schema of all documents says of each of these, in order."""
    validator = Draft7Validator(document_schema() if schema is None else schema)
    return [error.message for document in yaml.safe_load_all(text) for error in validator.iter_errors(document)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_checked_in_schema_is_the_generated_one_and_a_schema(name: str) -> None:
    schema = SCHEMAS[name]()
    Draft7Validator.check_schema(schema)

    checked_in = (ROOT / "docs" / "schema" / f"{name}.json").read_text(encoding="utf-8")

    assert checked_in == json.dumps(schema, indent=2, ensure_ascii=False) + "\n", (
        f"run: auditwire rules schema --kind {name} > docs/schema/{name}.json"
    )


@pytest.mark.parametrize("path", shipped())
def test_every_shipped_document_is_valid(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", shown())
def test_what_loads_is_valid(text: str) -> None:
    if load_sources([Source("a.yaml", text)]).rule_set is not None:
        assert faults(text) == []


def test_the_guides_webhook_is_valid() -> None:
    assert faults(GUIDE) == []
    assert faults(GUIDE, webhook_schema()) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEADER + "spec: {rules: [{name: a, type: rule, cond: x}]}", "'cond' was unexpected"),
        (HEADER + "spec: {rules: [{name: a, type: rule}]}", "'condition' is a required property"),
        (HEADER + "spec: {rules: [{name: a, type: macros}]}", "'macros' is not one of"),
        (HEADER + "spec: {rules: [{name: a, type: list, list: [on]}]}", "True is not of type 'string', 'number'"),
        (
            HEADER + "spec: {rules: [{name: a, type: rule, condition: x, priority: WARNNING}]}",
            "'WARNNING' is not one of",
        ),
        (HEADER.replace("v1alpha1", "v1") + "spec: {rules: []}", "'auditing.kubesphere.io/v1alpha1' was expected"),
        (HEADER.replace("name: a, ", "") + "spec: {rules: []}", "'name' is a required property"),
        (WEBHOOK + "spec: {auditLevel: All}", "'All' is not one of"),
        (WEBHOOK + "spec: {k8sAuditingEnabled: maybe}", "'maybe' is not of type 'boolean'"),
        (WEBHOOK + "spec: {receivers: [{config: {url: ftp://a}}]}", "'ftp://a' does not match"),
        ("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{verbs: [get]}]", "'level' is a required property"),
        ("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, verb: [get]}]", "'verb' was unexpected"),
        ("kind: ConfigMap", "'ConfigMap' is not one of ['Rule', 'Webhook', 'Exception', 'Policy']"),
    ],
)
def test_what_an_editor_can_see_is_refused(text: str, fault: str) -> None:
    assert any(fault in found for found in faults(text))


def test_each_kind_has_a_schema_of_its_own() -> None:
    assert faults(HEADER + "spec: {rules: []}", rule_schema()) == []
    assert faults(HEADER + "spec: {rules: []}", webhook_schema()) != []
    assert faults("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None}]", policy_schema()) == []
