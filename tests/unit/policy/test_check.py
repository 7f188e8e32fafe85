"""What a policy does that its author hardly meant."""

import pytest
from hypothesis import given

from auditwire.documents.source import Source
from auditwire.policy import Attributes, Policy, check_policy
from auditwire.policy.coverage import Coverage, same_effect
from policies import PLAUSIBLE_REQUESTS, POLICIES

Finding = tuple[str, int, str, str]
HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"


def findings(text: str, *codes: str) -> list[Finding]:
    """Code, line, message and hint of the findings with these codes, or of all."""
    loaded = check_policy(Source("policy.yaml", text))
    assert loaded.policy is not None, [found.as_text() for found in loaded.diagnostics]
    return [
        (found.code, found.line, found.message, found.hint)
        for found in loaded.diagnostics
        if not codes or found.code in codes
    ]


def codes_of(*rules: str, head: str = "") -> list[tuple[str, int]]:
    """Code and number, from 0, of the rule for each finding; one rule a line, in flow style."""
    text = f"{HEAD}{head}rules:\n" + "".join(f"- {{{rule}}}\n" for rule in rules)
    first = text[: text.index("rules:")].count("\n") + 2
    return [(code, line - first) for code, line, _, _ in findings(text)]


def test_a_policy_without_traps_has_no_findings() -> None:
    assert codes_of('level: Metadata, resources: [{group: "", resources: [secrets]}]', "level: RequestResponse") == []


@pytest.mark.parametrize(
    "rules",
    [
        ("level: Metadata", "level: None, verbs: [get]"),
        ("level: Metadata", 'level: None, nonResourceURLs: ["/x"]'),
        ("level: Metadata, verbs: [get, list]", "level: None, verbs: [list], users: [a]"),
        ("level: Metadata, users: [a, b]", "level: None, users: [b, a]"),
        ("level: Metadata, userGroups: [a, b]", "level: None, userGroups: [b], users: [x]"),
        ('level: Metadata, nonResourceURLs: ["/x*"]', 'level: None, nonResourceURLs: ["/xy*", /x, /xz]'),
        ('level: Metadata, nonResourceURLs: ["*"]', 'level: None, nonResourceURLs: ["/a*"]'),
        ("level: Metadata, resources: [{group: apps}]", "level: None, resources: [{group: apps, resources: [x]}]"),
        (
            'level: Metadata, resources: [{group: apps, resources: ["*"]}]',
            'level: None, resources: [{group: apps, resources: [x, "x/y", "x/*", "*/y", "*"]}, {group: apps}]',
        ),
        (
            'level: Metadata, resources: [{group: apps, resources: ["x/*"]}]',
            'level: None, resources: [{group: apps, resources: [x, "x/y", "x/*"], resourceNames: [name]}]',
        ),
        (
            "level: Metadata, resources: [{group: a}, {group: b}]",
            "level: None, resources: [{group: b}], namespaces: [shop]",
        ),
        ("level: Metadata, namespaces: [a, b]", "level: None, namespaces: [a], resources: [{group: apps}]"),
    ],
)
def test_a_rule_that_an_earlier_one_shadows_is_never_reached(rules: tuple[str, ...]) -> None:
    assert ("AW320", 1) in codes_of(*rules)


@pytest.mark.parametrize(
    "rules",
    [
        ("level: Metadata, verbs: [get]", "level: None, verbs: [get, list]"),
        ("level: Metadata, users: [a]", "level: None, userGroups: [a]"),
        ('level: Metadata, nonResourceURLs: ["*"]', "level: None"),
        ('level: Metadata, nonResourceURLs: ["/x/*"]', 'level: None, nonResourceURLs: ["/x*"]'),
        ('level: Metadata, namespaces: [""]', "level: None, resources: [{group: apps}]"),
        ("level: Metadata, resources: [{group: apps, resources: [x]}]", "level: None, resources: [{group: apps}]"),
        (
            "level: Metadata, resources: [{group: apps, resources: [x]}]",
            'level: None, resources: [{group: apps, resources: ["x/*"]}]',
        ),
        (
            "level: Metadata, resources: [{group: apps, resources: [x], resourceNames: [a]}]",
            "level: None, resources: [{group: apps, resources: [x]}]",
        ),
        (
            "level: Metadata, users: [a]",
            "level: Request, verbs: [get]",
            "level: None, users: [a, b], verbs: [get, list]",
        ),
    ],
)
def test_a_rule_that_is_left_something_is_not_called_unreached(rules: tuple[str, ...]) -> None:
    assert "AW320" not in [code for code, _ in codes_of(*rules)[:1]]


def test_several_rules_may_shadow_one_together() -> None:
    (found,) = findings(
        f"{HEAD}rules:\n- {{level: None, verbs: [get]}}\n- {{level: None, verbs: [list]}}\n"
        "- {level: Metadata, verbs: [list, get]}\n- level: Request\n  verbs: [create]\n"
        "  resources: [{group: apps}]\n",
        "AW320",
    )

    assert found == (
        "AW320",
        6,
        (
            "the rule is never reached: rules[0] (line 4), rules[1] (line 5) match all of it first, so list, get on "
            "everything by everybody is recorded at None, not Metadata"
        ),
        "the first match wins: move the rule above rules[0], or remove it",
    )


def test_a_rule_that_changes_nothing_is_named_with_the_one_that_does_its_work() -> None:
    (found,) = findings(
        f'{HEAD}rules:\n- {{level: Metadata, resources: [{{group: "", resources: [pods]}}]}}\n'
        "- {level: None, resources: [{group: apps}]}\n- {level: Metadata}\n"
    )

    assert found == (
        "AW321",
        4,
        "the rule changes nothing: rules[2] (line 6) would record the same for all requests that it matches",
        "remove it, or give it the level that you intended",
    )


@pytest.mark.parametrize(
    "rules",
    [
        ("level: Metadata, users: [a]", "level: None, verbs: [get]", "level: Metadata"),
        ("level: Metadata, users: [a], omitStages: [Panic]", "level: Metadata"),
        ("level: Metadata, users: [a], omitManagedFields: true", "level: Metadata"),
        ("level: None, users: [a]", "level: Metadata, verbs: [get]"),
    ],
)
def test_a_rule_that_changes_something_is_not_called_without_effect(rules: tuple[str, ...]) -> None:
    assert "AW321" not in [code for code, _ in codes_of(*rules)]


@given(POLICIES, PLAUSIBLE_REQUESTS)
def test_what_is_called_unreached_is(policy: Policy, request: Attributes) -> None:
    reached = policy.evaluate(request).matched_rule

    assert reached is None or not Coverage(policy).shadowing(reached)


@given(POLICIES, PLAUSIBLE_REQUESTS)
def test_what_is_called_without_effect_is(policy: Policy, request: Attributes) -> None:
    coverage = Coverage(policy)
    for position in range(len(policy.rules)):
        if coverage.same_without(position) is None or coverage.shadowing(position):
            continue
        without = Policy(
            rules=policy.rules[:position] + policy.rules[position + 1 :],
            omit_stages=policy.omit_stages,
            omit_managed_fields=policy.omit_managed_fields,
        )
        assert same_effect(policy.evaluate(request), without.evaluate(request))


@pytest.mark.parametrize("key", ["users", "userGroups", "verbs", "namespaces"])
def test_a_star_is_literal_in_most_places(key: str) -> None:
    (found,) = findings(f'{HEAD}rules:\n- level: Metadata\n  {key}: ["*"]\n', "AW322")

    assert found[1:3] == (5, f"in {key} a * is an ordinary character, so '*' only matches itself")
    assert found[3].startswith(f"leave {key} out to match all ")


def test_a_star_that_is_part_of_a_resource_is_literal() -> None:
    text = f'{HEAD}rules:\n- level: Metadata\n  resources:\n  - {{group: apps, resources: ["*", "*/x", "x/*", %s]}}\n'

    assert findings(text % "x") == []
    for odd in ('"*/*"', '"x*"', '"x/y*"', '"*x/y"'):
        assert [code for code, *_ in findings(text % odd)] == ["AW322"], odd


@pytest.mark.parametrize(
    ("verbs", "severity"), [("verbs: [create, list]", "warning"), ("verbs: [get, list]", "warning"), ("", "info")]
)
def test_names_do_not_match_requests_without_one(verbs: str, severity: str) -> None:
    rule = f'{{level: Metadata, resources: [{{group: "", resources: [secrets], resourceNames: [a]}}], {verbs}}}'
    loaded = check_policy(Source("policy.yaml", f"{HEAD}rules:\n- {rule}\n"))

    assert [(found.code, str(found.severity)) for found in loaded.diagnostics] == [("AW323", severity)]


def test_names_match_where_there_are_some() -> None:
    entry = '{group: "", resources: [%s], resourceNames: [a]}'

    assert codes_of(f"level: Metadata, verbs: [get, delete], resources: [{entry % 'secrets'}]") == []
    assert codes_of(f"level: Metadata, verbs: [create], resources: [{entry % 'pods/exec'}]") == []


@pytest.mark.parametrize(
    ("rules", "verbs"),
    [
        (("level: Request",), "create, update, patch"),
        (("level: RequestResponse, verbs: [get, watch]",), "get"),
        (("level: Metadata, verbs: [get], users: [a]", "level: RequestResponse, verbs: [get]"), "get"),
        (
            ('level: Metadata, resources: [{group: "", resources: [secrets], resourceNames: [a]}]', "level: Request"),
            "create, update, patch",
        ),
        (("level: RequestResponse, namespaces: [a], verbs: [list]",), "list"),
    ],
)
def test_a_rule_that_records_values_of_secrets_is_named(rules: tuple[str, ...], verbs: str) -> None:
    text = f"{HEAD}rules:\n" + "".join(f"- {{{rule}}}\n" for rule in rules)

    ((_, line, message, _),) = findings(text, "AW324")

    assert (line, message) == (3 + len(rules), f"Secrets are recorded with their values, on {verbs}")


@pytest.mark.parametrize(
    "rules",
    [
        ("level: Metadata",),
        ("level: Request, verbs: [get, list, watch, delete]",),
        ("level: RequestResponse, verbs: [watch]",),
        ('level: RequestResponse, nonResourceURLs: ["/x"]',),
        ("level: RequestResponse, resources: [{group: apps}]",),
        ('level: None, resources: [{group: "", resources: ["secrets"]}]', "level: RequestResponse"),
        ("level: Request, omitStages: [RequestReceived, ResponseStarted, ResponseComplete, Panic]",),
    ],
)
def test_a_rule_that_does_not_is_not(rules: tuple[str, ...]) -> None:
    assert "AW324" not in [code for code, _ in codes_of(*rules)]


@pytest.mark.parametrize(
    ("rule", "code", "hint"),
    [
        ("verbs: [GET]", "AW327", "write it in lower case: get"),
        ("verbs: [exec]", "AW327",
         "that is a subresource: write resources: [pods/exec], where the verb is create or get"),
        ("verbs: [edit]", "AW327", "did you mean update?"),
        ("verbs: [post], resources: [{group: apps}]", "AW327", "did you mean create?"),
        ('verbs: [create], nonResourceURLs: ["/x"]', "AW327",
         "requests have get, post, put, patch, delete, head, options, connect, trace"),
        ("resources: [{group: core}]", "AW329", 'the core group is ""'),
        ("resources: [{group: rbac, resources: [roles]}]", "AW329", "did you mean rbac.authorization.k8s.io?"),
        ('resources: [{group: "", resources: [Pod]}]', "AW330", "did you mean pods? Resources are lower-case plurals"),
        ('resources: [{group: "", resources: [deployments]}]', "AW330", "they are in group apps"),
        ("resources: [{group: apps, resources: [pods]}]", "AW330", 'they are in the core group, ""'),
        ("resources: [{group: apps, resources: [a/b/c]}]", "AW330",
         "a subresource is written RESOURCE/SUBRESOURCE"),
        ('resources: [{group: "*"}]', "AW325",
         "name the groups, or make sure that every API server is 1.36 or later"),
        ('namespaces: [""]', "AW326",
         "a request on a Namespace by name counts as inside that namespace, so it is not among them"),
    ],
)  # fmt: skip
def test_names_that_match_nothing_or_something_else_are_reported(rule: str, code: str, hint: str) -> None:
    ((found, line, _, said),) = findings(f"{HEAD}rules:\n- {{level: Metadata, {rule}}}\n")

    assert (found, line, said) == (code, 4, hint)


@pytest.mark.parametrize(
    "rule",
    [
        "verbs: [get, post]",
        "verbs: [enable], users: [a]",
        "resources: [{group: serving.knative.dev, resources: [services, jobs]}]",
        'resources: [{group: "", resources: [pods, pods/log, events]}, {group: apps, resources: [deployments]}]',
    ],
)
def test_names_that_requests_may_have_are_not(rule: str) -> None:
    assert codes_of(f"level: Metadata, {rule}") == []


def test_a_policy_that_records_nothing_says_why() -> None:
    text = f"{HEAD}rules:\n- {{level: None, nonResourceURLS: [/healthz]}}\n- {{level: Metadata}}\n"

    assert [finding[1:] for finding in findings(text, "AW328")] == [
        (3, "this policy never records anything", "every rule that is reached has the level None")
    ]
    stages = "omitStages: [RequestReceived, ResponseStarted, ResponseComplete, Panic]\n"
    assert [finding[3] for finding in findings(f"{HEAD}{stages}rules: [{{level: Request}}]\n", "AW328")] == [
        "omitStages leave no stage"
    ]


def test_a_policy_that_leaves_out_failed_authentications_says_so() -> None:
    assert codes_of("level: Metadata", head="omitStages: [ResponseStarted]\n") == [("AW331", -2)]


@pytest.mark.slow
@pytest.mark.parametrize("rules", [300, 1_000])
def test_a_large_policy_is_checked_as_far_as_time_allows_and_says_where_it_was_not(rules: int) -> None:
    many = ", ".join(f"n{number}" for number in range(rules))
    each = "".join(f"- {{level: Metadata, users: [n{number}], namespaces: [n{number}]}}\n" for number in range(rules))
    text = f"{HEAD}rules:\n{each}- {{level: None, users: [{many}], verbs: [get, list], namespaces: [{many}]}}\n"

    loaded = check_policy(Source("policy.yaml", text))

    codes = {found.code for found in loaded.diagnostics}
    assert "AW320" not in codes
    assert "AW313" in codes


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("users: [system:nodes]", [("AW333", "no user is called 'system:nodes': it is a group")]),
        ("users: [system:serviceaccounts:kube-system]",
         [("AW333", "no user is called 'system:serviceaccounts:kube-system': it is a group")]),
        ("userGroups: [system:serviceaccount:a:b]",
         [("AW333", "no group is called 'system:serviceaccount:a:b': it is a user")]),
        ("userGroups: [system:admin]", [("AW333", "no group is called 'system:admin': it is a user")]),
        ("users: [system:node:a, jane], userGroups: [system:nodes, ops]", []),
        ('resources: [{group: "", resources: ["pods/logs"]}]',
         [("AW330", "there is no pods/logs, so this matches nothing")]),
        ('resources: [{group: "", resources: ["serviceaccounts/tokens"]}]',
         [("AW330", "there is no serviceaccounts/tokens, so this matches nothing")]),
        ('resources: [{group: "", resources: ["configmaps/status"]}]',
         [("AW330", "there is no configmaps/status, so this matches nothing")]),
        ('resources: [{group: example.com, resources: ["widgets/logs"]}]',
         [("AW330", "there is no subresource 'logs', so this matches nothing")]),
        ('resources: [{group: "", resources: ["pods/log", "pods/*", "*/status", "pods/ephemeralcontainers"]}]', []),
        ('resources: [{group: apps, resources: ["deployments/scale", "deployments/rollback"]}]', []),
        ('resources: [{group: example.com, resources: ["widgets/anything"]}]', []),
    ],
)  # fmt: skip
def test_names_that_match_nothing_because_they_are_others(rule: str, expected: list[tuple[str, str]]) -> None:
    text = f"{HEAD}rules:\n- {{level: Metadata, {rule}}}\n- {{level: Metadata, verbs: [get]}}\n"

    assert [(code, message) for code, _, message, _ in findings(text, "AW330", "AW333")] == expected


OMIT_ALL = "omitStages: [RequestReceived, ResponseStarted, ResponseComplete]"


def test_a_policy_that_records_nothing_but_panics_is_told_so() -> None:
    (found,) = findings(f"{HEAD}{OMIT_ALL}\nrules: [{{level: RequestResponse}}]\n", "AW328", "AW324")

    assert found[:3] == ("AW328", 4, "this policy records nothing but panics")


def test_a_rule_that_records_nothing_but_panics_is_told_so_and_not_that_it_records_secrets() -> None:
    text = f"{HEAD}rules:\n- {{level: RequestResponse, verbs: [get], {OMIT_ALL}}}\n- {{level: Metadata}}\n"

    assert [found[:3] for found in findings(text, "AW328", "AW324")] == [
        ("AW328", 4, "this rule records nothing but panics")
    ]
