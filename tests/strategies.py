"""Generated conditions and events for property tests of the rule language."""

from hypothesis import strategies as st
from msgspec import Raw

from auditwire.condition.syntax import (
    AnyElement,
    Boolean,
    Comparison,
    Elements,
    Expression,
    Not,
    Number,
    Operator,
    Path,
    Segment,
    Text,
    conjunction,
    disjunction,
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
segments = st.builds(Segment, st.sampled_from(NAMES), indexes)


def _spell_segment(segment: Segment) -> str:
    if segment.index is None:
        return segment.name
    return f"{segment.name}[{'*' if isinstance(segment.index, AnyElement) else segment.index.spelling}]"


paths = st.lists(segments, min_size=1, max_size=3).map(
    lambda parts: Path(tuple(parts), ".".join(_spell_segment(part) for part in parts))
)

_ORDERS = (Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL)
_text = texts.map(Text)

comparisons = st.one_of(
    st.builds(
        lambda path, literal, negated: Comparison(path, Operator.EQUAL, (literal,), negated),
        paths,
        st.one_of(_text, numbers, st.booleans().map(Boolean)),
        st.booleans(),
    ),
    st.builds(
        lambda path, order, literal: Comparison(path, order, (literal,)),
        paths,
        st.sampled_from(_ORDERS),
        st.one_of(_text, numbers),
    ),
    st.builds(
        lambda path, literals, negated: Comparison(path, Operator.IN, tuple(literals), negated),
        paths,
        st.lists(st.one_of(_text, numbers), min_size=1, max_size=3),
        st.booleans(),
    ),
    st.builds(
        lambda path, operator, literal, negated: Comparison(path, operator, (literal,), negated),
        paths,
        st.sampled_from([Operator.CONTAINS, Operator.LIKE]),
        _text,
        st.booleans(),
    ),
    st.builds(lambda path, negated: Comparison(path, Operator.EXISTS, (), negated), paths, st.booleans()),
    st.builds(lambda path: Comparison(path, Operator.TRUTH), paths),
)


def _compound(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(
        several.map(conjunction),
        several.map(disjunction),
        inner.map(lambda node: node.operand if isinstance(node, Not) else Not(node)),
    )


expressions: st.SearchStrategy[Expression] = st.recursive(comparisons, _compound, max_leaves=12)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2_000_000), st.floats(-1e7, 1e7), texts, st.sampled_from(["5", "a", "t"])
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*NAMES, "a.b", "items.k"]), inner, max_size=3),
    ),
    max_leaves=12,
)
events = st.dictionaries(st.sampled_from([*NAMES, "a.b", "k.a"]), values, max_size=5)


# Conditions on the audit event, of the kinds rules are made of, over few values, so that many share a test or match.
_VERBS = ("get", "create", "delete", "update")
_RESOURCES = ("pods", "secrets", "nodes")
_TEXTS = {
    "Verb": _VERBS,
    "ObjectRef.Resource": _RESOURCES,
    "ObjectRef.Namespace": ("shop", "kube-system", ""),
    "ObjectRef.Subresource": ("exec", ""),
    "User.Username": ("ann", "system:node:a"),
    "RequestObject.spec.type": ("NodePort", "x"),
}


def _test_of(name: str, draw: st.DrawFn) -> Comparison:
    path = Path(tuple(Segment(part) for part in name.split(".")), name)
    operator = draw(
        st.sampled_from([Operator.EQUAL, Operator.EQUAL, Operator.IN, Operator.LIKE, Operator.REGEX, Operator.EXISTS])
    )
    values = st.sampled_from(_TEXTS[name]).map(Text)
    if operator is Operator.EXISTS:
        return Comparison(path, operator, (), draw(st.booleans()))
    if operator is Operator.IN:
        return Comparison(path, operator, tuple(draw(st.lists(values, min_size=1, max_size=3))), draw(st.booleans()))
    if operator is Operator.LIKE:
        return Comparison(
            path, operator, (Text(draw(st.sampled_from(["*e*", "s?op", "kube-*", "*"]))),), draw(st.booleans())
        )
    if operator is Operator.REGEX:
        return Comparison(path, operator, (Text(draw(st.sampled_from(["^s", "e.", "t$"]))),), draw(st.booleans()))
    return Comparison(path, operator, (draw(values),), draw(st.integers(0, 3)) == 0)


@st.composite
def _field_comparison(draw: st.DrawFn) -> Comparison:
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return _number_test("ResponseStatus.code", Number(str(draw(st.sampled_from([200, 403])))))
    if kind == 1:
        return _number_test("ObjectRef.Name", Number("5"))
    return _test_of(draw(st.sampled_from(sorted(_TEXTS))), draw)


def _number_test(name: str, number: Number) -> Comparison:
    path = Path(tuple(Segment(part) for part in name.split(".")), name)
    return Comparison(path, Operator.GREATER_OR_EQUAL, (number,))


field_expressions: st.SearchStrategy[Expression] = st.one_of(
    st.lists(_field_comparison(), min_size=2, max_size=4).map(conjunction),
    st.recursive(_field_comparison(), _compound, max_leaves=6),
)


@st.composite
def audit_event(draw: st.DrawFn) -> Event:
    """An audit event over the values the conditions above are about."""
    body = draw(st.sampled_from([None, b'{"spec":{"type":"NodePort"}}', b'{"spec":{"type":5}}', b"[1]"]))
    return Event(
        level="Request",
        auditID="a",
        stage="ResponseComplete",
        verb=draw(st.sampled_from(_VERBS)),
        user=User(username=draw(st.sampled_from([None, "ann", "system:node:a"]))),
        objectRef=ObjectRef(
            resource=draw(st.sampled_from(_RESOURCES)),
            namespace=draw(st.sampled_from(["shop", "kube-system", ""])),
            name=draw(st.sampled_from(["7", "web"])),
            subresource=draw(st.sampled_from(["exec", "", ""])),
        ),
        responseStatus=draw(st.sampled_from([None, ResponseStatus(code=200), ResponseStatus(code=404)])),
        **({} if body is None else {"requestObject": Raw(body)}),
    )


audit_events = audit_event()
