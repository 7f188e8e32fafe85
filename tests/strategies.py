"""Generated conditions and events for property tests of the rule language."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from msgspec import Raw

from auditwire.condition.operands import unfit_operand
from auditwire.condition.parse import parse_path
from auditwire.condition.syntax import (
    ORDERS,
    AnyElement,
    AnyOf,
    Boolean,
    Comparison,
    Elements,
    Expression,
    Not,
    Number,
    Operands,
    Operator,
    Path,
    Segment,
    Text,
    conjunction,
    disjunction,
    spell_path,
)
from auditwire.events import Event, ObjectRef, ResponseStatus, User

NAMES = ("a", "b", "items", "k", "order", "x-y")

texts = st.one_of(
    st.sampled_from(["", "a", "get", "10", "1.5", "true", "a b", 'say "hi"', "C:\\temp", "1e3", "*", "éλ"]),
    st.text(alphabet="ab*?.[]() \n'", max_size=8),
)
numbers = st.one_of(st.integers(-20, 2_000_000), st.decimals(-50, 50, places=2)).map(lambda number: Number(str(number)))
indexes = st.one_of(
    st.none(),
    st.none(),
    st.just(AnyElement()),
    st.integers(0, 3).map(lambda n: Elements(n, n + 1, str(n))),
    st.tuples(st.integers(0, 2), st.integers(0, 3)).map(lambda two: Elements(two[0], two[1], f"{two[0]}:{two[1]}")),
)
QUOTED = ("a", "a.b", "c/d", 'say "k"', "", "in (a or b", "k.a")
segments = st.builds(Segment, st.sampled_from(NAMES), indexes)
quoted_segments = st.builds(Segment, st.sampled_from(QUOTED), indexes, st.just(True))


PATTERNS = ("*", "a*", "*b*", "*.*", "k")
patterns = st.builds(
    lambda name, index: Segment(name, index, "*" not in name, "*" in name), st.sampled_from(PATTERNS), indexes
)
below = st.lists(st.one_of(segments, segments, quoted_segments, patterns), max_size=2)
paths = st.tuples(segments, below).map(lambda parts: Path((parts[0], *parts[1]), spell_path((parts[0], *parts[1]))))
_text = texts.map(Text)
_PATTERNS = ("*e*", "s?op", "kube-*", "*", "k*e*t*", "", "*:*:*")
_NETWORKS = ("203.0.113.0/24", "192.0.2.5", "0.0.0.0/0", "2001:db8::/32", "::ffff:203.0.113.0/120")
_EXPRESSIONS = ("^s", "e.", "t$", "(?i)KUBE", "[0-9]+", "^(cu|ku)", "")

# What may stand behind an operator, for every kind of operands in the table, and for a regular expression, which is not
# any text.
_OPERANDS: dict[Operands, st.SearchStrategy[tuple[Any, ...]]] = {
    Operands.NONE: st.just(()),
    Operands.VALUE: st.tuples(st.one_of(_text, numbers, st.booleans().map(Boolean))),
    Operands.QUANTITY: st.tuples(st.one_of(_text, numbers)),
    Operands.WORDING: st.tuples(st.one_of(_text, numbers)),
    Operands.TEXT: st.tuples(_text),
    Operands.ITEMS: st.lists(st.one_of(_text, numbers), min_size=1, max_size=3).map(tuple),
    Operands.NETWORKS: st.lists(st.sampled_from(_NETWORKS).map(Text), min_size=1, max_size=3).map(tuple),
}
_REGEX = st.tuples(st.sampled_from(_EXPRESSIONS).map(Text))


@st.composite
def comparison(draw: st.DrawFn, names: tuple[str, ...] = ()) -> Comparison:
    """A comparison of a field of a dictionary, with each of the operators as often as with any other."""
    path = draw(st.sampled_from(names).map(parse_path) if names else paths)
    operator = draw(st.sampled_from(list(Operator)))
    operands = draw(_REGEX if operator is Operator.REGEX else _OPERANDS[operator.operands])
    negated = bool(operator.negative) and draw(st.booleans())
    return lowered(draw, Comparison(path, operator, operands, negated))


def lowered(draw: st.DrawFn, one: Comparison) -> Comparison:
    """Now and then the comparison of the text in lower case, if it can be one."""
    if draw(st.integers(0, 3)) or any(isinstance(operand, Boolean) for operand in one.operands):
        return one
    small = tuple(Text(each.value.lower()) if isinstance(each, Text) else each for each in one.operands)
    comparison = replace(one, operands=small, lowered=True)
    return one if unfit_operand(comparison) else comparison


def _with_elements(path: Path) -> Path:
    """The path of what an ``any`` looks through."""
    last = path.segments[-1]
    last = replace(last, index=None if last.is_pattern else AnyElement())
    return Path((*path.segments[:-1], last), spell_path((*path.segments[:-1], last)))


def _compound(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(st.builds(AnyOf, paths.map(_with_elements), inner), _joined(inner))


def _joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=4)
    negated = inner.map(lambda node: node.operand if isinstance(node, Not) else Not(node))
    return st.one_of(several.map(conjunction), several.map(disjunction), negated)


expressions: st.SearchStrategy[Expression] = st.recursive(comparison(), _compound, max_leaves=12)
of_elements: st.SearchStrategy[Expression] = st.recursive(
    comparison(("name", "tags", "tags.a")), _compound, max_leaves=4
)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2_000_000), st.floats(-1e7, 1e7), texts, st.sampled_from(["5", "a", "t"])
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*NAMES, *QUOTED, "items.k"]), inner, max_size=3),
    ),
    max_leaves=12,
)
events = st.dictionaries(st.sampled_from([*NAMES, "a.b", "k.a"]), values, max_size=5)


# Conditions on the audit event, of the kinds rules are made of, over few values, so that many share a test or match.
_VERBS = ("get", "create", "delete", "update", "patch")
_RESOURCES = ("pods", "secrets", "nodes")
_TEXTS = {
    "Verb": _VERBS,
    "ObjectRef.Resource": _RESOURCES,
    "ObjectRef.Namespace": ("shop", "kube-system", ""),
    "ObjectRef.Subresource": ("exec", ""),
    "ObjectRef.Name": ("7", "web"),
    "UserAgent": ("kubectl/v1", "curl/8", "Curl/8"),
    "User.Username": ("ann", "system:node:a"),
    "User.Groups": ("ops", "5"),
    "User.Groups[*]": ("ops", "5"),
    "SourceIPs": ("203.0.113.", "5"),
    "SourceIP": ("203.0.113.9", "5"),
    "ImpersonatedUser.Username": ("root",),
    'Annotations["authorization.k8s.io/decision"]': ("allow", "forbid"),
    'RequestObject.spec["a.b"]': ("NodePort", "true"),
    'RequestObject.items[*]["name"]': ("x", "web"),
    "ResponseStatus.code": ("200", "403"),
    "RequestObject.spec.type": ("NodePort", "5", "x"),
    'RequestObject["*.type"]': ("NodePort", "x"),
    "RequestObject.spec.*": ("NodePort", "5", "true"),
    "RequestObject.items[*].*": ("x", "web"),
    "RequestObject.*[*].name": ("x", "web"),
    "Annotations.*": ("allow", "forbid"),
    "Outcome": ("allowed", "denied", "failed", "dry-run"),
    "OutcomeReason": ("Forbidden", "x"),
    "PodSpec.type": ("NodePort", "5"),
    "PodSpec.containers[*].name": ("x", "web"),
    "Containers[*].name": ("x", "web"),
    "Containers[*].kind": ("init", "container"),
    "RequestObject.spec.a.b": ("NodePort", "true"),
    "RequestObject.items[*]": ("x", "5"),
    "RequestObject.items[*].name": ("x", "web"),
    "RequestObject.items[*].tags[*]": ("x", "true"),
    "RequestObject.items[0].name": ("x", "web"),
}
_TEXT_OPERATORS = (
    *(Operator.EQUAL,) * 2, Operator.LESS, Operator.EXISTS, *(one for one in Operator if one.goes_by_text)
)  # fmt: skip
_TEXTS_BEHIND = {Operator.LIKE: _PATTERNS, Operator.REGEX: _EXPRESSIONS, Operator.WITHIN: _NETWORKS}


@st.composite
def field_comparison(draw: st.DrawFn) -> Comparison:
    """A comparison of a field of the audit event, now and then one that many values cannot be judged by."""
    name = draw(st.sampled_from(sorted(_TEXTS)))
    path = parse_path(name)
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return Comparison(path, draw(st.sampled_from(ORDERS)), (Number(draw(st.sampled_from(["5", "200", "1e400"]))),))
    if kind == 1:
        is_true = Comparison(path, Operator.EQUAL, (Boolean(True),))
        return draw(st.sampled_from([Comparison(path, Operator.TRUTH), is_true]))
    operator, negated = draw(st.sampled_from(_TEXT_OPERATORS)), draw(st.integers(0, 3)) == 0
    if kind == 2:
        # Often enough that several regular expressions look at one field.
        name, operator = draw(st.sampled_from(["UserAgent", "ObjectRef.Name"])), Operator.REGEX
        path = parse_path(name)
    values = st.sampled_from(_TEXTS_BEHIND.get(operator, _TEXTS[name])).map(Text)
    most = 3 if operator.takes_list else 0 if operator.operands is Operands.NONE else 1
    operands = draw(st.lists(values, min_size=min(most, 1), max_size=most))
    return lowered(draw, Comparison(path, operator, tuple(operands), negated and bool(operator.negative)))


_ELEMENTS = (
    "Containers[*]",
    "PodSpec.containers[*]",
    "RequestObject.items[*]",
    "RequestObject.*",
    'RequestObject["it*"][*]',
    "ResponseObject.items[*]",
)
any_of_field = st.builds(AnyOf, st.sampled_from(_ELEMENTS).map(parse_path), of_elements)
_field_leaf = st.one_of(field_comparison(), field_comparison(), field_comparison(), any_of_field)


field_expressions: st.SearchStrategy[Expression] = st.one_of(
    st.lists(_field_leaf, min_size=2, max_size=4).map(conjunction),
    st.recursive(_field_leaf, _joined, max_leaves=6),
)

_BODIES = (
    None,
    None,
    b'{"spec":{"type":"NodePort"},"items":[{"name":"web","tags":["x",true]},{"tags":[]}]}',
    b'{"spec":{"type":5,"a.b":true},"items":["x",5,null]}',
    b'{"spec":{"a":{"b":null},"a.b":"NodePort"},"items":[{"name":["x"],"tags":"x"}]}',
    b'{"spec":{"type":["x",["NodePort"],null],"a":{"b":{"c":1}}},"items":{"name":"x"}}',
    b'{"spec":"x","items":[[{"name":"x"}],{"name":null}]}',
    b'{"spec.type":"x","items":"x"}',
    b"[1]",
    b'{"spec":{"containers":[{"name":"web","tags":["x"]}],"initContainers":[{"name":"x"}]}}',
    b'{"spec":{"template":{"spec":{"containers":[{"name":"x","$patch":"delete"}],"type":"NodePort"}}}}',
    b'[{"op":"add","path":"/spec/containers/0/name","value":"x"},{"op":"add","path":"/spec/type","value":5}]',
)
# What no decoded event holds, but code that builds events may put in.
_ODD_TEXTS = (None, 5, 1.5, ["get"], {"a": 1}, "\ud800", b"get")
_ADDRESSES: tuple[list[str] | None, ...] = (
    None,
    [],
    ["203.0.113.9"],
    ["203.0.113.9", "2001:db8::1"],
    ["x", "192.0.2.5"],
)
_ANNOTATIONS: tuple[dict[str, str] | None, ...] = (
    None, {}, {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "x"},
    {"authorization.k8s.io/decision": "forbid"},
)  # fmt: skip


@st.composite
def audit_event(draw: st.DrawFn) -> Event:
    """An audit event over the values the conditions above are about; in some a text is none."""

    def text(*usual: str | None) -> Any:
        is_odd = odd and draw(st.integers(0, 3)) == 0
        return draw(st.sampled_from(_ODD_TEXTS if is_odd else usual))

    odd = draw(st.integers(0, 9)) == 0
    body = draw(st.sampled_from(_BODIES))
    groups: Any = draw(st.sampled_from([None, [], ["ops"], ["ops", "5"], *([[None, 5], ["ops", {}]] if odd else [])]))
    bodies: dict[str, Any] = {} if body is None else {"requestObject": Raw(body)}
    return Event(
        level="Request",
        auditID="a",
        stage=draw(st.sampled_from(["ResponseComplete", "ResponseComplete", "RequestReceived", "Panic"])),
        verb=text(*_VERBS),
        userAgent=text("", "kubectl/v1", "curl/8", "CURL/8", "203.0.113.9:80"),
        user=User(username=text(None, "ann", "system:node:a"), groups=groups),
        annotations=draw(st.sampled_from(_ANNOTATIONS)),
        requestURI=draw(st.sampled_from(["/api", "/api?dryRun=All"])),
        sourceIPs=draw(st.sampled_from(_ADDRESSES)),
        impersonatedUser=draw(st.sampled_from([None, User(username="root")])),
        objectRef=ObjectRef(
            resource=text(*_RESOURCES),
            namespace=text("shop", "kube-system", ""),
            name=text("7", "web", ""),
            subresource=draw(st.sampled_from(["exec", "", ""])),
        ),
        responseStatus=draw(st.sampled_from([None, *(ResponseStatus(code=code) for code in (None, 200, 403, 404))])),
        **bodies,
    )


audit_events = audit_event()
