"""What a matcher does to be quick, and that none of it grows without bound or hides an error."""

from typing import Any, cast

import pytest

from auditwire.condition import EvaluationError, compile_condition
from auditwire.condition.assemble import Binder
from auditwire.condition.codegen import generate_all
from auditwire.condition.evaluate import evaluate
from auditwire.condition.matcher import HOT, MAX_FUNCTIONS, Matcher
from auditwire.condition.memory import MAX_VALUE_LENGTH, MAX_VALUES, Remembered
from auditwire.condition.operators import regex_test, search_of_all
from auditwire.condition.partial import evaluate_partial
from auditwire.condition.parts import parts_of
from auditwire.condition.pattern_set import shared_searches
from auditwire.condition.reach import quick_judge
from auditwire.condition.syntax import And, Comparison, Operator, Or, Path, Segment, Text
from auditwire.condition.value_table import ValueTable
from auditwire.events import Event, ObjectRef, ResponseStatus, User
from auditwire.rules.fields import EventFields
from made_events import event
from rule_texts import one_rule, rule_set_of


def bound(*conditions: str) -> list[Any]:
    """Conditions on the audit event, sharing the comparisons they have in common."""
    binder = Binder(EventFields())
    return [binder.bind(compile_condition(text, fields=EventFields()).expression) for text in conditions]


def possible_of(matcher: Matcher, one: Event) -> list[int]:
    """The positions of the conditions that the screen leaves possible."""
    bits = matcher._possible(one)
    return sorted({whose for bit, whose in enumerate(matcher._whose) if bits >> bit & 1})


def test_a_matcher_gives_the_positions_of_what_matches() -> None:
    matcher = Matcher(
        bound(
            'Verb = "create" and ObjectRef.Resource = "pods"',
            'Verb in ("delete", "create") and User.Username != "root"',
            'ObjectRef.Name = "web" and Verb = "create"',
            'Verb = "get"',
            'ObjectRef.Namespace like "sh*" and not (User.Username like "system:*")',
        )
    )

    assert matcher.match(event(verb="create")) == (0, 1, 2, 4)
    assert matcher.match(event(verb="delete", user="system:node:a")) == (1,)
    assert matcher.match(event(verb="patch", user="system:node:a")) == ()


def test_what_stays_open_again_and_again_gets_a_function_and_nothing_sooner() -> None:
    matcher = Matcher(bound('Verb = "create" and RequestObject.spec.hostNetwork = true'))
    pod = event(verb="create", body={"spec": {"hostNetwork": True}})

    for _ in range(HOT - 1):
        assert matcher.match(pod) == (0,)
    assert matcher._functions_left == MAX_FUNCTIONS
    assert matcher.match(pod) == (0,)
    assert matcher._functions_left == MAX_FUNCTIONS - 1
    assert matcher.match(pod) == (0,)


def test_once_there_are_as_many_functions_as_there_may_be_the_walker_goes_on() -> None:
    few = [f'User.Username like "*{letter}*" and ObjectRef.Name = "web"' for letter in "abcdefghijkl"]
    matcher = Matcher(bound(*few), hot=1)

    for number in range(2**9):
        user = "".join(letter for place, letter in enumerate("abcdefghijkl") if number >> place & 1)
        expected = tuple(place for place, letter in enumerate("abcdefghijkl") if letter in user)
        assert matcher.match(event(user=user)) == matcher.match(event(user=user)) == expected

    assert matcher._functions_left == 0


@pytest.mark.parametrize("field", ["ObjectRef.Name", "UserAgent", "RequestURI"])
def test_patterns_on_a_field_in_lower_case_are_searched_for_apart(field: str) -> None:
    words = ("shadow", "token", "metadata", "Shadow")
    conditions = bound(
        *(f'lower({field}) regex "{word}$"' for word in words[:3]), *(f'{field} regex "{word}$"' for word in words)
    )
    matcher = Matcher(conditions, hot=1)

    for text in ("Shadow", "shadow", "TOKEN", "metadata", "İshadow"):
        one = event(name=text, userAgent=text, requestURI=text)
        expected = tuple(place for place, condition in enumerate(conditions) if evaluate(condition, one))

        assert expected
        assert matcher.match(one) == matcher.match(one) == expected


def test_values_that_clients_choose_are_remembered_up_to_a_bound() -> None:
    asked: list[str] = []
    lengths = Remembered[str, int](lambda text: asked.append(text) or len(text))  # type: ignore[func-returns-value]

    assert [lengths["a"], lengths["a"], lengths["b"]] == [1, 1, 1]
    assert asked == ["a", "b"]
    for number in range(3 * MAX_VALUES):
        assert lengths[str(number)] == len(str(number))
        assert len(lengths) <= MAX_VALUES
    assert lengths["x" * (MAX_VALUE_LENGTH + 1)] == MAX_VALUE_LENGTH + 1
    assert "x" * (MAX_VALUE_LENGTH + 1) not in lengths


def test_a_flood_of_namespaces_changes_no_answer() -> None:
    matcher = Matcher(bound('ObjectRef.Namespace = "shop"', 'ObjectRef.Namespace like "team-1*"'))

    for number in range(MAX_VALUES + 10):
        namespace = f"team-{number}"
        assert matcher.match(event(namespace=namespace)) == ((1,) if namespace.startswith("team-1") else ())
    assert matcher.match(event(namespace="shop")) == (0,)


def test_no_error_is_lost_by_ruling_a_condition_out_first() -> None:
    raising, harmless = 'ObjectRef.Name > 5 and Verb = "create"', 'Verb = "create" and ObjectRef.Name > 5'

    with pytest.raises(EvaluationError, match="not a number"):
        Matcher(bound(raising)).match(event(verb="get", name="web"))
    assert Matcher(bound(harmless)).match(event(verb="get", name="web")) == ()


def test_what_no_pattern_can_match_is_no_way_around_the_error_either() -> None:
    nodes = bound('ObjectRef.Name regex "x" and User.Username = "nobody"', 'UserAgent regex "x" and Verb = "patch"')

    with pytest.raises(EvaluationError, match="lone surrogate"):
        Matcher(nodes[:1]).match(event(name="\ud800"))
    with pytest.raises(EvaluationError, match="lone surrogate"):
        Matcher(nodes[1:]).match(event(userAgent="\ud800"))


@pytest.mark.parametrize("verb", [None, 5, ["get"], {"get": 1}, True])
def test_a_value_of_a_type_its_field_never_has_is_left_to_the_reference(verb: Any) -> None:
    text = 'Verb in ("get", "5", "true") or ObjectRef.Name = "5"'
    (node,) = bound(text)
    odd = event(verb=verb, name=verb)

    try:
        found: Any = Matcher([node], hot=1).match(odd)
    except EvaluationError:
        found = None
    expected = evaluate(node, odd)
    assert found in (None, (0,) if expected else ())
    assert compile_condition(text, fields=EventFields()).evaluate(odd) is expected

    rule_set = rule_set_of(one_rule("d", 'Verb in ("get", "5", "true") or ObjectRef.Name = "5"'))
    assert rule_set.decide(odd).alerting == (("d.r",) if expected else ())


def test_conditions_nested_deeper_than_python_compiles_are_walked() -> None:
    # Each is part of the next, so what each says is kept, which takes more parentheses than Python has.
    binder = Binder(EventFields())
    path = Path((Segment("RequestURI"),), "RequestURI")
    tests = [binder.bind(Comparison(path, Operator.LIKE, (Text(f"*/{number}*"),))) for number in range(100)]
    nodes: list[Any] = tests[:1]
    for test in tests[1:]:
        pair: Any = (test, nodes[-1])
        nodes.append((Or if len(nodes) % 2 else And)(pair))
    matcher = Matcher(nodes, hot=1)
    with pytest.raises(SyntaxError, match="too many nested parentheses"):
        generate_all({node: [position] for position, node in enumerate(nodes)}, {})

    for _ in range(3):
        assert matcher.match(event(requestURI="/0/3")) == (0, 1, 3)


def test_several_regular_expressions_on_a_field_are_one_search() -> None:
    nodes = bound(*(f'UserAgent regex "{pattern}"' for pattern in ("^curl/", "nmap|masscan", "(?i)HUNTER", "x{2}$")))

    searches = shared_searches(nodes)

    assert set(searches) == set(nodes)
    for agent in ("curl/8", "kube-hunter", "nmap xx", "", "kubectl"):
        assert [searches[node](agent) for node in nodes] == [node.test(agent) for node in nodes]
    with pytest.raises(EvaluationError, match="lone surrogate"):
        searches[nodes[0]]("\ud800")
    assert shared_searches(nodes[:2]) == {}


def test_patterns_too_large_for_one_set_are_searched_for_one_by_one() -> None:
    patterns = [f"[a-z]{{1,900}}{number}$" for number in range(80)]
    search = search_of_all({pattern: regex_test(pattern) for pattern in patterns})

    assert search("abc77") == {77}
    assert search("ABC77") == frozenset()


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*a*b*a*", "xaybza", True),
        ("*a*b*a*", "xaybz", False),
        ("ab*ba", "aba", False),
        ("ab*ba", "abba", True),
        ("a*a", "a", False),
        ("**", "", True),
        ("*ab*abc", "abc", False),
        ("*ab*abc", "abxabc", True),
        ("a*b*b", "ab", False),
        ("?*b", "\nb", True),
    ],
)
def test_texts_between_stars_follow_one_another(pattern: str, text: str, matches: bool) -> None:
    condition = compile_condition(f'RequestURI like "{pattern}"', fields=EventFields())

    assert condition.evaluate(event(requestURI=text)) is matches


@pytest.mark.parametrize(
    "condition",
    [
        'RequestObject.items[*].name = "x"',
        'RequestObject.items[*].name not in ("x")',
        "RequestObject.a.b.c = 5",
        'RequestObject.items contains "x"',
        'RequestObject.items not contains "x"',
        'RequestObject.items[0:1].name = "x"',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body",
    [
        {"items": [{"name": "x"}]},
        {"items": [{"other": 1}, {"name": "x"}]},
        {"items": [{"name": ["y", "x"]}]},
        {"items": [{"name": {"x": 1}}]},
        {"items": ["x", None, 5]},
        {"items": "x"},
        {"items": {"name": "x"}},
        {"items": []},
        {"items": [[{"name": "x"}]]},
        {"a": {"b": {"c": 5}}},
        {"a": {"b.c": "5"}},
        {"a.b": {"c": 6}},
        {"a": {"b": None}, "a.b.c": 5},
        {"a": {"b": "text"}},
        [],
        "x",
        None,
    ],
)
def test_the_quick_judge_says_what_the_reference_says(condition: str, body: Any) -> None:
    (atom,) = bound(condition)

    def outcome(judge: Any) -> Any:
        try:
            return judge(body)
        except EvaluationError as error:
            return str(error)

    assert outcome(quick_judge(atom)) == outcome(atom.judge)


def test_an_event_is_asked_for_its_body_only_where_a_condition_looks_into_it() -> None:
    class Watched(Event, kw_only=True):
        @property
        def requestBody(self) -> Any:  # noqa: N802 - named after the field
            raise AssertionError("the body was decoded")

    seen = Watched(level="Request", auditID="a", stage="s", verb="get")
    matcher = Matcher(bound('Verb = "create" and RequestObject.spec.hostNetwork = true', 'Verb = "get"'), hot=1)

    assert matcher.match(seen) == (1,)


def test_expressions_on_lower_case_are_not_searched_for_in_the_text_as_it_is() -> None:
    nodes = bound(*(f'lower(UserAgent) regex "{pattern}"' for pattern in ("^curl/", "nmap|masscan", "hunter", "x{2}$")))

    for matcher in (Matcher(nodes), Matcher(nodes, hot=1)):
        for _ in range(2):
            assert matcher.match(event(userAgent="CURL/8 Nmap xX")) == (0, 1, 3)


def test_what_only_some_requests_can_have_rules_the_others_out() -> None:
    conditions = (
        "PodSpec.hostPID = true",
        "Containers exists or PodSpec.volumes[*].name = 1",
        'any Containers[*] (name = "a") and ObjectRef.Name > 5',
        '(PodSpec.a = 1 and RequestObject.b = 2) or (Verb = "create" and Containers[*].c = 3)',
        'PodSpec.hostPID = true or Verb = "get"',
        "PodSpec.hostPID not exists",
        "not (PodSpec.hostPID = true)",
        "ObjectRef.Name > 5 and PodSpec.hostPID = true",
    )
    matcher = Matcher(bound(*conditions))

    def open_for(**about: Any) -> list[int]:
        return possible_of(matcher, event(name="5", body={}, **about))

    assert open_for(verb="create") == list(range(8))
    assert open_for(verb="get") == [4, 5, 6, 7]
    assert open_for(verb="create", subresource="status") == [5, 6, 7]
    assert open_for(verb="patch", subresource="resize") == list(range(8))
    assert possible_of(matcher, event(name="5", verb="create")) == [5, 6, 7]


def test_what_a_negated_or_denies_rules_out_field_by_field() -> None:
    exempt = 'User.Username = "root" or User.Username startswith "system:"'
    conditions = (
        f'Verb = "create" and (not ({exempt} or (ObjectRef.Namespace = "shop" and UserAgent = "x")))',
        f"not (ObjectRef.Name > 5 or {exempt})",
    )
    matcher = Matcher(bound(*conditions))

    def open_for(user: str) -> int:
        return matcher._possible(event(name="5", user=user, verb="create"))

    assert open_for("root") == open_for("system:x") == 0b10  # behind what may raise nothing is ruled out
    assert open_for("ann") == 0b11
    with pytest.raises(EvaluationError, match="not a number"):
        matcher.match(event(name="web", user="root", verb="create"))


def test_an_or_over_several_fields_is_ruled_out_operand_by_operand() -> None:
    conditions = bound(
        '((ObjectRef.APIGroup = "kyverno.io" and Verb = "delete") or ObjectRef.Resource in ("a", "b"))'
        " and (not (Outcome exists))",
        '(ObjectRef.Name > 5 or Verb = "create") or ObjectRef.Resource = "c"',
        'Verb = "get"',
    )
    matcher = Matcher(conditions)

    def request(verb: str, group: str = "", resource: str = "", name: str = "5") -> Event:
        return event(verb=verb, objectRef=ObjectRef(resource=resource, apiGroup=group, name=name))

    assert possible_of(matcher, request("delete", "kyverno.io")) == [0, 1]
    assert possible_of(matcher, request("patch", "kyverno.io")) == [1]
    assert possible_of(matcher, request("get", resource="b")) == [0, 1, 2]
    both = request("delete", "kyverno.io", "a", "9")
    for _ in range(HOT + 1):
        assert matcher.match(both) == (0, 1)
        with pytest.raises(EvaluationError, match="not a number"):
            matcher.match(request("create", name="web"))


def test_an_object_that_an_event_lacks_rules_out_every_test_of_what_is_in_it() -> None:
    matcher = Matcher(
        bound(
            'ImpersonatedUser.Groups = "a" or ImpersonatedUser.Username regex "b$"'
            ' or ResponseStatus.Details.kind = "c"',
            "ImpersonatedUser.Groups not exists",
            'ImpersonatedUser.Groups = "a" and ObjectRef.Name > 5',
        )
    )
    failed = ResponseStatus(details={"kind": "c"})

    assert possible_of(matcher, event()) == [1]
    assert possible_of(matcher, event(responseStatus=failed)) == [0, 1]
    assert possible_of(matcher, event(impersonatedUser=User(username="b"))) == [0, 1, 2]
    assert possible_of(matcher, event(impersonatedUser=User(username="c"))) == [0, 1, 2]
    assert matcher.match(event(responseStatus=failed)) == (0, 1)
    assert matcher.match(event(impersonatedUser=User(username="b"))) == (0, 1)


def test_a_value_that_no_test_names_is_judged_by_its_class() -> None:
    conditions = bound(
        'User.Username not in ("root", "system:x") and (not (User.Username startswith "system:"))',
        'User.Username != "root" and User.Username exists',
        'not (User.Username regex "^a" and lower(User.Username) = "ann")',
    )
    matcher = Matcher(conditions)
    table = ValueTable(7, {})
    for position, condition in enumerate(conditions):
        for part, _ in parts_of(condition):
            table.add(part, position)
    table.close()

    for user in ("root", "system:x", "system:y", "ann", "Ann", "bob", "", "alice", None, "system:z", "bea"):
        one = event(user=cast("str", user))
        expected = tuple(place for place, node in enumerate(conditions) if evaluate(node, one))
        assert matcher.match(one) == expected
        assert table.leaves(user) == sum(1 << place for place in expected)
    assert len(table._of_class) == 5  # system:y and system:z; ann; Ann; alice; bob, bea and ""


def test_a_body_that_an_event_lacks_rules_nothing_out_where_nobody_knows_whether_it_matters() -> None:
    (condition,) = bound('PodSpec.hostPID = true and RequestObject.kind = "Pod"')
    matcher, one = Matcher([condition]), event(verb="create")
    assert not matcher.left(one, frozenset())

    for unknown in (frozenset(("verb",)), frozenset(("objectRef",)), frozenset(("requestObject",))):
        judged = evaluate_partial(condition, one, unknown)
        left = {place: evaluate_partial(rest, one, unknown) for place, rest in matcher.left(one, unknown)}
        assert left.get(0, False) is judged
