"""Documents to a rule set: what is accepted, what it does, and what is said of the rest."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from auditwire.rules import Loaded, RulesError, Source, default_rules, load_rule_set, load_sources, rule_files
from made_events import event

HEADER = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata:
  name: {name}
  labels:
    type: {type}
spec:
  rules:
"""


def document(entries: str, *, name: str = "mine", kind: str = "alerting") -> str:
    """A Rule document with these entries."""
    return HEADER.format(name=name, type=kind) + indent(dedent(entries).strip(), "  ") + "\n"


def load(*texts: str) -> Loaded:
    """Load texts as files a.yaml, b.yaml …"""
    return load_sources(Source(f"{chr(97 + number)}.yaml", text) for number, text in enumerate(texts))


def complaints(*texts: str) -> list[str]:
    """Every finding as ``path:line:column severity code: message (hint)``."""
    return [
        f"{found.path}:{found.line}:{found.column} {found.severity} {found.code}: {found.message}"
        + (f" ({found.hint})" if found.hint else "")
        for found in load(*texts).diagnostics
    ]


def rule(condition: str, *, name: str = "r", more: str = "") -> str:
    return f"- name: {name}\n  type: rule\n  priority: WARNING\n  condition: {condition}\n{more}"


def test_the_default_documents_load_without_a_word() -> None:
    loaded = load_sources(default_rules())

    assert loaded.diagnostics == []
    assert loaded.rule_set is not None
    assert [one.name for one in loaded.rule_set.alerting if one.document == "alerting-rule"] == [
        "ResourceChange",
        "CreateHostnetworkPod",
        "CreateHostportPod",
        "CreateNodeportService",
        "AttachOrExecPod",
    ]


def test_an_empty_list_holds_nothing_alone_and_inside_another_list() -> None:
    loaded = load(
        document(
            """
            - {name: none, type: list, list: []}
            - {name: joined, type: list, list: ["${none}", ann]}
            - {name: inside, type: rule, priority: INFO, condition: 'Verb in ${none}'}
            - {name: outside, type: rule, priority: INFO, condition: 'Verb not in ${none}'}
            - {name: both, type: rule, priority: INFO, condition: 'User.Username in ${joined}'}
            """
        )
    )

    assert loaded.diagnostics == []
    assert loaded.rule_set is not None
    assert loaded.rule_set.decide(event(user="ann")).alerting == ("mine.outside", "mine.both")
    assert loaded.rule_set.decide(event(user="bob")).alerting == ("mine.outside",)


def test_tests_beside_the_documents_are_left_out_also_of_the_digest(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(document(rule('Verb = "get"')))
    before = load_rule_set([tmp_path]).digest
    for name in ("mine.test.yaml", "other.test.yml"):
        (tmp_path / name).write_text("tests: [{name: a}]\n")

    assert load_rule_set([tmp_path]).digest == before
    assert [path.name for path in rule_files(tmp_path)] == ["mine.yaml"]


@pytest.mark.parametrize("text", ["kind: Rule\n", "tests: []\n---\napiVersion: x\nkind: anything\n"])
def test_a_document_in_a_file_of_tests_is_an_error(text: str) -> None:
    (found,) = load_sources([Source("mine.test.yaml", text)]).diagnostics

    assert found.is_error
    assert (found.code, found.message) == ("AW221", "this is a document in a file of tests")


def test_macros_lists_and_aliases_are_put_in_within_and_across_documents() -> None:
    shared = document(
        """
        - {name: reads, type: list, list: [get, list]}
        - {name: quiet, type: list, list: ["${reads}", watch]}
        - {name: pod, type: macro, macro: 'ObjectRef.Resource = "pods"'}
        - {name: noisy-pod, type: macro, macro: '${pod} and Verb not in ${quiet}'}
        - {name: who, type: alias, alias: user.USERNAME}
        """,
        name="shared",
        kind="nothing",
    )
    own = document(rule("""'${shared.noisy-pod} and ${shared.who} like "a*"'"""))
    rule_set = load(shared, own).rule_set
    assert rule_set is not None

    assert rule_set.decide(event(verb="create", resource="pods", user="ann")).alerting == ("mine.r",)
    assert rule_set.decide(event(verb="watch", resource="pods", user="ann")).alerting == ()
    assert rule_set.decide(event(verb="create", resource="pods", user="bob")).alerting == ()


def test_a_macro_is_a_term_of_its_own_whatever_stands_around_it() -> None:
    either = '- {name: either, type: macro, macro: \'Verb = "get" or Verb = "list"\'}\n'
    rule_set = load(document(either + rule("""'${either} and ObjectRef.Resource = "pods"'"""))).rule_set
    assert rule_set is not None

    assert rule_set.decide(event(verb="get", resource="pods")).alerting == ("mine.r",)
    assert rule_set.decide(event(verb="get", resource="nodes")).alerting == ()


def test_a_disabled_rule_does_nothing_and_its_errors_refuse_nothing() -> None:
    loaded = load(document(rule("Verbb = 1", more="  enable: false\n") + rule('Verb = "get"', name="other")))

    assert loaded.rule_set is not None
    assert [one.name for one in loaded.rule_set.alerting] == ["other"]
    assert [str(found.severity) for found in loaded.diagnostics] == ["warning"]


def test_priorities_decide_between_ignoring_archiving_and_alerting() -> None:
    webhook = """\
        apiVersion: auditing.kubesphere.io/v1alpha1
        kind: Webhook
        metadata: {name: w}
        spec: {archivingPriority: INFO, alertingPriority: INFO, k8sAuditingEnabled: true}
        """
    archiving = document(
        "- {name: low, type: rule, priority: DEBUG, condition: 'Verb = \"get\"'}\n"
        "- {name: high, type: rule, priority: INFO, condition: 'Verb = \"put\"'}",
        name="keep",
        kind="archiving",
    )
    alerting = document(
        "- {name: note, type: rule, priority: DEBUG, condition: 'Verb = \"list\"'}\n"
        "- {name: page, type: rule, priority: INFO, condition: 'Verb = \"delete\"'}"
    )
    rule_set = load(dedent(webhook), archiving, alerting).rule_set
    assert rule_set is not None

    verdicts = {verb: rule_set.decide(event(verb=verb)) for verb in ("get", "put", "list", "delete", "watch")}

    assert {verb: verdict.outcome for verb, verdict in verdicts.items()} == {
        "get": "ignore",
        "put": "archive",
        "list": "archive",
        "delete": "alert",
        "watch": "ignore",
    }
    assert verdicts["get"].archiving == ("keep.low",)
    assert [one.qualified for one in verdicts["delete"].alerts] == ["mine.page"]


def test_a_rule_that_cannot_judge_an_event_does_not_match_and_is_counted() -> None:
    rule_set = load(document(rule("Verb > 0") + rule('Verb = "get"', name="other"))).rule_set
    assert rule_set is not None

    verdict = rule_set.decide(event(verb="get"))

    assert verdict.alerting == ("mine.other",)
    assert [(failure.rule, failure.message) for failure in verdict.errors] == [("mine.r", "'get' is not a number")]


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        pytest.param(
            rule("'${pd}'") + "- {name: pod, type: macro, macro: 'Verb exists'}",
            "a.yaml:12:17 error AW105: ${pd} is not defined (did you mean ${pod}?)",
            id="unknown name",
        ),
        pytest.param(
            rule("'${verbs}'") + "- {name: verbs, type: list, list: [get]}",
            "a.yaml:12:17 error AW106: ${verbs} is a list, not a test (write Field in ${verbs})",
            id="list as macro",
        ),
        pytest.param(
            rule("'Verb in ${pod}'") + "- {name: pod, type: macro, macro: 'Verb exists'}",
            "a.yaml:12:25 error AW106: ${pod} is a macro, not a list",
            id="macro as list",
        ),
        pytest.param(
            "- {name: l, type: list, list: [get, '${ns}']}\n- {name: ns, type: alias, alias: ObjectRef.Namespace}",
            "a.yaml:9:40 error AW106: ${ns} is not a list but an alias (a list holds values and other lists)",
            id="alias in a list",
        ),
        pytest.param(
            "- {name: l, type: list, list: [a, '${l}']}",
            "a.yaml:9:38 error AW107: the definition contains itself: mine.l → mine.l",
            id="list in itself",
        ),
        pytest.param(
            rule('Verb = "a"', more="  prioritty: INFO\n"),
            "a.yaml:13:5 error AW203: an entry of spec.rules has no field 'prioritty' (did you mean 'priority'?)",
            id="unknown key",
        ),
        pytest.param(
            "- {name: r, type: rule, priority: WARNNING, condition: 'Verb exists'}",
            "a.yaml:9:37 error AW206: priority cannot be 'WARNNING' (did you mean 'WARNING'?)",
            id="unknown priority",
        ),
        pytest.param(
            "- {name: r, type: macros, macro: 'Verb exists'}",
            "a.yaml:9:21 error AW206: type cannot be 'macros' (did you mean 'macro'?)",
            id="unknown type",
        ),
        pytest.param(
            "- {name: r, type: rule, priority: INFO}",
            "a.yaml:9:5 error AW205: the rule r has no condition",
            id="no condition",
        ),
        pytest.param(
            rule("true"),
            'a.yaml:12:16 error AW204: condition must be a text, not true or false (quote it: "true")',
            id="condition that is no text",
        ),
        pytest.param(
            "- {name: l, type: list, list: [get, yes]}",
            'a.yaml:9:39 error AW204: an item of list must be a text, not true or false (quote it: "yes")',
            id="item that is no text",
        ),
        pytest.param(
            rule('Verb = "a"') + rule('Verb = "b"'),
            "a.yaml:13:5 error AW207: the name 'r' is used twice in mine (rename one of them)",
            id="name used twice",
        ),
        pytest.param(
            rule('Verb = "a"', more="  output: ${usr} did it\n") + "- {name: user, type: alias, alias: User.Username}",
            "a.yaml:13:13 error AW212: ${usr} is not defined (did you mean ${user}?)",
            id="unknown name in an output",
        ),
        pytest.param(
            rule("ObjectRef.Nmae = 'x'"),
            'a.yaml:12:33 error AW101: "\'" is not expected here; expected a boolean, a number or a string '
            '(texts stand in double quotes: "…")',
            id="single quotes",
        ),
        pytest.param(
            rule("Verb[0] = 'x'").replace("'x'", '"x"'),
            "a.yaml:12:16 error AW112: Verb is not an array, so it takes no index (write Verb without brackets)",
            id="index on a text",
        ),
        pytest.param(
            rule('Verb.x = "x"'),
            "a.yaml:12:16 error AW112: Verb has no fields of its own (compare Verb itself)",
            id="key below a text",
        ),
    ],
)
def test_a_mistake_is_refused_where_it_stands(entries: str, complaint: str) -> None:
    assert complaint in complaints(document(entries))


def test_a_cycle_of_macros_is_refused_naming_the_chain() -> None:
    found = complaints(document("- {name: a, type: macro, macro: '${b}'}\n- {name: b, type: macro, macro: '${a}'}"))

    assert "a.yaml:10:36 error AW107: the definition contains itself: mine.a → mine.b → mine.a" in found


def test_all_mistakes_are_reported_at_once_in_order() -> None:
    found = complaints(document(rule("Vreb exists") + rule("Verb exist", name="s") + rule("${x}", name="t")))

    assert [line.split()[2] for line in found] == ["AW102:", "AW101:", "AW105:"]


def test_tabs_are_named_as_what_keeps_a_file_from_being_yaml() -> None:
    (found,) = load("a:\n\t- b\n").diagnostics

    assert (found.code, found.line, found.column) == ("AW201", 2, 1)
    assert found.hint == "indent with spaces: YAML allows no tabs"


def test_documents_of_another_kind_or_version_are_refused() -> None:
    assert complaints("apiVersion: v1\nkind: ConfigMap\n") == [
        "a.yaml:2:7 error AW206: kind cannot be 'ConfigMap' (write Rule, Webhook or Exception)"
    ]
    assert complaints(document("").replace("v1alpha1", "v1")) == [
        (
            "a.yaml:1:13 error AW202: the apiVersion is auditing.kubesphere.io/v1 "
            "(write apiVersion: auditing.kubesphere.io/v1alpha1)"
        )
    ]


def test_two_documents_may_not_have_one_name() -> None:
    entry = rule('Verb = "get"')

    assert complaints(document(entry), document(entry.replace("get", "list"))) == [
        "b.yaml:1:1 error AW207: the document name mine is used twice (the other one is in a.yaml:1)"
    ]


def test_expansion_is_bounded_however_macros_multiply() -> None:
    doubling = "- {name: m0, type: macro, macro: 'Verb exists'}\n" + "\n".join(
        f"- {{name: m{n}, type: macro, macro: '{' and '.join([f'${{m{n - 1}}}'] * 50)}'}}" for n in range(1, 9)
    )

    assert any(" AW110: " in line for line in complaints(document(doubling)))


def test_yaml_bombs_and_deep_documents_are_refused() -> None:
    bomb = "a: &a [x, x]\n" + "\n".join(f"b{n}: [*a, *a]" for n in range(60))

    assert [line.split()[2] for line in complaints(bomb)] == ["AW214:"]
    assert [line.split()[2] for line in complaints("a: " + "[" * 5_000 + "]" * 5_000)] == ["AW214:"]
    assert [line.split()[2] for line in complaints("#" * 1_100_000)] == ["AW214:"]


def test_the_digest_names_the_sources_and_nothing_else() -> None:
    entry = "- {name: x, type: list, list: [a]}"
    one, two = load(document(entry)).rule_set, load(document(entry) + "# changed\n").rule_set
    assert one is not None
    assert two is not None

    assert one.digest != two.digest
    assert one.digest == load(document(entry)).rule_set.digest  # type: ignore[union-attr]


def test_folders_and_files_load_and_errors_carry_every_finding(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(document(rule('Verb = "get"')))
    (tmp_path / "notes.txt").write_text("not rules")
    assert [one.name for one in load_rule_set([tmp_path]).alerting] == ["r"]

    (tmp_path / "a.yaml").write_text(document(rule("Verb"), name="x") + "---\n: :\n")
    with pytest.raises(RulesError) as caught:
        load_rule_set([tmp_path])

    assert caught.value.diagnostics[0].path == str(tmp_path / "a.yaml")


POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n"


def test_a_policy_beside_the_rules_becomes_part_of_the_set() -> None:
    rule_set = load(POLICY + "- level: Metadata\n  resources: [{resources: [secrets]}]\n- level: Request\n").rule_set

    assert rule_set is not None
    assert rule_set.policy is not None
    assert len(rule_set.policy.rules) == 2


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ("- level: None\n  user: [system:kube-proxy]\n- level: Request\n", "AW310"),
        ("- level: None\n", "AW328"),
    ],
    ids=["a typo that makes a None rule take everything", "nothing is recorded"],
)
def test_a_policy_that_would_silence_everything_is_refused(rules: str, code: str) -> None:
    loaded = load(POLICY + rules)

    assert loaded.rule_set is None
    assert code in [found.code for found in loaded.diagnostics if found.is_error]


def test_a_second_policy_is_refused() -> None:
    found = complaints(POLICY + "- level: Request\n", POLICY + "- level: Request\n")

    assert (
        "b.yaml:1:1 error AW207: there is more than one audit policy (keep only one: its rules are tried in order)"
        in found
    )
