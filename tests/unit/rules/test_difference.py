import json
from typing import Any

import pytest

from auditwire.rules import Source, load_sources
from auditwire.rules.difference import Change, Difference, RuleChange, Snapshot, difference

OWN = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata:
  name: own
  labels: {type: alerting}
spec:
  rules:
    - {name: verbs, type: list, list: [create]}
    - {name: who, type: alias, alias: User.Username}
    - {name: pod, type: macro, macro: 'ObjectRef.Resource = "pods"'}
    - {name: unused, type: macro, macro: 'Level exists'}
    - name: NewPod
      type: rule
      desc: A new pod
      condition: ${pod} and Verb in ${verbs}
      priority: WARNING
      output: ${who} made a pod
    - {name: Quiet, type: rule, condition: 'Verb = "get" or not Stage = "Panic"', priority: INFO, enable: false}
"""
WEBHOOK = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {name: w}
spec: {k8sAuditingEnabled: true}
"""


def snapshot(*texts: str) -> Snapshot:
    loaded = load_sources([Source(f"{number}.yaml", text) for number, text in enumerate(texts)])
    assert loaded.rule_set is not None, loaded.diagnostics
    return Snapshot(loaded.rule_set, loaded.documents)


def changed(*replacements: tuple[str, str]) -> Difference:
    text = OWN
    for before, after in replacements:
        assert text.count(before) == 1
        text = text.replace(before, after)
    return difference(snapshot(OWN), snapshot(text))


def only(found: Difference) -> RuleChange:
    assert not found.settings
    assert not found.policy
    (rule,) = found.rules
    return rule


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# nothing", "# nothing"),
        ("condition: ${pod} and Verb in ${verbs}", "condition: (verb in ${verbs}) and ${own.pod}"),
        ("condition: ${pod} and Verb in ${verbs}", "condition: >-\n        ${pod}\n        and Verb in ${verbs}  "),
        ("macro: 'Level exists'", "macro: 'Stage exists'"),
        ("list: [create]", "list: ['create']"),
        ("{name: unused, type: macro, macro: 'Level exists'}", "{name: other, type: list, list: [x]}"),
    ],
    ids=["comments", "order and casing", "layout", "a macro nobody uses", "quotes", "definitions nobody uses"],
)
def test_what_decides_the_same_is_no_difference(before: str, after: str) -> None:
    assert not difference(snapshot("# nothing\n" + OWN), snapshot(("# nothing\n" + OWN).replace(before, after)))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("priority: WARNING", "priority: INFO", Change("priority", "WARNING", "INFO")),
        ("desc: A new pod", "desc: Pods", Change("desc", "A new pod", "Pods")),
        ("output: ${who} made", "output: ${Verb} made",
         Change("output", "${User.Username} made a pod", "${Verb} made a pod")),
        ("      output: ${who} made a pod\n", "", Change("output", "${User.Username} made a pod", None)),
        ("priority: WARNING", "priority: WARNING\n      labels: {team: a}", Change("label team", None, "a")),
        ("priority: WARNING", "priority: WARNING\n      annotations: {runbook_url: u}",
         Change("annotation runbook_url", None, "u")),
        ("priority: WARNING", "priority: WARNING\n      alert: distinct", Change("alert", "fold", "distinct")),
        ("priority: WARNING", "priority: WARNING\n      enable: false", Change("enabled", "true", "false")),
        ("and Verb in", "and Verb not in", Change("condition", 'ObjectRef.Resource = "pods" and Verb in ("create")',
         'ObjectRef.Resource = "pods" and Verb not in ("create")')),
    ],
    ids=["priority", "desc", "output", "output gone", "label", "annotation", "alert", "enabled", "condition"],
)  # fmt: skip
def test_each_part_of_a_rule_is_compared(before: str, after: str, expected: Change) -> None:
    assert only(changed((before, after))) == RuleChange("own.NewPod", "changed", (expected,))


def test_a_rule_that_is_not_enabled_is_compared_too() -> None:
    rule = only(changed(('or not Stage = "Panic"', 'or Stage != "Panic"')))

    assert rule.rule == "own.Quiet"
    assert [change.what for change in rule.changes] == ["condition"]


def test_a_definition_is_named_where_a_rule_differs_because_of_it() -> None:
    through_list = only(
        changed(
            ("list: [create]", "list: [create, '${more}']"),
            ("    - {name: who", "    - {name: more, type: list, list: [x]}\n    - {name: who"),
        )
    )
    through_alias = only(changed(("alias: User.Username", "alias: User.UID")))
    both = only(changed(("alias: User.Username", "alias: User.UID"), ("priority: WARNING", "priority: INFO")))

    assert through_list.through == ("own.more", "own.verbs")
    assert through_list.changes[0].after == 'ObjectRef.Resource = "pods" and Verb in ("create", "x")'
    assert through_alias.through == ("own.who",)
    assert through_alias.changes == (Change("output", "${User.Username} made a pod", "${User.UID} made a pod"),)
    assert both.through == ("own.who",)


def test_rules_come_and_go() -> None:
    found = changed(("name: Quiet", "name: Loud"))

    assert [(rule.rule, rule.kind) for rule in found.rules] == [("own.Loud", "added"), ("own.Quiet", "removed")]
    assert found.rules[0].changes == (
        Change("enabled", None, "false"),
        Change("used for", None, "alerting"),
        Change("priority", None, "INFO"),
        Change("condition", None, 'Verb = "get" or (not (Stage = "Panic"))'),
        Change("alert", None, "fold"),
    )
    assert {change.after for change in found.rules[1].changes} == {None}


def test_what_a_document_is_used_for_is_a_matter_of_its_rules() -> None:
    found = changed(("labels: {type: alerting}", "labels: {type: archiving}"))

    assert [rule.changes for rule in found.rules] == [(Change("used for", "alerting", "archiving"),)] * 2


def test_settings_are_named_as_the_webhook_document_names_them() -> None:
    after = WEBHOOK.replace(
        "true}",
        """true, auditLevel: Request, archivingPriority: INFO, auditSinkPolicy:
         {alertingRuleSelector: {matchExpressions: [{key: type, operator: In, values: [alerting, b]}]}},
         receivers: [{name: am, type: alertmanager, config: {url: 'http://192.0.2.1:9093'}}]}""",
    )

    found = difference(snapshot(OWN, WEBHOOK), snapshot(OWN, after))

    assert not found.rules
    assert found.settings == (
        Change("auditLevel", "Metadata", "Request"),
        Change("archivingPriority", "DEBUG", "INFO"),
        Change("alertingRuleSelector", "type: alerting", "type In (alerting, b)"),
        Change("receivers", None, "am http://192.0.2.1:9093"),
    )


def test_an_audit_policy_is_compared_rule_by_rule() -> None:
    policy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n- level: Metadata\n"
    reworded = policy.replace("Metadata", '"Metadata"  # everything')
    more = policy.replace("rules:", "rules:\n- {level: None, verbs: [watch]}")

    assert not difference(snapshot(OWN, policy), snapshot(OWN, reworded))
    assert difference(snapshot(OWN, policy), snapshot(OWN, more)).policy == (
        Change(
            "policy",
            'omitStages: ["RequestReceived"]\n{"level": "Metadata"}',
            'omitStages: ["RequestReceived"]\n{"level": "None", "verbs": ["watch"]}\n{"level": "Metadata"}',
        ),
    )
    assert difference(snapshot(OWN, policy), snapshot(OWN)).policy[0].after is None


def test_the_same_in_both_directions_and_as_json() -> None:
    forth, back = (
        changed(("priority: WARNING", "priority: INFO")),
        difference(snapshot(OWN.replace("priority: WARNING", "priority: INFO")), snapshot(OWN)),
    )

    assert [(one.before, one.after) for one in only(back).changes] == [("INFO", "WARNING")]
    expected: dict[str, Any] = {
        "rules": [
            {
                "rule": "own.NewPod",
                "kind": "changed",
                "changes": [{"what": "priority", "before": "WARNING", "after": "INFO"}],
                "through": [],
            }
        ],
        "settings": [],
        "policy": [],
        "exceptions": [],
    }
    assert json.loads(json.dumps(forth.as_json())) == expected
