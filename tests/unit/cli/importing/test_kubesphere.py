"""Documents of KubeSphere into a folder of rules, and back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditwire.rules import load_rule_set
from rule_texts import document, rule

Run = Callable[..., Any]
GIVEN_OUT = """\
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: auditing.kubesphere.io/v1alpha1
  kind: Rule
  metadata:
    name: given-out
    uid: 0d1f7a52-3c1e-4b0a-9d7e-5f1b2c3d4e5f
    resourceVersion: "17"
    creationTimestamp: "2026-11-21T22:05:00Z"
    managedFields: [{manager: kubectl}]
    annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
    labels: {type: alerting}
  spec:
    rules:
    - {name: reads, type: list, list: [get, list]}
    - {name: Reads, type: rule, desc: d, enable: true, priority: WARNING,
       condition: 'Verb in ${reads} or Verb = "watch" and ObjectRef.Resource = "pods"'}
- apiVersion: auditing.kubesphere.io/v1alpha1
  kind: Webhook
  metadata: {name: hook}
  spec: {k8sAuditingEnabled: true}
"""
GROUP = """\
apiVersion: logging.whizard.io/v1alpha1
kind: ClusterRuleGroup
metadata: {name: group}
spec:
  type: auditing
  rules:
  - name: reads
    desc: what reads
    expr: {kind: list, list: [get, list]}
  - name: pod
    expr: {kind: macro, macro: 'ObjectRef.Resource = "pods"'}
  - name: Reads
    desc: somebody reads pods
    enable: true
    priority: WARNING
    output: ${User.Username} reads
    expr: {kind: rule, condition: '${pod} and Verb in ${reads}'}
  - name: Odd
    expr: {kind: rule, condition: Verb = "get"}
    priority: WARNING
    nobodyKnows: 1
"""


def run(auditwire: Run, tmp_path: Path, *texts: str) -> tuple[Any, Path]:
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(text)
    out = tmp_path / "out"
    return auditwire("rules", "import", "kubesphere", *files, "--out", out, "--format", "json"), out


def test_what_kubectl_gives_out_becomes_documents(auditwire: Run, tmp_path: Path) -> None:
    result, out = run(auditwire, tmp_path, GIVEN_OUT)

    (outcome,) = json.loads(result.stdout)
    assert (result.exit_code, outcome["status"], outcome["rules"]) == (0, "imported", ["given-out.Reads"])
    assert sorted(path.name for path in out.iterdir()) == ["given-out.yaml", "hook-webhook.yaml"]
    written = yaml.safe_load((out / "given-out.yaml").read_text())
    assert written["metadata"] == {
        "name": "given-out", "labels": {"type": "alerting"}, "annotations": {"auditwire.io/precedence": "kubesphere"},
    }  # fmt: skip
    assert auditwire("rules", "check", out).exit_code == 0


def test_a_group_of_kubesphere_4_becomes_a_document(auditwire: Run, tmp_path: Path) -> None:
    result, out = run(auditwire, tmp_path, GROUP)

    reads, odd = json.loads(result.stdout)
    assert (result.exit_code, reads["status"], reads["rules"]) == (1, "imported", ["group.Reads"])
    assert (odd["status"], odd["reason"]) == ("refused", "nobody here knows what nobodyKnows means")
    (found,) = load_rule_set([out]).alerting
    assert (found.qualified, found.desc, str(found.priority)) == ("group.Reads", "somebody reads pods", "WARNING")


def test_a_rule_that_does_not_pass_the_check_is_left_out(auditwire: Run, tmp_path: Path) -> None:
    text = document(rule('Verb = "get"', name="good") + rule('Vreb = "get"', name="bad"))

    result, out = run(auditwire, tmp_path, text)

    good, bad = json.loads(result.stdout)
    assert (result.exit_code, good["status"], bad["status"]) == (1, "imported", "refused")
    assert "Vreb" in bad["reason"]
    assert [found.name for found in load_rule_set([out]).alerting] == ["good"]


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {}\n",
        "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Rule\nspec: {rules: []}\n",
        GROUP.replace("type: auditing", "type: events"),
        GIVEN_OUT.replace("kind: Webhook\n  metadata: {name: hook}\n  spec: {k8sAuditingEnabled: true}",
                          "kind: Rule\n  metadata: {name: given-out}\n  spec: {rules: []}"),
    ],
)  # fmt: skip
def test_what_is_something_else_ends_with_2(auditwire: Run, tmp_path: Path, text: str) -> None:
    result, out = run(auditwire, tmp_path, text)

    assert (result.exit_code, out.exists()) == (2, False)


ROUND_TRIP = """\
- {name: writes, type: list, list: [create, delete, update, patch]}
- {name: pod, type: macro, macro: 'ObjectRef.Resource = "pods"'}
- {name: user, type: alias, alias: User.Username}
- {name: Changes, type: rule, priority: INFO, condition: 'Verb in ${writes}', output: '${user} ${Verb} ${Level}'}
- name: Ports
  type: rule
  priority: WARNING
  condition: >-
    ${pod} and Verb = "create" and (RequestObject.spec.containers[*].ports[*].hostPort > 0 or
    RequestObject.spec.initContainers[*].ports[*].hostPort > 0) and not (${user} like "system:*")
"""


def test_rules_go_to_kubesphere_and_come_back_the_same(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/mine.yaml").write_text(document(ROUND_TRIP))

    there = auditwire("rules", "export", "kubesphere", tmp_path / "mine", "--out", tmp_path / "there")
    back = auditwire("rules", "import", "kubesphere", tmp_path / "there", "--out", tmp_path / "back")

    assert (there.exit_code, back.exit_code) == (0, 0)
    assert auditwire("rules", "check", tmp_path / "there", "--dialect", "kubesphere").exit_code == 0
    written = yaml.safe_load((tmp_path / "there/mine.yaml").read_text())
    assert not [entry for entry in written["spec"]["rules"] if "${" in entry["condition"]]
    assert auditwire("rules", "diff", tmp_path / "mine", tmp_path / "back").exit_code == 0


def test_what_kubesphere_cannot_say_is_refused_with_its_word(auditwire: Run, tmp_path: Path) -> None:
    entries = ('- {name: starts, type: macro, macro: \'UserAgent startswith "curl"\'}\n'
               + rule('Verb = "get"', name="plain", more=", labels: {team: blue}")
               + rule('${starts} and Verb = "get"', name="through", more=", output: 'x'")
               + rule('Stage = "Panic"', name="field")
               + rule('Verb = "list"', name="many", more=", threshold: {count: 2, within: 1m}"))  # fmt: skip
    (tmp_path / "mine.yaml").write_text(document(entries))

    result = auditwire(
        "rules", "export", "kubesphere", tmp_path / "mine.yaml", "--out", tmp_path / "out", "--format", "json"
    )

    plain, through, field, many = json.loads(result.stdout)
    assert (result.exit_code, plain["status"]) == (1, "imported")
    assert plain["notes"] == ["KubeSphere's rules have no labels, annotations and alert: they are left out"]
    assert (through["status"], "startswith" in through["reason"]) == ("refused", True)
    assert (field["status"], "Stage" in field["reason"]) == ("refused", True)
    assert (many["status"], "threshold" in many["reason"]) == ("refused", True)
    written = yaml.safe_load((tmp_path / "out/mine.yaml").read_text())
    assert [entry["name"] for entry in written["spec"]["rules"]] == ["plain"]


def test_rules_with_errors_are_not_exported(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(document(rule('Vreb = "get"')))

    result = auditwire("rules", "export", "kubesphere", tmp_path / "mine.yaml", "--out", tmp_path / "out")

    assert (result.exit_code, (tmp_path / "out").exists()) == (1, False)


def test_a_rule_with_an_exception_is_noted_when_it_is_exported(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(document(rule('Verb = "create"') + rule('Verb = "delete"', name="other")))
    (tmp_path / "site.yaml").write_text(
        "apiVersion: auditwire.io/v1alpha1\nkind: Exception\nmetadata: {name: x}\n"
        "spec: {rule: mine.r, condition: User.Username exists, owner: a, reason: b, expires: 2999-01-01}\n"
    )

    paths = tmp_path / "mine.yaml", tmp_path / "site.yaml"
    result = auditwire("rules", "export", "kubesphere", *paths, "--out", tmp_path / "out", "--format", "json")

    notes = {one["rule"]: one.get("notes", []) for one in json.loads(result.stdout)}
    assert notes == {
        "r": ["KubeSphere knows no exceptions: there it alerts of everything that it matches"],
        "other": [],
    }
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.yaml"]


def test_objects_about_something_else_are_named_and_left_out(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text(
        GIVEN_OUT
        + "- {apiVersion: v1, kind: ConfigMap, metadata: {name: config}}\n"
        + "- {apiVersion: logging.whizard.io/v1alpha1, kind: RuleGroup, metadata: {name: e}, spec: {type: events}}\n"
    )

    result = auditwire(
        "rules", "import", "kubesphere", tmp_path / "list.yaml", "--out", tmp_path / "out", "--format", "json"
    )

    found = [(one["rule"], one["status"], one["reason"]) for one in json.loads(result.stdout)]
    assert result.exit_code == 1
    assert found == [
        ("Reads", "imported", None),
        ("config", "refused", "ConfigMap of v1 is no document of KubeSphere's auditing"),
        ("e", "refused", "e is about events, not about auditing"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}", ": ConfigMap of v1 is no document of KubeSphere's"),
        ("{apiVersion: auditing.kubesphere.io/v1alpha1, kind: Rule}", ": a Rule has no metadata.name or no spec"),
        ("kind: [", ":2:1: this is not YAML"),
    ],
)
def test_a_file_with_nothing_of_it_ends_with_2(auditwire: Run, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.yaml").write_text(text + "\n")

    result = auditwire("rules", "import", "kubesphere", tmp_path / "a.yaml", "--out", tmp_path / "out")

    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)
    assert f"a.yaml{message}" in result.stderr


def test_a_group_is_selected_whatever_its_labels_are(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "group.yaml").write_text(GROUP.replace("{name: group}", "{name: group, labels: {type: auditing}}"))

    auditwire("rules", "import", "kubesphere", tmp_path / "group.yaml", "--out", tmp_path / "out")

    assert "group.Reads" in {one.qualified for one in load_rule_set([tmp_path / "out"]).alerting}
