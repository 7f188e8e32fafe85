"""Whether a rule can match anything that a sender records: which audit policy, level or sender keeps it from it.

What is looked at: API group, resource and subresource, verb, stage and level. Everything else (names, users, what is in
bodies) is taken to be possible. So a rule that is called unreachable is unreachable, while one that is not may still
need something that never happens.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from auditwire.analysis.delivery import DELIVERIES, Delivery
from auditwire.condition.evaluate import Atom, Leaf, leaves_of
from auditwire.condition.syntax import Not, Number, Operator, Or, Text, children
from auditwire.events.level import Level
from auditwire.events.model import Event, ObjectRef
from auditwire.policy.known import groups_of, subresources_of
from auditwire.policy.matching import ANY, RuleMatcher
from auditwire.policy.policy import RESOURCE_VERBS, STAGES, Policy, PolicyDecision
from auditwire.rules.rule_set import Rule

OTHER: Final = "\x00other"
"""A value that no rule and no policy names. It is not printable, so none can."""

_DOMAIN: Final = {
    "Verb": "verb",
    "ObjectRef.Resource": "resource",
    "ObjectRef.APIGroup": "group",
    "ObjectRef.Subresource": "subresource",
    "Stage": "stage",
    "Level": "level",
}
_OF_PODS: Final = ("PodSpec", "Containers")
_EXACT: Final = (Operator.EQUAL, Operator.IN, Operator.EXISTS)
_BODIES: Final = {"requestObject": Level.REQUEST, "responseObject": Level.REQUEST_RESPONSE}
_BODY_NAMES: Final = {"requestObject": "RequestObject", "responseObject": "ResponseObject"}
_MANY: Final = 2_000
"""After so many kinds of request no one is looked for that matches with certainty."""
_MOST: Final = 200_000
"""After so many nothing is said."""

_STAGES: Final = tuple(sorted(STAGES, key=lambda stage: stage != "ResponseComplete"))
"""The usual one first, because the first obstacle that is met is told."""

_FULL: Final = PolicyDecision(Level.REQUEST_RESPONSE, frozenset(), False, None)


@dataclass(frozen=True, slots=True)
class Request:
    """A kind of request at a stage. A part that is None is not decided yet: it can be anything."""

    verb: str | None = None
    resource: str | None = None
    group: str | None = None
    subresource: str | None = None
    stage: str | None = None
    level: Level | None = None

    def __str__(self) -> str:
        """Such as ``create pods/exec at ResponseComplete``."""
        resource, below = _shown(self.resource), _shown(self.subresource)
        what = f"{resource}/{below}" if self.subresource else resource
        group = f" of {self.group}" if self.group not in (None, "", OTHER) else ""
        return f"{_shown(self.verb)} {what}{group} at {_shown(self.stage)}"


def _shown(value: str | None) -> str:
    return "anything" if value in (None, OTHER) else value or "a path"


@dataclass(slots=True)
class Reach:
    """What is known about a rule: ``possible`` says whether anything that is recorded can match it.

    Of an impossible one ``blame`` says why. Of a possible one ``undecided`` names the fields on which it depends;
    where there are none, ``certain`` is a request that always matches, unless every such request is of a made-up kind.
    """

    possible: bool
    blame: str = ""
    undecided: tuple[str, ...] = ()
    certain: str = ""


@dataclass(slots=True)
class _Blames:
    """The obstacles that were met, by how near they are to a match: the nearest one is told."""

    met: dict[float, str] = field(default_factory=dict)

    def add(self, nearness: float, text: str) -> None:
        self.met.setdefault(nearness, text)

    @property
    def nearest(self) -> str:
        return self.met[max(self.met)] if self.met else ""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms events come: the policy of the sender, None if everything is recorded; the policy of the rules
    themselves, which only drops events; what the sender never sends; and the most that is recorded, whatever a policy
    says."""

    policy: Policy | None
    own_policy: Policy | None
    delivery: Delivery
    level: Level


def reach(rule: Rule, terms: Terms) -> Reach:
    """Whether a rule can match anything that comes under these terms."""
    search = _Search(rule, terms)
    blames = _Blames()
    possible: Request | None = None
    number = 0
    for number, request in enumerate(search.requests(), 1):
        found = search.recorded(request, blames)
        if found is not None and search.always_matches(found):
            return Reach(True, certain=str(found))
        possible = possible or found
        if number >= (_MANY if possible else _MOST):
            break
    if possible is not None:
        return Reach(True, undecided=search.undecided(possible))
    if number >= _MOST:
        return Reach(True, undecided=(f"more than {_MOST:,} kinds of request",))
    return Reach(False, blames.nearest if number else "condition: it contradicts itself")


def can_match(rule: Rule, *, verb: str, group: str, resource: str, subresource: str, level: Level) -> bool:
    """Whether a rule can match a kind of request that is recorded at a level, at some stage."""
    search = _Search(rule, Terms(None, None, DELIVERIES["kubernetes"], level))
    requests = (Request(verb, resource, group, subresource, stage, level) for stage in _STAGES)
    return any(search.possible(request, level) for request in requests)


class _Search:
    def __init__(self, rule: Rule, terms: Terms) -> None:
        self._bound, self._terms, self._delivery = rule.bound, terms, terms.delivery
        policies = tuple(policy for policy in (terms.policy, terms.own_policy) if policy is not None)
        named = _named(rule)
        self._verbs = _values(named["verb"], RESOURCE_VERBS)
        self._resources = (*_values(named["resource"], _resources_of(policies)), "")
        self._groups = _values(named["group"], ("",), _groups_of(policies))
        self._tests_group = any(
            atom.field.name in ("ObjectRef.APIGroup", "ObjectRef") for atom in leaves_of(rule.bound)
        )
        self._named_subresources = tuple(named["subresource"])
        self._subresources = _values(("",), named["subresource"], _subresources_of(policies))

    def requests(self) -> Iterator[Request]:
        """Every kind of request that the rule does not rule out by itself, if all of it were recorded."""
        start = Request()
        for verb in self._verbs:
            of_verb = replace(start, verb=verb)
            if self._excludes(of_verb):
                continue
            for resource in self._resources:
                of_resource = replace(of_verb, resource=resource)
                if not self._excludes(of_resource):
                    yield from self._of_resource(of_resource)

    def _of_resource(self, request: Request) -> Iterator[Request]:
        resource = request.resource or ""
        known = None if self._tests_group else groups_of(resource)
        groups = ("",) if not resource else known or self._groups
        for group in groups:
            of_group = replace(request, group=group)
            if self._excludes(of_group):
                continue
            for subresource in self._below(resource):
                whole = replace(of_group, subresource=subresource)
                if self._excludes(whole):
                    continue
                for stage in _STAGES:
                    at_stage = replace(whole, stage=stage)
                    if not self._excludes(at_stage):
                        yield at_stage

    def _below(self, resource: str) -> Iterable[str]:
        """The subresources that a resource may have, and none."""
        known = subresources_of(resource)
        if not resource:
            return ("",)
        return self._subresources if known is None else dict.fromkeys(("", *known, *self._named_subresources))

    def _excludes(self, request: Request) -> bool:
        return self._value(self._bound, request, _FULL.level, is_delivered=False) is False

    def recorded(self, request: Request, blames: _Blames) -> Request | None:
        """The request at a level at which it is recorded and may match, None if there is none."""
        if request.stage in self._delivery.stages_missing:
            blames.add(0, f"sender: {self._delivery.name} sends no events of stage {request.stage}")
            return None
        own = self._terms.own_policy
        dropped = _dropping(own, request) if own is not None else ""
        for decision, name, nearer in _decisions(self._terms.policy, request):
            if not _passes(decision, name, request, blames, 1 + nearer):
                continue
            if dropped:
                blames.add(2, f"policy of the rules: {dropped}")
                continue
            level = min(decision.level, self._terms.level)
            value = self._value(self._bound, request, level, is_delivered=True)
            if value is False:
                self._blame_level(request, decision, name, blames, 3 + nearer)
                continue
            return replace(request, level=level)
        return None

    def _blame_level(self, request: Request, made: PolicyDecision, name: str, blames: _Blames, near: float) -> None:
        if self._value(self._bound, request, _FULL.level, is_delivered=True) is False:
            missing = ", ".join(sorted(self._delivery.fields_missing))
            blames.add(5, f"sender: events of {self._delivery.name} have no {missing}")
            return
        needs = next(
            (level for level in (Level.REQUEST, Level.REQUEST_RESPONSE)
             if self._value(self._bound, request, level, is_delivered=True) is not False),
            Level.REQUEST_RESPONSE,
        )  # fmt: skip
        if made.level >= needs:
            blames.add(4, f"level: {self._terms.level} keeps too little of {request}, the rule needs {needs}")
        else:
            blames.add(near, f"policy: {name} records {request} at {made.level}, the rule needs {needs}")

    def possible(self, request: Request, level: Level) -> bool:
        """Whether the rule can match such a request at a level."""
        return self._value(self._bound, request, level, is_delivered=True) is not False

    def always_matches(self, request: Request) -> bool:
        """Whether every such request matches, and there are some."""
        if OTHER in (request.verb, request.resource, request.group, request.subresource):
            return False
        level = request.level or Level.REQUEST_RESPONSE
        return self._value(self._bound, request, level, is_delivered=True) is True

    def undecided(self, request: Request) -> tuple[str, ...]:
        """The fields on which a match of this request still depends."""
        level = request.level or Level.REQUEST_RESPONSE
        found = {
            atom.field.name: None
            for atom in leaves_of(self._bound)
            if self._leaf(atom, request, level, is_delivered=True) is None
        }
        return tuple(found)

    def _value(self, node: Any, request: Request, level: Level, *, is_delivered: bool) -> bool | None:
        """Whether the condition holds for such a request; None if that depends on what is not looked at."""
        if isinstance(node, Not):
            value = self._value(node.operand, request, level, is_delivered=is_delivered)
            return None if value is None else not value
        operands = children(node)
        if not operands:
            return self._leaf(node, request, level, is_delivered=is_delivered) if isinstance(node, Leaf) else None
        decides = isinstance(node, Or)
        values = [self._value(operand, request, level, is_delivered=is_delivered) for operand in operands]
        if decides in values:
            return decides
        return None if None in values else not decides

    def _leaf(self, atom: Leaf, request: Request, level: Level, *, is_delivered: bool) -> bool | None:
        part = _DOMAIN.get(atom.field.name)
        if part is not None and isinstance(atom, Atom):
            value = level if part == "level" else getattr(request, part)
            if value is None or (part == "level" and not is_delivered):
                return None
            if value == OTHER and atom.comparison.operator not in _EXACT:
                return None
            return _judged(atom, _event(request, level))
        if atom.field.name in _OF_PODS and _asks_nothing_of_pods(request):
            return _judged(atom, _event(request, level))
        missing = {body for body, least in _BODIES.items() if level < least}
        if request.stage == "RequestReceived":
            missing |= {"responseStatus", "responseObject"}
        if is_delivered and atom.field.name in self._delivery.fields_missing:
            return _judged(atom, _event(request, level))
        return _judged(atom, _event(request, level)) if atom.field.members & missing else None


def _asks_nothing_of_pods(request: Request) -> bool:
    """Whether PodSpec is missing whatever the body is (rules/fields.py)."""
    verb, below = request.verb, request.subresource
    return (verb is not None and verb not in ("create", "update", "patch")) or (
        below is not None and below not in ("", "ephemeralcontainers", "resize")
    )


def _event(request: Request, level: Level) -> Event:
    about = ObjectRef(
        resource=request.resource or "", apiGroup=request.group or "", subresource=request.subresource or ""
    )
    stage = request.stage or "ResponseComplete"
    return Event(level=str(level), auditID="x", stage=stage, verb=request.verb or "", objectRef=about)


def _judged(atom: Leaf, event: Event) -> bool:
    """Whether a comparison holds; one that cannot judge a value does not match."""
    try:
        return atom.judge(atom.field.load(event))
    except Exception:  # noqa: BLE001 - whatever a comparison cannot judge
        return False


def _decisions(policy: Policy | None, request: Request) -> Iterator[tuple[PolicyDecision, str, float]]:
    """What a policy may decide about a request, whoever makes it; with the name of the rule, and how much nearer to a
    match its blame is: a rule that decides for everybody is named rather than others."""
    if policy is None:
        yield _FULL, "the sender", 0.5
        return
    for matcher in policy.matchers:
        match = _matches(matcher, request)
        if match is False:
            continue
        yield policy.decisions[matcher.position], f"rules[{matcher.position}]", 0.5 if match else 0
        if match:
            return
    yield policy.decisions[-1], "no rule matches, so the policy", 0.5


def _matches(matcher: RuleMatcher, request: Request) -> bool | None:
    """Whether a rule of a policy matches a request; None if that depends on who makes it, where, or on which object."""
    is_resource = bool(request.resource)
    if not (matcher.for_resources if is_resource else matcher.for_paths):
        return False
    if matcher.verbs is not None and request.verb not in matcher.verbs:
        return False
    depends = matcher.users is not None or matcher.groups is not None
    if not is_resource:
        return None if depends or matcher.paths is not None else True
    depends = depends or matcher.namespaces is not None
    if matcher.targets is None:
        return None if depends else True
    found = False
    for target in matcher.targets.get(request.group or "", matcher.targets_of_any_group):
        if target.takes(request.resource or "", request.subresource or ""):
            found = True
            if target.names is None:
                return None if depends else True
    return None if found else False


def _passes(decision: PolicyDecision, name: str, request: Request, blames: _Blames, nearness: float) -> bool:
    if decision.level is Level.NONE:
        blames.add(nearness, f"policy: {name} does not record {request}")
        return False
    if request.stage in decision.omit_stages:
        blames.add(nearness, f"policy: {name} omits the stage {request.stage} of {request}")
        return False
    return True


def _dropping(policy: Policy, request: Request) -> str:
    """Why no rule of a policy lets a request pass, empty if one may."""
    blames = _Blames()
    if any(_passes(decision, name, request, blames, nearer) for decision, name, nearer in _decisions(policy, request)):
        return ""
    return blames.nearest.removeprefix("policy: ")


def _named(rule: Rule) -> dict[str, dict[str, None]]:
    """The values that a rule names for each part of a request."""
    found: dict[str, dict[str, None]] = {part: {} for part in _DOMAIN.values()}
    for atom in leaves_of(rule.bound):
        part = _DOMAIN.get(atom.field.name)
        if part is None or not isinstance(atom, Atom):
            continue
        if atom.comparison.operator in (Operator.EQUAL, Operator.IN):
            for operand in atom.comparison.operands:
                if isinstance(operand, Text):
                    found[part][operand.value] = None
                elif isinstance(operand, Number):
                    found[part][operand.spelling] = None
    return found


def _values(*several: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(value for values in several for value in values), OTHER)))


def _entries(policies: tuple[Policy, ...]) -> Iterator[tuple[str, str]]:
    for policy in policies:
        for rule in policy.rules:
            for entry in rule.resources:
                for resource in entry.resources or ("",):
                    yield entry.group, resource


def _resources_of(policies: tuple[Policy, ...]) -> list[str]:
    names = (resource.partition("/")[0] for _, resource in _entries(policies))
    return [name for name in names if name and name != ANY]


def _groups_of(policies: tuple[Policy, ...]) -> list[str]:
    return [group for group, _ in _entries(policies) if group != ANY]


def _subresources_of(policies: tuple[Policy, ...]) -> list[str]:
    names = (resource.partition("/")[2] for _, resource in _entries(policies))
    return [name for name in names if name and name != ANY]
