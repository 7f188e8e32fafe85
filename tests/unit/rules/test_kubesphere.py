"""The dialect that refuses what KubeSphere would not understand."""

from textwrap import dedent, indent

import pytest

from auditwire.rules import Source, default_rules, load_sources
from rule_texts import one_rule, rule

HEADER = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata:
  name: mine
  labels: {type: alerting}
"""


def refused(entries: str, *, annotation: str = "") -> list[str]:
    """What the dialect refuses, as ``line:column message``; all of it must be accepted without the dialect."""
    annotations = f"  annotations: {{auditwire.io/precedence: {annotation}}}\n" if annotation else ""
    source = Source("a.yaml", HEADER + annotations + "spec:\n  rules:\n" + indent(dedent(entries), "  "))
    assert load_sources([source]).rule_set is not None
    found = load_sources([source], dialect="kubesphere").diagnostics
    return [f"{one.line}:{one.column} {one.message}" for one in found if one.is_error and one.code == "AW111"]


def test_the_shipped_documents_are_kubespheres_but_for_what_alerts() -> None:
    documents = [source for source in default_rules() if "/" not in source.path and source.path != "alerting-rule.yaml"]
    documents.append(Source("alerting.yaml", one_rule("mine")))

    assert load_sources(documents, dialect="kubesphere").diagnostics == []


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ('Stage = "Panic"', "8:55 KubeSphere's rules have no field Stage"),
        ("UserAgent exists", "8:55 KubeSphere's rules have no field UserAgent"),
        ('Verb = "get" and cluster = "c"', "8:72 KubeSphere's rules have no field Cluster"),
        ("ImpersonatedUser.Username exists", "8:55 KubeSphere's rules have no field ImpersonatedUser.Username"),
        ("ObjectRef.apiGroup exists", "8:55 KubeSphere's rules have no field ObjectRef.APIGroup"),
        ("Annotations.x exists", "8:55 KubeSphere's rules have no field Annotations"),
        (
            'User.Groups[*] = "x"',
            "8:55 KubeSphere accepts only contains and not contains after 'User.Groups[*]'",
        ),
        (
            'Verb not  in ("get")',
            "8:60 KubeSphere wants exactly one space after not in an operator",
        ),
        (
            'RequestObject.metadata["a/b"] = "x"',
            "8:55 KubeSphere cannot read the field 'RequestObject.metadata[\"a/b\"]'",
        ),
        ('Verb startswith "get"', "8:55 KubeSphere knows no operator startswith"),
        ('Verb = "a\\"b"', '8:62 KubeSphere keeps the backslash of \\" as part of the text'),
    ],
)
def test_a_condition_with_an_extension_is_refused_where_it_stands(condition: str, message: str) -> None:
    assert refused(rule(condition, priority="INFO")) == [message]


def test_keys_of_entries_outputs_and_aliases_are_looked_at_too() -> None:
    entries = rule(
        "Verb exists", priority="INFO", more=", labels: {a: b}, alert: distinct, output: '${Stage} ${who} ${Verb}'"
    )

    assert refused(entries + "- {name: who, type: alias, alias: ImpersonatedUser.Username}\n") == [
        "8:77 KubeSphere's rules have no labels",
        "8:92 KubeSphere's rules have no alert",
        "8:111 KubeSphere's rules have no field Stage",
        "9:37 KubeSphere's rules have no field ImpersonatedUser.Username",
    ]


def test_quoted_keys_of_outputs_and_aliases_are_refused_too() -> None:
    entries = rule("Verb exists", priority="INFO", more=""", output: '${RequestObject["a/b"]} ${key}'""")

    assert refused(entries + """- {name: key, type: alias, alias: 'RequestObject["c/d"]'}\n""") == [
        "8:78 KubeSphere cannot read the field 'RequestObject[\"a/b\"]'",
        "9:38 KubeSphere cannot read the field 'RequestObject[\"c/d\"]'",
    ]


def test_the_standard_precedence_is_refused_and_kubespheres_own_is_not() -> None:
    condition = rule('Verb = "a" or Verb = "b" and ObjectRef.Name = "c"', priority="INFO")

    assert refused(condition, annotation="kubesphere") == []
    assert refused(condition, annotation="standard") == [
        "6:42 KubeSphere does not read and, or and not with the standard precedence"
    ]
