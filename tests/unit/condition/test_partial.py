"""Conditions on events of which a part is unknown."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.condition import EvaluationError, compile_condition
from auditwire.condition.assemble import Binder
from auditwire.condition.evaluate import evaluate
from auditwire.condition.fields import Field
from auditwire.condition.parse import parse_path
from auditwire.condition.partial import evaluate_partial
from auditwire.condition.syntax import AnyOf, Comparison, Expression, Operator, replace_leaves
from auditwire.events import Event, ObjectRef, User
from auditwire.rules.fields import FIELD_NAMES, EventFields
from examples import examples
from made_events import event
from strategies import audit_events, field_expressions

BODIES = frozenset(("requestObject", "responseObject"))
_NOTHING: dict[str, Any] = {
    "verb": "", "userAgent": "", "user": User(), "impersonatedUser": None, "objectRef": ObjectRef(), "sourceIPs": None,
    "annotations": None, "responseStatus": None, "requestObject": None,
}  # fmt: skip

# What an event does not say, but what follows from it.
FOLLOWING = ("SourceIP", "PodSpec", "Containers", "Outcome", "OutcomeReason")

T, F, U = 'Verb = "create"', 'Verb = "get"', 'RequestObject.spec.type = "NodePort"'


def judged(text: str, one: Event, unknown: frozenset[str] = BODIES) -> bool | None:
    condition = compile_condition(text, fields=EventFields(), precedence="standard")
    return evaluate_partial(Binder(EventFields()).bind(condition.expression), one, unknown)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (U, None),
        (f"not ({U})", None),
        (f"not not ({U})", None),
        (f"{U} and {T}", None),
        (f"{T} and {U}", None),
        (f"{U} and {F}", False),
        (f"{F} and {U}", False),
        (f"{U} or {T}", True),
        (f"{T} or {U}", True),
        (f"{U} or {F}", None),
        (f"{F} or {U}", None),
        (f"not ({U} and {F})", True),
        (f"not ({U} or {T})", False),
        (f"{U} and ({U} or {T})", None),
        (f"{U} and {U}", None),
        (f"{U} or not {U}", None),
        ("RequestObject.spec exists", None),
        ("RequestObject.spec not exists", None),
        ("not (RequestObject exists)", None),
        ('RequestObject.spec.type != "NodePort"', None),
        ('RequestObject.spec.type not in ("NodePort")', None),
        ("RequestObject.spec.hostNetwork", None),
        ("RequestObject.spec.containers[*].securityContext.privileged = true", None),
        ('ResponseObject.items[0] not contains "x"', None),
        ("ObjectRef.Resource exists", True),
    ],
)
def test_kleene_logic_decides_what_the_known_part_decides(text: str, value: bool | None) -> None:
    assert judged(text, event(verb="create")) is value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("RequestObject.spec.type in ()", False),
        ("RequestObject.spec.type not in ()", None),
        ("not (RequestObject.spec.type in ())", True),
        ("PodSpec.hostIP within ()", False),
        ("Containers[*].image in ()", False),
        ('any RequestObject.rules[*] (verbs contains "get" and groups in ())', False),
        ('any RequestObject.rules[*] (verbs contains "get" or groups in ())', None),
        ("any RequestObject.rules[*] (verbs within () or groups in ())", False),
        ("any RequestObject.rules[*] (not (groups in ()))", None),
    ],
)
def test_a_list_that_nobody_has_filled_decides_without_the_body(path: str, value: bool | None) -> None:
    filled = path.replace("()", '("192.0.2.0/24")')
    tree = compile_condition(filled, fields=EventFields(), precedence="standard").expression
    emptied = _emptied(tree)

    assert evaluate_partial(Binder(EventFields()).bind(emptied), event(verb="create"), BODIES) is value
    if filled != path:
        assert judged(filled, event(verb="create")) is None


def _emptied(node: Any) -> Any:
    """The expression with nothing in its lists, as lists of a site are at first."""
    if isinstance(node, AnyOf):
        return replace(node, condition=_emptied(node.condition))
    if isinstance(node, Comparison):
        is_of_list = node.operator in (Operator.IN, Operator.WITHIN)
        return replace(node, operands=()) if is_of_list else node
    return replace_leaves(node, _emptied)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"User.Groups = 5 and {U}", "error"),
        (f"{U} and User.Username = 5", None),
        (f"{U} or User.Username = 5", None),
        (f"{F} and User.Username = 5 and {U}", False),
        (f"({U} and User.Username = 5) or {T}", True),
        (f"({U} and User.Username = 5) and {F}", False),
    ],
)
def test_a_value_that_cannot_be_judged_is_an_error_only_where_it_is_certainly_reached(
    text: str, value: bool | str | None
) -> None:
    one = event(verb="create")
    one.user = User(username="ann", groups=["ops"])

    if value == "error":
        with pytest.raises(EvaluationError):
            judged(text, one)
    else:
        assert judged(text, one) is value


def test_every_field_names_the_member_it_comes_from() -> None:
    members = {name: EventFields().resolve(parse_path(name)) for name in FIELD_NAMES}

    for name, field in members.items():
        assert isinstance(field, Field)
        assert field.members
        assert field.members <= set(Event.__struct_fields__)
        if name not in FOLLOWING:
            (member,) = field.members
            assert member.lower() == name.partition(".")[0].lower()


@given(field_expressions, audit_events, st.frozensets(st.sampled_from(sorted(_NOTHING))))
@examples(400)
def test_what_is_decided_holds_whatever_the_unknown_part_was(
    expression: Expression, whole: Event, unknown: frozenset[str]
) -> None:
    bound = Binder(EventFields()).bind(expression)
    seen = msgspec.structs.replace(whole, **{name: _NOTHING[name] for name in unknown})

    try:
        decided = evaluate_partial(bound, seen, unknown)
    except EvaluationError:
        with pytest.raises(EvaluationError):
            evaluate(bound, whole)
        return

    if decided is not None:
        try:
            assert evaluate(bound, whole) is decided
        except EvaluationError:
            # Only an operand behind an unknown one, which the answer did not need.
            assert unknown


@given(field_expressions, audit_events)
def test_nothing_unknown_means_the_reference_evaluator(expression: Expression, one: Event) -> None:
    bound = Binder(EventFields()).bind(expression)

    try:
        expected: Any = evaluate(bound, one)
    except EvaluationError as error:
        expected = str(error)
    try:
        found: Any = evaluate_partial(bound, one, frozenset())
    except EvaluationError as error:
        found = str(error)

    assert found == expected


def test_a_body_that_is_unknown_is_not_even_decoded() -> None:
    one = event(verb="create")
    one.requestObject = msgspec.Raw(b"never JSON")

    assert judged(U, one) is None
