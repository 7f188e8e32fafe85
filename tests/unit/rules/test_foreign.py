"""Documents as other programs write them, read or refused with one sentence."""

import json

import pytest
import yaml

from auditwire.documents.diagnostics import Diagnostic
from auditwire.policy import check_policy
from auditwire.rules import Loaded, Source, load_sources
from rule_texts import document, one_rule, rule

POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n"


def load(text: str) -> Loaded:
    return load_sources([Source("x.yaml", text)])


def listed(*texts: str, kind: str = "List") -> str:
    """What ``kubectl get -o yaml`` writes."""
    items = [yaml.safe_load(text) for text in texts]
    for item in items:
        item["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-21T22:05:00Z"}
    return yaml.safe_dump({"apiVersion": "v1", "items": items, "kind": kind, "metadata": {"resourceVersion": ""}})


@pytest.mark.parametrize("kind", ["List", "RuleList"])
def test_the_items_of_a_list_are_read_with_their_own_lines(kind: str) -> None:
    text = listed(one_rule("a"), document(rule("Verbs exists"), name="b"), kind=kind)

    loaded = load(text)

    assert [one.name for one in loaded.documents] == ["a", "b"]
    (error,) = [found for found in loaded.diagnostics if found.is_error]
    assert (error.code, error.rule) == ("AW102", "b.r")
    assert "Verbs exists" in text.splitlines()[error.line - 1]


def test_a_list_decides_as_its_items_do() -> None:
    both = load(listed(one_rule("a"), one_rule("b", 'Verb = "list"'))).rule_set

    assert both is not None
    assert [one.qualified for one in both.alerting] == ["a.r", "b.r"]


def test_a_list_in_json_and_an_empty_one_and_one_among_others() -> None:
    assert load(json.dumps(yaml.safe_load(listed(one_rule("a"))))).rule_set is not None
    assert load("apiVersion: v1\nkind: List\nitems: []\n").diagnostics == []
    assert len(load(listed(one_rule("a")) + "---\n" + one_rule("b")).documents) == 2


def errors(text: str) -> list[Diagnostic]:
    return [found for found in load(text).diagnostics if found.is_error]


@pytest.mark.parametrize("kind", ["ClusterRuleGroup", "RuleGroup"])
def test_rules_of_kubesphere_4_are_refused_with_what_to_do(kind: str) -> None:
    text = f"apiVersion: logging.whizard.io/v1alpha1\nkind: {kind}\nspec: {{rules: [{{name: x}}]}}\n"

    (found,) = errors(text)

    assert (found.code, found.message) == (
        "AW206", f"this is a {kind} of KubeSphere 4, whose rules are written differently"
    )  # fmt: skip
    assert found.hint == "run auditwire rules import kubesphere x.yaml --out DIR, which writes Rule documents"


INSIDE = {
    "ConfigMap": ({"kind": "ConfigMap", "data": {"policy.yaml": POLICY}}, "the text below data['policy.yaml']"),
    "JSON in a ConfigMap": (
        {"kind": "ConfigMap", "data": {"audit": json.dumps(yaml.safe_load(POLICY))}}, "the text below data.audit",
    ),
    "kOps": (
        {"kind": "Cluster", "apiVersion": "kops.k8s.io/v1alpha2",
         "spec": {"fileAssets": [{"name": "other", "content": "x"}, {"name": "audit", "content": POLICY}]}},
        "the text below spec.fileAssets[1].content",
    ),
    "Talos": (
        {"version": "v1alpha1", "cluster": {"apiServer": {"auditPolicy": yaml.safe_load(POLICY)}}},
        "what stands below cluster.apiServer.auditPolicy",
    ),
    "RKE": (
        {"services": {"kube-api": {"audit_log": {"configuration": {"policy": yaml.safe_load(POLICY)}}}}},
        "what stands below services.kube-api.audit_log.configuration.policy",
    ),
    "Cluster API": (
        {"kind": "KubeadmControlPlane", "spec": {"kubeadmConfigSpec": {"files": [{"content": POLICY}]}}},
        "the text below spec.kubeadmConfigSpec.files[0].content",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INSIDE)
def test_a_policy_inside_of_another_document_is_one_finding_that_says_where_it_is(name: str) -> None:
    plain, place = INSIDE[name]
    text = yaml.safe_dump(plain, sort_keys=False)

    loaded = check_policy(Source("x.yaml", text))
    (found,) = loaded.diagnostics

    assert (found.code, loaded.load, len(loaded.errors)) == ("AW302", "error", 1)
    assert found.message.endswith(f"; the policy is {place}")
    (among_rules,) = errors(text)
    assert among_rules.message.endswith(f"; the audit policy is {place}")


@pytest.mark.parametrize(
    "text",
    [
        POLICY,
        "rules: [{level: Metadata}]\napiVersion: audit.k8s.io/v2\n",
        "kind: ConfigMap\ndata: {a: b}\n",
        "kind: ConfigMap\ndata: {a: 'see audit.k8s.io/v1'}\n",
        "a: &a {b: 1}\nc: [*a, *a]\n",
    ],
)
def test_what_holds_no_policy_is_judged_as_before(text: str) -> None:
    assert not any("the policy is" in found.message for found in check_policy(Source("x.yaml", text)).diagnostics)


def test_a_rule_about_policies_is_a_rule() -> None:
    condition = 'Annotations["audit.k8s.io/level"] exists and RequestObject.rules[*].level = "None"'

    assert errors(document(rule(condition))) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_named_so(encoding: str) -> None:
    text = POLICY.encode(encoding).decode(errors="replace")

    (of_policy,) = check_policy(Source("x.yaml", text)).diagnostics
    (of_rules,) = load(text).diagnostics

    assert of_policy.message == of_rules.message == "the file is UTF-16, not UTF-8"
    assert "UTF-8" in of_policy.hint
    assert [found.code for found in (of_policy, of_rules)] == ["AW301", "AW201"]


def test_one_nul_is_no_utf_16() -> None:
    assert "UTF-16" not in load(POLICY + "\0").diagnostics[0].message


@pytest.mark.parametrize(
    ("output", "code"), [("${$1}", "AW212"), ("a ${$12} b", "AW212"), ("${$x}", "AW212"), ("${ObjectRef.Name}", "")]
)
def test_parts_of_a_name_in_an_output_are_refused_with_the_reason(output: str, code: str) -> None:
    found = errors(document(rule('Verb = "get"', more=f", output: '{output}'")))

    assert [one.code for one in found] == ([code] if code else [])
    if code and output != "${$x}":
        assert "of ObjectRef.Name between colons in KubeSphere" in found[0].message
