"""Policy files: what decodes, what is refused, what is read over, and where findings point."""

from dataclasses import replace

import pytest

from auditwire.documents.diagnostics import Diagnostic
from auditwire.documents.source import Source
from auditwire.policy import GroupResources, LoadedPolicy, load_policy

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"


def load(text: str) -> LoadedPolicy:
    return load_policy(Source("policy.yaml", text))


def only(loaded: LoadedPolicy) -> Diagnostic:
    (found,) = loaded.diagnostics
    return found


def users(text: str) -> tuple[str, ...] | None:
    """The users of a policy's only rule, given as YAML; None when they cannot be decoded."""
    loaded = load(f"{HEAD}rules:\n- level: Metadata\n  users: {text}\n")
    return loaded.policy.rules[0].users if loaded.policy else None


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "y",
        "Off",
        "true",
        "123",
        "1_000",
        "0x1f",
        "0b11",
        "0o17",
        "017",
        "08",
        "1.5",
        "1e3",
        ".5",
        "-.inf",
        ".nan",
    ],
)
def test_a_scalar_that_yaml_reads_as_something_else_is_no_text(text: str) -> None:
    assert users(f"[{text}]") is None
    assert users(f'["{text}"]') == (text,)
    assert users(f"[!!str {text}]") == (text,)


@pytest.mark.parametrize("text", ["1:30", "2020-01-01", "yEs", "0xzz", "1.2.3", "system:node:a", "!custom x", "+", "-"])
def test_a_scalar_that_go_reads_as_text_is_one_whatever_else_yaml_1_1_says(text: str) -> None:
    assert users(f"[{text} ]" if text != "-" else "['-']") == (text.removeprefix("!custom "),)


def test_null_is_the_empty_value_of_what_is_wanted() -> None:
    assert users("[null, ~]") == ("", "")
    assert users("") == ()


def test_folded_and_literal_scalars_are_texts() -> None:
    assert users('[]\n  namespaces:\n  - |-\n    5\n  - "a\\\n    b"') == ()


def test_anchors_aliases_and_merges_work_as_in_go() -> None:
    loaded = load(
        f"{HEAD}rules:\n- &all\n  level: Metadata\n  verbs: &v [get]\n- <<: *all\n  users: *v\n"
        "- <<: [{level: Request}, {level: None, users: [x]}]\n"
    )

    assert loaded.policy is not None
    first, second, third = loaded.policy.rules
    assert first.verbs == second.verbs == second.users == ("get",)
    assert (third.level, third.users) == ("Request", ("x",))


def test_json_is_read_also_with_tabs() -> None:
    loaded = load('\t{"apiVersion":"audit.k8s.io/v1",\n\t"rules":[{"level":"Metadata","users":["a\\tb"]}]}')

    assert loaded.load == "ok"
    assert loaded.policy is not None
    assert loaded.policy.rules[0].users == ("a\tb",)


def test_what_begins_with_a_brace_must_be_json() -> None:
    found = only(load("{apiVersion: audit.k8s.io/v1, rules: [{level: None}]}"))

    assert found.code == "AW301"
    assert "is read as JSON, but it is not JSON" in found.message
    assert (found.line, found.column) == (1, 2)


def test_only_the_first_document_counts_even_when_others_are_broken() -> None:
    loaded = load(f"{HEAD}rules: [{{level: None}}]\n---\nrules: [\n")

    assert loaded.load == "ok"
    assert loaded.errors == ()
    assert {found.code for found in loaded.diagnostics} <= {"AW312"}


def test_all_errors_are_told_at_once_where_kube_apiserver_stops_at_the_first() -> None:
    loaded = load(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [Received]\nrules:\n"
        "- level: metadata\n- level: Request\n  verbs: get\n- verbs: [get]\n"
    )

    assert [(found.code, found.line, found.column) for found in loaded.diagnostics] == [
        ("AW306", 3, 14),
        ("AW305", 5, 10),
        ("AW303", 7, 10),
        ("AW305", 8, 3),
    ]
    assert [(fault.type, fault.field) for fault in loaded.errors] == [("Decode", "")]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("level: metadata", "there is no level 'metadata'", "did you mean Metadata?"),
        ("verbs: [get]", "the rule has no level", "write level: None, Metadata, Request or RequestResponse"),
        ("{level: None, omitStages: [Complete]}", "there is no stage 'Complete'", "did you mean ResponseComplete?"),
        (
            "{level: None, verbs: get}",
            "rules[0].verbs must be a list of texts, not a text",
            "write a list: [get]",
        ),
        ("{level: None, users: [123]}", "rules[0].users[0] must be a text, not a number", 'quote it: "123"'),
        (
            "{level: None, resources: [pods]}",
            "rules[0].resources[0] must be a mapping, not a text",
            'write {group: "", resources: [pods]}, with the API group of the resource',
        ),
        (
            "{level: None, resources: [{group: apps/v1}]}",
            "'apps/v1' is not a name of an API group",
            "write the group without its version: apps",
        ),
        (
            "{level: None, nonResourceURLs: [healthz]}",
            "the path 'healthz' does not begin with a slash",
            "write only the path, as in /healthz*, or * for every path",
        ),
        (
            "{level: None, nonResourceURLs: [/x], namespaces: [a]}",
            "a rule cannot have both nonResourceURLs and namespaces",
            "split it into two rules",
        ),
        (
            '{level: None, resources: [{group: "", resourceNames: [a]}]}',
            "resourceNames have no meaning without resources",
            "add the resources that have these names",
        ),
    ],
)
def test_an_error_says_what_is_wrong_and_what_to_do(text: str, message: str, hint: str) -> None:
    found = only(load(f"{HEAD}rules:\n- {text}\n"))

    assert (found.message, found.hint, found.is_error) == (message, hint, True)
    assert found.line == 4


@pytest.mark.parametrize(
    ("head", "type_", "message"),
    [
        ("", "UnknownVersion", "the policy has no apiVersion"),
        ("apiVersion: audit.k8s.io/\n", "UnknownVersion", "the policy has no apiVersion"),
        ("apiVersion: audit.k8s.io/v1beta1\n", "Decode", "the apiVersion is audit.k8s.io/v1beta1"),
        ("apiVersion: v1\n", "Decode", "the apiVersion is v1"),
        ("apiVersion: 1\n", "Decode", "apiVersion must be a text, not a number"),
        ("apiVersion: audit.k8s.io/v1\nkind: policy\n", "Decode", "the kind is policy, not Policy"),
        ("apiVersion: audit.k8s.io/v1\nmetadata: {name: 5}\n", "Decode", "metadata.name must be a text, not a number"),
        ("apiVersion: audit.k8s.io/v1\n1: [\n", "Decode", None),
        ("apiVersion: audit.k8s.io/v1\n? [a]\n: b\n", "Decode", "a key of the policy must be a text"),
    ],
)
def test_a_head_that_kube_apiserver_does_not_take(head: str, type_: str, message: str | None) -> None:
    loaded = load(f"{head}rules: [{{level: None}}]\n")

    assert [(fault.type, fault.field) for fault in loaded.errors] == [(type_, "")]
    assert message is None or loaded.errors[0].message == message


@pytest.mark.parametrize(
    ("rule", "key", "meant", "matches"),
    [
        ("verb: [delete]", "verb", "verbs", "every request"),
        ("namespace: [prod], verbs: [get]", "namespace", "namespaces", "get on everything by everybody"),
        ("user: [a], userGroups: [b]", "user", "users", "every verb on everything by members of b"),
        ("nonResourceURLS: [/x]", "nonResourceURLS", "nonResourceURLs", "every request"),
        ("Verbs: [get], users: [a]", "Verbs", "verbs", "every verb on everything by a"),
        ("groups: [a], nonResourceURLs: [/x]", "groups", "userGroups", "every verb on the paths /x by everybody"),
        (
            'namespaces: [""], omitstages: [Panic]',
            "omitstages",
            "omitStages",
            "every verb on every resource in no namespace by everybody",
        ),
    ],
)
def test_a_key_nobody_knows_is_reported_with_the_one_that_was_meant_and_what_is_matched_now(
    rule: str, key: str, meant: str, matches: str
) -> None:
    loaded = load(f"{HEAD}rules:\n- {{level: Metadata, {rule}}}\n")

    assert loaded.load == "warning"
    assert loaded.warnings == (f'unknown field "rules[0].{key}"',)
    found = only(loaded)
    assert (found.code, found.rule) == ("AW310", "rules[0]")
    assert found.message == f"Kubernetes does not know {key!r} in rules[0] and ignores it; the rule matches {matches}"
    assert found.hint == f"did you mean {meant!r}?"


def test_a_key_like_no_other_gets_the_list_of_them() -> None:
    found = only(load(f"{HEAD}rules:\n- {{level: None, resources: [{{group: apps, zzz: 1}}]}}\n"))

    assert found.message == (
        "Kubernetes does not know 'zzz' in rules[0].resources[0] and ignores it; "
        "the rule matches every verb on everything of group apps in every namespace by everybody"
    )
    assert found.hint == "there are group, resources and resourceNames"


def test_of_a_key_that_occurs_twice_the_last_counts() -> None:
    loaded = load(f"{HEAD}rules:\n- level: None\n  level: Request\n")

    assert loaded.load == "warning"
    assert loaded.warnings == ('key "level" already set in rules[0]',)
    assert loaded.policy is not None
    assert loaded.policy.rules[0].level == "Request"
    found = only(loaded)
    assert (found.code, found.line, found.column) == ("AW311", 5, 3)


def test_every_selector_is_read() -> None:
    loaded = load(
        f"{HEAD}omitStages: [Panic]\nomitManagedFields: yes\nmetadata: {{labels: {{a: b}}}}\nrules:\n"
        "- level: Request\n  users: [a]\n  userGroups: [b]\n  verbs: [get]\n  namespaces: [c]\n"
        "  resources: [{group: apps, resources: [d], resourceNames: [e]}]\n"
        "  omitStages: [ResponseStarted]\n  omitManagedFields: false\n"
        "- {level: None, nonResourceURLs: [/f]}\n"
    )

    assert loaded.load == "ok"
    assert loaded.policy is not None
    assert (loaded.policy.omit_stages, loaded.policy.omit_managed_fields) == (("Panic",), True)
    first, second = loaded.policy.rules
    assert (first.level, first.users, first.user_groups, first.verbs) == ("Request", ("a",), ("b",), ("get",))
    assert (first.namespaces, first.resources) == (("c",), (GroupResources("apps", ("d",), ("e",)),))
    assert (first.omit_stages, first.omit_managed_fields) == (("ResponseStarted",), False)
    assert (second.non_resource_urls, second.omit_managed_fields) == (("/f",), None)


@pytest.mark.slow
def test_hostile_files_are_refused_in_bounded_time() -> None:
    deep = "[" * 100_000
    aliases = "a: &a [x]\nb: [" + "*a," * 200 + "]\n"
    many = ", ".join(["a"] * 5_000)
    multiplied = (
        f"{HEAD}x: &x [{many}]\ny: &y [{', '.join(['{resources: *x}'] * 40)}]\n"
        f"rules: [{', '.join(['{level: None, resources: *y}'] * 40)}]\n"
    )
    merges = "m0: &m0 {a: 1}\n" + "".join(
        f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}\n" for n in range(1, 11)
    )

    for text, code in (
        (deep, "AW313"),
        (aliases, "AW313"),
        ("x" * (1 << 21), "AW313"),
        (multiplied, "AW313"),
        (f"{HEAD}rules: [{{level: None}}]\n{merges}metadata: {{labels: *m10}}\n", "AW313"),
        ("a: &a [*a]\n", "AW302"),
        (f"{HEAD}rules: &r [*r]\n", "AW303"),
        (f"{HEAD}rules: [&r {{<<: *r, level: None}}]\n", None),
    ):
        codes = {found.code for found in load(text).diagnostics if found.is_error}
        assert code is None or code in codes, text[:60]


def test_findings_show_the_line_they_speak_of() -> None:
    text = load(f"{HEAD}rules:\n- level: Metadata\n  verb: [delete]\n").diagnostics[0].as_text()

    assert text == (
        "policy.yaml:5:3: warning AW310: Kubernetes does not know 'verb' in rules[0] and ignores it; "
        "the rule matches every request\n"
        "      verb: [delete]\n"
        "      ^\n"
        "  hint: did you mean 'verbs'?"
    )


def test_a_tab_in_front_is_named() -> None:
    found = only(load("rules:\n\t- level: None\n"))

    assert replace(found, message="") == replace(found, message="", code="AW301", line=2, column=1)
    assert found.hint == "indent with spaces: YAML allows no tabs"
