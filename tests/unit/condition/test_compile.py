"""What a condition means, and what is said of one that means nothing."""

import pickle
from typing import Any

import pytest

from auditwire.condition import ConditionError, EvaluationError, compile_condition

EVENT: dict[str, Any] = {
    "verb": "create",
    "code": 201,
    "user": {"name": "ann", "groups": ["devs", "admins"]},
    "labels": {"app.kubernetes.io": "web", "app": {"tier": "front"}, "app.tier": "back", "k8s.io/role": ["db", "x"]},
    "containers": [
        {"name": "side"},
        {"name": "main", "ports": [{"port": 80}, {"port": 443, "hostPort": 443}], "args": []},
    ],
    "shout": "STOP It",
    "empty": "",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('verb = "create"', True),
        ('verb == "create"', True),
        ('verb != "get"', True),
        ('missing != "get"', False),
        ("missing not exists", True),
        ("nothing exists", False),
        ("empty exists", True),
        ('not missing = "x"', True),
        ('verb in ("get", "create")', True),
        ("code in (200, 201)", True),
        ("code >= 200 and code < 300", True),
        ('code = "201"', True),
        ('user.groups contains "adm"', True),
        ('user.groups not contains "root"', True),
        ('user.groups = "devs"', True),
        ('user.groups != "devs"', False),
        ('user.groups[*] = "admins"', True),
        ('user.groups[0] = "admins"', False),
        ('user.groups[0:2] like "*s"', True),
        ('labels.app.kubernetes.io = "web"', True),
        ('labels.app.tier = "front"', True),
        ('labels["app.kubernetes.io"] = "web"', True),
        ('labels["app.tier"] = "back"', True),
        ('labels["app"].tier = "front"', True),
        ('labels["app"]["tier"] = "front"', True),
        ('labels["k8s.io/role"] = "db"', True),
        ('labels["k8s.io/role"][1] = "x"', True),
        ('labels["k8s.io/role"] not in ("db")', False),
        ('labels["k8s.io"] exists', False),
        ("labels.app.kubernetes exists", True),
        ('labels["app.kubernetes"] exists', False),
        ('labels["app"] exists', True),
        ('labels["none"] not exists', True),
        ('containers[*]["name"] = "main"', True),
        ('containers[1]["ports"][*].port > 100', True),
        ("containers[*].ports[*].hostPort > 0", True),
        ("containers[0].ports[*].hostPort > 0", False),
        ('containers[*].name like "m??n"', True),
        ('containers[*].args contains "x"', False),
        ('containers[1].args not contains "x"', False),
        ("containers[1].args exists", True),
        ('verb like "cr*" and not (verb regex "^d")', True),
        ('verb like "rea"', False),
        ('verb not\tlike "get*"', True),
        ('verb startswith "cre"', True),
        ('verb startswith "reat"', False),
        ('verb startswith "cr*"', False),
        ('verb not startswith "get"', True),
        ('missing not startswith "get"', False),
        ('code startswith "20"', True),
        ('user.groups startswith "adm"', True),
        ('user.groups not startswith "adm"', False),
        ('user.groups[*] not startswith "adm"', True),
        ('verb endswith "ate"', True),
        ('verb endswith "rea"', False),
        ('verb endswith "*e"', False),
        ('verb not endswith "ate"', False),
        ('containers[*].name endswith "in"', True),
        ('empty endswith ""', True),
        ('lower(user.name) = "ann"', True),
        ('lower(shout) = "stop it"', True),
        ('lower( shout ) != "stop it"', False),
        ('lower(shout) in ("x", "stop it")', True),
        ('lower(shout) not in ("stop it")', False),
        ('lower(shout) contains "p i"', True),
        ("lower(shout) contains 1", False),
        ('lower(shout) like "s?op*"', True),
        (r'lower(shout) regex "^stop\S* it$"', True),
        ('lower(shout) startswith "stop"', True),
        ('lower(shout) not endswith "it"', False),
        ('lower(shout) > "stop"', True),
        ('lower(user.groups[*]) = "admins"', True),
        ('lower(missing) not in ("x")', False),
        ('lower(code) = "201"', True),
        ('lower = "x"', False),
        ('labels.* = "web"', True),
        ('labels["*/role"] = "x"', True),
        ('labels["k8s*"] contains "d"', True),
        ('labels["K8s*"] exists', False),
        ('labels["*.io*"] != "web"', True),
        ('labels["app.kubernetes.*"] != "web"', False),
        ('labels["app.kubernetes.*"] not in ("web")', False),
        ('not (labels.* = "none")', True),
        ("labels.* exists", True),
        ("labels.* not exists", False),
        ('labels["none*"] not exists', True),
        ('labels["none*"] != "web"', False),
        ("missing.* exists", False),
        ("missing.* not exists", True),
        ("verb.* exists", False),
        ("containers.* exists", False),
        ('labels.*.tier = "front"', True),
        ("labels.*.tier exists", True),
        ("labels.*.none not exists", True),
        ('labels.*[*] = "x"', True),
        ('labels.*[0] = "x"', False),
        ('labels.*[*].none = "x"', False),
        ('containers[*]["na*"] = "main"', True),
        ("containers[*].ports[*].* > 400", True),
        ('labels["a?p*"] exists', False),
        ('any containers[*] (name = "main" and ports[*].hostPort > 0)', True),
        ('any containers[*] (name = "side" and ports[*].hostPort > 0)', False),
        ('any containers[*] (name = "side" and ports not exists)', True),
        ("any containers[*] (any ports[*] (port = 443 and hostPort = 443))", True),
        ("any containers[*] (any ports[*] (port = 80 and hostPort = 443))", False),
        ("any containers[*].ports[*] (port = 443 and hostPort = 443)", True),
        ('not any containers[*] (name = "other")', True),
        ('any containers[*] (verb = "create")', False),
        ('any containers[*] (Name = "main")', False),
        ('any labels.* (tier = "front")', True),
        ('any labels["none*"] (tier not exists)', False),
        ("any user.groups[*] (x not exists)", False),
        ("any missing[*] (x not exists)", False),
        ('any containers[*] (args exists and (not name = "side"))', True),
        ("any = 5 or any exists", False),
    ],
)
def test_a_condition_holds_as_the_language_says(condition: str, expected: bool) -> None:
    assert compile_condition(condition).evaluate(EVENT) is expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("verb > 0", "'create' is not a number"),
        ("verb", "'create' is neither true nor false"),
        ("verb[0] = 1", "an index stands on something that is not an array"),
        ("containers[*].name.x = 1", "the key 'x' stands below something that is not an object"),
        ("containers[2:1].name exists", "the range [2:1] ends before it starts"),
    ],
)
def test_a_value_that_cannot_be_judged_is_an_error_of_the_evaluation(condition: str, message: str) -> None:
    compiled = compile_condition(condition)

    with pytest.raises(EvaluationError) as caught:
        compiled.evaluate(EVENT)

    assert str(caught.value) == message


def test_what_is_not_needed_is_not_evaluated() -> None:
    assert compile_condition('verb = "create" or verb > 5').evaluate(EVENT)
    assert not compile_condition('verb = "get" and verb > 5').evaluate(EVENT)


def _complaint(text: str, **options: Any) -> str:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, **options)
    return "\n".join(found.as_text() for found in caught.value.diagnostics)


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        (
            'verb = "a" AND verb = "b"',
            (
                "1:12: error AW101: 'AND' is not expected here; expected `and`, `or` or the end of the condition\n"
                '    verb = "a" AND verb = "b"\n'
                "               ^\n"
                "  hint: write `and`: keywords are lower case"
            ),
        ),
        (
            "verb = create",
            (
                "1:8: error AW101: 'create' is not expected here; expected a boolean, a number or a string\n"
                "    verb = create\n"
                "           ^\n"
                '  hint: a text stands in double quotes: "create"'
            ),
        ),
        (
            'verb in ["a", "b"]',
            (
                "1:9: error AW101: '[' is not expected here; expected ${…} or `(`\n"
                '    verb in ["a", "b"]\n'
                "            ^\n"
                '  hint: lists stand in parentheses: ("a", "b"); an index is written without spaces: [*], [0], [1:3]'
            ),
        ),
        (
            '(verb = "a"',
            (
                "1:1: error AW101: this parenthesis is never closed\n"
                '    (verb = "a"\n'
                "    ^\n"
                "  hint: the text ends without its `)`"
            ),
        ),
        (
            'verb = "a" or verb = "b" and verb = "c"',
            (
                "1:1: error AW103: the condition is ambiguous: KubeSphere and common practice read it differently\n"
                '    verb = "a" or verb = "b" and verb = "c"\n'
                "    ^\n"
                '  hint: add parentheses. KubeSphere reads: (verb = "a" or verb = "b") and verb = "c"'
                '   Common practice reads: verb = "a" or (verb = "b" and verb = "c")'
            ),
        ),
        (
            'verb = "a" and\n  verb regex "("',
            (
                "2:3: error AW104: RE2 refuses the regular expression: missing ): (\n"
                '      verb regex "("\n'
                "      ^\n"
                "  hint: RE2 has no look-around and no back-references; repeats go up to 1000"
            ),
        ),
        (
            "${pod}",
            (
                "1:1: error AW105: ${pod} is not defined\n"
                "    ${pod}\n"
                "    ^\n"
                "  hint: a condition on its own has no definitions"
            ),
        ),
    ],
)
def test_a_condition_that_cannot_be_compiled_is_refused_with_place_and_hint(condition: str, complaint: str) -> None:
    assert _complaint(condition) == complaint


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('verb contain "x"', "did you mean `contains`?"),
        ('verb start with "x"', 'write `startswith "text"`'),
        ('verb startsWith "x"', 'write `startswith "text"`'),
        ('verb has_suffix "x"', 'write `endswith "text"`'),
        ('verb matches "x"', 'write `regex "…"`'),
        ('verb not_in ("x")', 'write `not in ("…", "…")`'),
        ('verb is not "x"', "write `!=`"),
        ('verb not = "x"', "write `!=`, or not (…) around the whole test"),
        ('verb === "x"', "write `=`"),
        ("verb =< 5", "write `<=`"),
        ('verb = "a" adn b', "did you mean `and`?"),
        ('verb = "a", b', "two tests are joined with `and` or `or`"),
        ('verb in "a"', 'a list stands in parentheses: ("a", "b")'),
        ('verb within "a"', 'a list stands in parentheses: ("a", "b")'),
        ('verb cidr "10.0.0.0/8"', 'write `within ("10.0.0.0/8")`'),
        ('verb icontains "a"', 'write `lower(Field) contains "…"`, with the text in lower case'),
        ('lower(verb) = "Get"', 'write "get"'),
        ('lower(verb) regex "^Get"', "write small letters"),
        ('verb in ("a" "b")', "items of a list are separated by commas"),
        ('verb in ("a",)', "an item is missing, or there is a comma too many"),
        ("verb = null", "write `not exists`, or `exists` for the opposite"),
        ('"a" = verb', "a field stands on the left of an operator, a value on its right"),
        (
            'if verb = "a"',
            "between a field and a value stands an operator: "  # noqa: ISC004 - one text
            "=, !=, in, contains, like, regex, startswith, endswith or within",
        ),
        ("a[-1] = 1", "an index counts from the start: [0], [1:3], [*]"),
        ("verb = 1e3", "a number is digits with a fraction at most: write 1000 for 1e3"),
        ('$(verb) = "a"', "a reference is written ${name}"),
        ("a/b = 1", 'a key with a slash is written in brackets and quotes: Annotations["a/b"]'),
        ("a['b'] = 1", 'a key in brackets stands in double quotes, without spaces: Annotations["a/b"]'),
        ('a[ "b" ] = 1', 'a key in brackets stands in double quotes, without spaces: Annotations["a/b"]'),
        ("any a (b = 1)", "write any a[*] (…)"),
        ("any a[0] (b = 1)", "write [*]: any looks for one element itself"),
        ('a.["b"] = 1', "no dot stands before a bracket"),
        ('a.b.["c"] = 1', "no dot stands before a bracket"),
        ("count(verb) > 1", "there is no function but lower(Field): a field is compared with an operator"),
        ("verb = “a”", 'typographic quotes are not quotes: write "…"'),
        ('verb = "a', 'put a `"` behind it'),
        ("verb and", "something is missing at the end"),
        ('verb = "a")', "there is no opening parenthesis for this one"),
    ],
)
def test_a_habit_of_another_language_gets_the_hint_what_to_write(condition: str, hint: str) -> None:
    assert _complaint(condition).rpartition("hint: ")[2] == hint


def test_every_bad_comparison_is_reported_not_only_the_first() -> None:
    complaint = _complaint('a regex "(" or b regex "["')

    assert complaint.count("AW104") == 2


def test_the_kubesphere_dialect_refuses_what_only_this_language_has() -> None:
    assert "error AW111" in _complaint('groups[*] = "x"', dialect="kubesphere")
    assert compile_condition('groups[*] contains "x"', dialect="kubesphere").evaluate({"groups": ["axb"]})


@pytest.mark.parametrize(
    ("precedence", "expected"), [("kubesphere", False), ("standard", True)], ids=["kubesphere", "standard"]
)
def test_a_named_precedence_settles_an_ambiguous_condition(precedence: Any, expected: bool) -> None:
    condition = compile_condition("a or b and c", precedence=precedence)

    assert condition.evaluate({"a": True, "b": False, "c": False}) is expected


def test_a_condition_longer_than_the_limit_is_refused_unparsed() -> None:
    assert "error AW110" in _complaint("a and " * 200_000 + "a")


def test_like_takes_linear_time_whatever_the_pattern() -> None:
    condition = compile_condition('a like "*a*a*a*a*a*a*a*a*b?"')

    assert not condition.evaluate({"a": "a" * 100_000})


def test_a_condition_error_can_be_pickled() -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition("verb =")

    assert pickle.loads(pickle.dumps(caught.value)).diagnostics == caught.value.diagnostics  # noqa: S301 - our own
