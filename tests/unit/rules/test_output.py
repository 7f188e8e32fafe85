"""Messages: what outputs show, on one line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.rules import Source, load_sources
from auditwire.rules.message import MAX_BYTES, shortened
from made_events import event

DOCUMENT = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {{name: d, labels: {{type: alerting}}}}
spec:
  rules:
  - {{name: user, type: alias, alias: User.Username}}
  - {{name: images, type: alias, alias: 'RequestObject.spec.containers[*].image'}}
  - {{name: verbs, type: list, list: [get, 404]}}
  - {{name: r, type: rule, priority: WARNING, condition: 'Verb exists'{output}}}
"""


def message(output: str | None, **fields: Any) -> str:
    """The message of a rule with this output for an event."""
    text = DOCUMENT.format(output="" if output is None else f", output: '{output}'")
    rule_set = load_sources([Source("d.yaml", text)]).rule_set
    assert rule_set is not None
    return rule_set.alerting[0].message(event(**fields))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("${user} ${Verb} ${objectref.NAME}", "ann get web"),
        ("${d.user} in ${ObjectRef.Namespace}", "ann in shop"),
        ("images ${images}", "images a:1, b:2"),
        ("one of ${verbs}", "one of get, 404"),
        ("${ResponseStatus.code} ${User.Groups} ${Workspace}", "- - -"),
        ("${RequestObject.spec.replicas} ${RequestObject.spec.on}", "3 true"),
        ('${Annotations["authorization.k8s.io/decision"]} ${Annotations["none"]}', "allow -"),
        ('${RequestObject.spec["a.b/c"][0]} ${RequestObject["spec"]["x y{}"]}', "p q"),
        ("no placeholder $ {x} ${", "no placeholder $ {x} ${"),
    ],
)
def test_an_output_shows_fields_aliases_and_lists(output: str, expected: str) -> None:
    body = {
        "spec": {
            "a.b/c": ["p"],
            "x y{}": "q",
            "replicas": 3,
            "on": True,
            "containers": [{"image": "a:1"}, {"name": "x"}, {"image": "b:2"}],
        }
    }

    assert message(output, body=body, annotations={"authorization.k8s.io/decision": "allow"}) == expected


def test_a_rule_without_output_says_who_did_what() -> None:
    assert message(None, subresource="exec") == "r: ann get pods/exec/web in shop"


def test_a_hostile_value_stays_on_one_line() -> None:
    assert message("${user}!", user="a\nb\x1b[31m\u2028\u202e") == "a\\nb\\u001b[31m\\u2028\\u202e!"


@given(st.text())
def test_a_message_is_always_short_and_printable(text: str) -> None:
    line = shortened(text * 20)

    assert len(line.encode()) <= MAX_BYTES
    assert line.isprintable()
