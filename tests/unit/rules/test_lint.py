"""What is said of documents that load but hardly mean what they say."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.condition import compile_condition
from auditwire.condition.contradiction import Work, contradictions, is_always_true
from auditwire.condition.errors import EvaluationError
from auditwire.condition.parse import parse
from auditwire.condition.precedence import Precedence, read
from auditwire.condition.syntax import Expression, Reference
from auditwire.events import ResponseStatus, User
from auditwire.rules import Source, load_sources
from auditwire.rules.fields import EventFields
from examples import examples
from made_events import event
from rule_texts import document, rule

WEBHOOK = "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Webhook\nspec: {{k8sAuditingEnabled: true, {more}}}\n"


def found(*texts: str) -> list[str]:
    """Every finding but those about selectors, as ``line:column severity code: message``."""
    loaded = load_sources(Source(f"{chr(97 + number)}.yaml", text) for number, text in enumerate(texts))
    return [
        f"{one.line}:{one.column} {one.severity} {one.code}: {one.message}"
        for one in loaded.diagnostics
        if one.code != "AW208"
    ]


def said(condition: str) -> list[str]:
    """The findings about one condition, by their code."""
    return [line.split()[2].rstrip(":") for line in found(document(rule(condition)))]


@pytest.mark.parametrize(
    ("condition", "codes"),
    [
        ("RequestObject.a[2:1] = 1", ["AW108"]),
        ("RequestObject.a[99999999999999999999] = 1", ["AW108"]),
        ("RequestObject.a[1:1] = 1", ["AW114"]),
        pytest.param(f"RequestObject.a = {'9' * 400}", ["AW109"], id="a number of 400 digits"),
        pytest.param(f"RequestObject.a in ({'9' * 400})", [], id="items are compared as texts"),
        ("Verb > 5", ["AW113"]),
        ("Verb = true", ["AW113"]),
        ("Verb", ["AW113"]),
        ("User.Groups", ["AW113"]),
        ("ResponseStatus.Code", ["AW113"]),
        ('ResponseStatus.Code > "399"', ["AW113"]),
        ('ResponseStatus.Code = "403"', []),
        ("ResponseStatus.Code >= 400 and ResponseStatus.Code < 500", []),
        ("ObjectRef.ResourceVersion > 100", []),
        ("RequestObject.spec.hostNetwork", []),
        ('User = "ann"', ["AW114"]),
        ("User exists", []),
        ('Verb = "get" and Verb = "list"', ["AW114"]),
        ('Verb = "get" and verb = "list"', ["AW114"]),
        ('Verb = "get" or Verb = "list"', []),
        ('Verb in ("get", "list") and Verb in ("create", "delete")', ["AW114"]),
        ('Verb in ("get", "list") and Verb != "get"', []),
        ('Verb in ("get", "list") and Verb not in ("get", "list")', ["AW114"]),
        ('Verb = "get" and not (Verb = "get")', ["AW114"]),
        ('User.Username = "a" and User.Username not exists', ["AW114"]),
        ('RequestObject.a = "x" and RequestObject.a = "y"', []),
        ('RequestObject.a = "x" and RequestObject.a not exists', ["AW114"]),
        ('RequestObject.a[*] = "x" and not (RequestObject.a[*] = "x")', ["AW114"]),
        ('User.Groups = "a" and User.Groups = "b"', []),
        ("ResponseStatus.Code = 200 and ResponseStatus.Code >= 400", ["AW114"]),
        ("ResponseStatus.Code > 400 and ResponseStatus.Code < 401", ["AW114"]),
        ("ResponseStatus.Code = 200.5", ["AW114"]),
        ('User.Username like "kube-*" and User.Username like "system:*"', ["AW114"]),
        ('User.Username like "*-admin" and User.Username like "system:*"', []),
        ('User.Username startswith "kube-" and User.Username like "system:*"', ["AW114"]),
        ('User.Username startswith "system:" and User.Username startswith "system:node:"', []),
        ('User.Username endswith "-admin" and User.Username endswith "-user"', ["AW114"]),
        ('User.Username startswith "*" and User.Username startswith "system:"', ["AW114"]),
        ('User.Username endswith "-admin" and User.Username startswith "system:"', []),
        ('Verb = "get" and (Verb = "list" or Verb = "watch")', ["AW114"]),
        ('Verb = "get" and (Verb = "list" or ObjectRef.Name = "x")', ["AW114"]),
        ('Verb = "get" and not (Verb = "get" and ObjectRef.Name = "x")', []),
        ('Level = "Metadata" and RequestObject.a = 1', ["AW114"]),
        ('Level = "Request" and RequestObject.a = 1', []),
        ('Level = "Request" and ResponseObject exists', ["AW114"]),
        ('Level != "RequestResponse" and Level != "Request" and RequestObject exists', ["AW114"]),
        ('Stage = "RequestReceived" and ResponseStatus.Code = 403', ["AW114"]),
        ('Stage = "ResponseComplete" and ResponseStatus.Code = 403', []),
        ('Verb = "get" or not (Verb = "get")', ["AW115"]),
        ('User.Username = "a" or not (User.Username = "a")', ["AW115"]),
        ('User.Username = "a" or User.Username not exists', []),
        ("Verb exists", []),
        ('Verb like "*"', ["AW115"]),
        ('RequestURI contains ""', ["AW115"]),
        ('RequestObject.a like "*"', ["AW115"]),
        ('RequestObject["a/b"] = "x" and RequestObject["a/b"] = "y"', []),
        ('RequestObject["a/b"] not in ("x")', ["AW117"]),
        ('RequestObject["a/b"] exists and RequestObject["a/b"] not exists', ["AW114"]),
        ('Stage = "RequestReceived" and ResponseObject["a/b"] = "x"', ["AW114"]),
        ('Annotations = "x"', ["AW114"]),
        ('Verb startswith ""', ["AW115"]),
        ('Verb not endswith ""', ["AW115"]),
        ('User.Groups[*] not contains "x"', ["AW116"]),
        ('RequestObject.c[*].image not like "mine/*"', ["AW116"]),
        ('User.Groups not contains "x"', ["AW117"]),
        ('User.Username != "x"', ["AW117"]),
        ('User.Username exists and User.Username != "x"', []),
        ('not (User.Username = "x")', []),
        ('Verb != "get"', []),
        ('ObjectRef.Namespace not in ("a", "b")', []),
        ("RequestObject.c[*].x not exists", ["AW117"]),
        ("RequestObject.c not exists", []),
        ('StageTimestamp >= "2026-11-21T22:05:00.000000Z"', []),
        ('StageTimestamp >= "2026-11-21"', []),
        ('StageTimestamp >= "2026-11-21T22:05:00Z"', ["AW118"]),
        ('requestreceivedtimestamp < "2026-11-21T22:05:00.000000+08:00"', ["AW118"]),
        ('StageTimestamp = "2026-11-21"', ["AW118"]),
        ('StageTimestamp like "2026-11-21*"', []),
        ('ObjectRef.Name like "web"', ["AW119"]),
        ('ObjectRef.Name like "web*"', []),
        ('RequestURI regex "^/api"', ["AW120"]),
        ('Verb regex "^(get|list)$"', ["AW120"]),
        ('RequestURI regex "^/api/v[0-9]+"', []),
        ('ObjectRef.Name regex "a.b"', []),
        ('Verb = "Create"', ["AW121"]),
        ('Stage = "responseComplete"', ["AW121"]),
        ('ObjectRef.Resource in ("pods", "Secrets")', ["AW121"]),
        ('ObjectRef.Resource = "pods/exec"', ["AW121"]),
        ('ObjectRef.Resource = "pod"', ["AW121"]),
        ('ObjectRef.Resource = "widget"', []),
        ('USER.username = "a" and oBJECTrEF.nAME = "b"', []),
    ],
)  # fmt: skip
def test_a_doubtful_condition_is_named_and_a_plain_one_is_not(condition: str, codes: list[str]) -> None:
    assert said(condition) == codes


def test_a_contradiction_is_reported_where_the_second_test_stands_in_a_folded_scalar() -> None:
    text = document(
        """
        - name: r
          type: rule
          priority: INFO
          condition: >-
            Verb = "get"
            and ObjectRef.Name = "x"
            and Verb = "list"
        """
    )

    assert found(text) == [
        '12:11 warning AW114: the condition can never be true: Verb = "get" and Verb = "list" exclude each other'
    ]


def test_a_contradiction_with_a_macro_is_reported_in_the_rule_and_one_inside_a_macro_there() -> None:
    macro = "- {name: reads, type: macro, macro: 'Verb = \"get\"'}\n"
    broken = '- {name: none, type: macro, macro: \'Verb = "get" and Verb = "list"\'}\n'

    assert [line.split()[0] for line in found(document(macro + rule('${reads} and Verb = "list"')))] == ["7:71"]
    assert [line.split()[0] for line in found(document(broken + rule("${none}")))] == ["6:56"]


def test_unused_definitions_are_named_and_used_ones_are_not() -> None:
    shared = document(
        """
        - {name: used, type: macro, macro: 'Verb in ${inner}'}
        - {name: inner, type: list, list: [get]}
        - {name: lonely, type: macro, macro: 'Verb exists'}
        - {name: list, type: list, list: [get]}
        - {name: who, type: alias, alias: User.Username}
        - {name: own, type: list, list: ['${own}']}
        """,
        name="shared",
        kind="other",
    )

    lines = found(shared, document(rule("${shared.used}", more=", output: '${shared.who}'")))

    assert [line for line in lines if "AW215" in line] == [
        "8:5 warning AW215: the macro lonely is never used",
        "9:5 warning AW215: the list list is never used",
        "11:5 warning AW215: the list own is never used",
    ]


def test_definitions_without_any_rule_are_a_library_not_unused() -> None:
    assert found(document("- {name: pod, type: macro, macro: 'ObjectRef.Resource = \"pods\"'}")) == []


def test_a_misspelt_name_is_one_finding_not_two() -> None:
    macro = "- {name: pods, type: macro, macro: 'Verb exists'}\n"

    assert [line.split()[2] for line in found(document(macro + rule("${pod}")))] == ["AW105:"]


def test_a_name_in_a_text_that_does_not_parse_counts_as_used() -> None:
    macro = "- {name: pods, type: macro, macro: 'Verb exists'}\n"

    assert [line.split()[2] for line in found(document(macro + rule("${pods} AND Verb exists")))] == ["AW101:"]


def test_the_same_condition_twice_for_one_purpose_is_named() -> None:
    one, two = rule('Verb = "get" and ObjectRef.Name = "x"'), rule('objectref.name == "x" and verb = "get"', name="s")

    assert found(document(one + two)) == ["7:57 warning AW216: s has the same condition as mine.r"]
    assert found(document(one), document(two, name="keep", kind="archiving")) == []
    assert found(document(one + two.replace("priority", "enable: false, priority"))) == []


def test_a_definition_named_like_a_field_is_named_where_it_changes_an_output() -> None:
    output = ", output: '${Verb}'"

    assert found(
        document(rule("${Verb} exists", more=output) + "- {name: Verb, type: alias, alias: ObjectRef.Name}")
    ) == ["7:5 warning AW217: the alias Verb hides the field Verb in outputs"]
    same = "- {name: verb, type: alias, alias: Verb}"
    assert found(document(rule("Verb exists", more=output.replace("Verb", "verb")) + same)) == []
    in_conditions = "- {name: verb, type: list, list: [get]}"
    assert found(document(rule("Verb in ${verb}") + in_conditions)) == []


def test_a_definition_with_a_dot_that_hides_another_documents_is_named() -> None:
    shared = document("- {name: pod, type: macro, macro: 'Verb exists'}", name="shared", kind="x")
    own = document(rule("${shared.pod}") + "- {name: shared.pod, type: macro, macro: 'Verb exists'}")

    assert "7:5 warning AW217: in mine, shared.pod hides pod of the document shared" in found(shared, own)


def test_an_archiving_rule_below_the_threshold_is_named_and_an_alerting_one_is_not() -> None:
    webhook = WEBHOOK.format(more="archivingPriority: INFO")
    entry = "- {name: r, type: rule, priority: DEBUG, condition: 'Verb exists'}"

    assert [line.split()[2] for line in found(webhook, document(entry, kind="archiving"))] == ["AW218:"]
    assert found(webhook, document(entry)) == []


def test_an_output_that_shows_a_body_the_settings_do_not_keep_is_noted() -> None:
    entries = rule("Verb exists", more=", output: '${RequestObject.a} ${reply}'")
    text = document(entries + "- {name: reply, type: alias, alias: ResponseObject.b}")

    levels = {
        level: [line.split()[0] for line in found(WEBHOOK.format(more=f"auditLevel: {level}"), text) if "AW219" in line]
        for level in ("Metadata", "Request", "RequestResponse")
    }

    assert levels == {"Metadata": ["6:81", "6:100"], "Request": ["6:100"], "RequestResponse": []}
    assert found(text) == []


def test_a_level_that_drops_everything_is_named() -> None:
    assert found(WEBHOOK.format(more="auditLevel: None")) == [
        "3:46 warning AW220: auditLevel None drops every event of KubeSphere senders"
    ]


_VERBS = ("get", "list", "create")
_TESTS = (
    *(f'Verb {operator} "{verb}"' for operator in ("=", "!=", "<", ">=", "like", "not like") for verb in _VERBS),
    'Verb in ("get", "list")', 'Verb not in ("get", "create")', "Verb exists", "Verb not exists", "Verb > 5",
    'Verb like "g*"', 'Verb like "*t"', 'Verb startswith "g"', 'Verb endswith "t"', 'Verb contains "e"',
    'Verb regex "^[gl]"',
    *(f'User.UID {operator} "{value}"' for operator in ("=", "!=", ">", "<=", "contains") for value in ("", "7", "a")),
    'User.UID in ("7", "a")', "User.UID exists", "User.UID not exists", "User.UID", "User.UID = 7", "User.UID > 6.5",
    *(f"ResponseStatus.Code {operator} {value}" for operator in ("=", "!=", ">", "<", "<=") for value in (200, 201)),
    "ResponseStatus.Code in (200, 404)", "ResponseStatus.Code not exists", 'ResponseStatus.Code like "2*"',
    *(f"RequestObject.a {test}" for test in ("= 1", "!= 1", "exists", "not exists", 'in ("1", "2")', "> 0")),
    *(f"RequestObject.l[*] {test}" for test in ("= 1", "!= 1", "exists", "not exists")),
    "RequestObject.l[0:1] = 1", "RequestObject.l = 1", "RequestObject.l != 1",
)  # fmt: skip
_CONDITIONS = st.recursive(
    st.sampled_from(_TESTS),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: " and ".join(f"({part})" for part in parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: " or ".join(f"({part})" for part in parts)),
    ),
    max_leaves=7,
)
_BODIES: tuple[Any, ...] = (
    None, {}, {"a": 1, "l": [1]}, {"a": [1, 2], "l": [1, 2]}, {"a": "x", "l": []}, {"a": {"b": 1}, "l": [None, {}]},
    {"a": {}, "l": "x"},
)  # fmt: skip
_EVENTS = [
    msgspec.structs.replace(
        event(verb=verb, body=body),
        user=User(uid=uid),
        responseStatus=None if code is None else ResponseStatus(code=code),
    )
    for verb in ("", "get", "list", "7")
    for uid, code in ((None, None), ("", 200), ("7", 201), ("a", 404))
    for body in _BODIES
]
_FIELDS = EventFields()


def _outcomes(condition: str, *, unjudged: bool) -> set[bool]:
    """What a condition answers for the events above, ``unjudged`` where it cannot."""
    compiled = compile_condition(condition, fields=_FIELDS)
    found = set()
    for one in _EVENTS:
        try:
            found.add(compiled.evaluate(one))
        except EvaluationError:
            found.add(unjudged)
    return found


def _no_macros(reference: Reference) -> Expression:
    raise AssertionError(reference)


@examples(300)
@given(_CONDITIONS)
def test_what_is_called_impossible_or_always_true_is(condition: str) -> None:
    expression = read(parse(condition), Precedence.STRICT)
    conflicts = contradictions(expression, _FIELDS, _no_macros, Work())

    if any(not conflict.is_part for conflict in conflicts):
        assert _outcomes(condition, unjudged=False) <= {False}
    if is_always_true(expression, _FIELDS, _no_macros, Work()):
        assert _outcomes(condition, unjudged=True) <= {True}


@pytest.mark.parametrize(
    ("condition", "is_said"),
    [
        ("PodSpec.securityContext not exists", True),
        ("not (PodSpec.securityContext exists)", True),
        ("any Containers[*] (resources.limits not exists)", True),
        ("any Containers[*] (name exists and not (resources.limits exists))", True),
        ("not any Containers[*] (resources.limits exists)", True),
        ('ObjectRef.Resource = "pods" and Containers not exists', True),
        ('Verb = "create" and PodSpec.securityContext not exists', False),
        ("${written} and PodSpec.securityContext not exists", False),
        ("PodSpec.securityContext exists", False),
        ("not (PodSpec.securityContext not exists)", False),
        ("any Containers[*] (resources.limits exists)", False),
        ("RequestObject.spec not exists", False),
        ("any RequestObject.rules[*] (verbs not exists)", False),
    ],
)
def test_a_patch_does_not_say_what_it_leaves_as_it_is(condition: str, is_said: bool) -> None:
    macro = '- {name: written, type: macro, macro: \'Verb in ("create", "update")\'}\n' if "${" in condition else ""
    said = load_sources([Source("mine.yaml", document(rule(condition) + macro))]).diagnostics

    assert ("AW125" in [one.code for one in said]) is is_said
