"""What a policy does that its author probably did not intend: rules never reached, names that match nothing, bodies of
Secrets."""

from collections.abc import Iterable, Iterator
from typing import Final

import yaml

from auditwire.documents.diagnostics import Severity
from auditwire.documents.document_source import Report
from auditwire.documents.source import Source
from auditwire.events.level import Level
from auditwire.events.stages import RECEIVED
from auditwire.policy.coverage import Coverage, records, records_requests
from auditwire.policy.describe import describe, listed
from auditwire.policy.known import (
    NAMELESS_VERBS,
    group_meant,
    is_group_name,
    is_user_name,
    resource_problem,
    verb_problem,
)
from auditwire.policy.load import LoadedPolicy, Reading, read_policy
from auditwire.policy.policy import Policy
from auditwire.policy.rule import PolicyRule
from auditwire.policy.typed import Value
from auditwire.policy.validate import ANY_GROUP

MAX_CHECKED: Final = 1_000
"""How many rules of a policy are checked. A note says where the checks end."""

_LITERAL: Final = {
    "users": "users",
    "userGroups": "groups",
    "verbs": "verbs",
    "namespaces": "namespaces",
}


def check_policy(source: Source) -> LoadedPolicy:
    """``load_policy`` plus all other findings about the policy, as warnings and notes. Never raises an error."""
    reading = read_policy(source)
    if reading.policy is not None and reading.root is not None:
        values = reading.root.listed("rules")
        for position, (value, rule) in enumerate(zip(values, reading.rules, strict=True)):
            if position < MAX_CHECKED:
                _check_rule(_At(reading.report, position), value, rule)
        _check_order(reading, reading.policy, values)
        _check_stages(reading, reading.root)
    return reading.loaded()


class _At:
    """Reports warnings about one rule."""

    def __init__(self, report: Report, position: int) -> None:
        self._report = report
        self._rule = f"rules[{position}]"

    def warn(self, node: yaml.Node, code: str, message: str, hint: str) -> None:
        self._report.at(node, code, message, hint, severity=Severity.WARNING, rule=self._rule)

    def note(self, node: yaml.Node, code: str, message: str, hint: str) -> None:
        self._report.at(node, code, message, hint, severity=Severity.INFO, rule=self._rule)


def _check_rule(at: _At, value: Value, rule: PolicyRule) -> None:
    for key, what in _LITERAL.items():
        _check_literal(at, value, key, what)
    _check_verbs(at, value, rule)
    _check_who(at, value)
    for item in value.listed("namespaces"):
        if item.scalar == "":
            at.note(
                item.node,
                "AW326",
                'the namespace "" means requests outside of any namespace',
                "a request on a Namespace by name counts as inside that namespace, so it is not among them",
            )
    for entry in value.listed("resources"):
        _check_resources(at, entry)
        _check_names(at, entry, rule)


def _check_literal(at: _At, holder: Value, key: str, what: str) -> None:
    for item in holder.listed(key):
        if "*" in str(item.scalar):
            at.warn(
                item.node,
                "AW322",
                f"in {key} a * is an ordinary character, so {item.scalar!r} only matches itself",
                f"leave {key} out to match all {what}" if item.scalar == "*" else f"list the {what} one by one",
            )


def _check_who(at: _At, value: Value) -> None:
    for item in value.listed("users"):
        if is_group_name(str(item.scalar)):
            at.warn(item.node, "AW333", f"no user is called {item.scalar!r}: it is a group", "write it in userGroups")
    for item in value.listed("userGroups"):
        if is_user_name(str(item.scalar)):
            at.warn(item.node, "AW333", f"no group is called {item.scalar!r}: it is a user", "write it in users")


def _check_verbs(at: _At, value: Value, rule: PolicyRule) -> None:
    on_resources = bool(rule.resources or rule.namespaces) or not rule.non_resource_urls
    on_paths = not (rule.resources or rule.namespaces)
    for item in value.listed("verbs"):
        verb = str(item.scalar)
        hint = verb_problem(verb, on_resources=on_resources, on_paths=on_paths)
        if hint and "*" not in verb:
            at.warn(item.node, "AW327", f"no request that this rule applies to has the verb {verb!r}", hint)


def _check_resources(at: _At, entry: Value) -> None:
    group = entry.text("group")
    if group == ANY_GROUP:
        at.warn(
            entry.fields["group"].node,
            "AW325",
            'Kubernetes before 1.36 refuses the group "*" and does not start',
            "name the groups, or make sure that every API server is 1.36 or later",
        )
    meant = group_meant(group) if group else None
    if meant is not None:
        hint = f"did you mean {meant}?" if meant else 'the core group is ""'
        at.warn(entry.fields["group"].node, "AW329", f"there is no API group {group!r}", hint)
    for item in entry.listed("resources"):
        resource = str(item.scalar)
        if _is_odd_wildcard(resource):
            at.warn(
                item.node,
                "AW322",
                f"the * in {resource!r} is not special, so it matches nothing",
                'write "*" for everything, "*/status" for a subresource of everything, "pods/*" for pods and all below',
            )
        elif meant is None and (problem := resource_problem(resource, group)):
            at.warn(item.node, "AW330", f"{problem[0]}, so this matches nothing", problem[1])


def _is_odd_wildcard(resource: str) -> bool:
    return (
        "*" in resource
        and resource != "*"
        and "*"
        in resource.removeprefix("*/").removesuffix("/*")
        + ("*" if resource.startswith("*/") and resource.endswith("/*") else "")
    )


def _check_names(at: _At, entry: Value, rule: PolicyRule) -> None:
    _check_literal(at, entry, "resourceNames", "names")
    if not entry.listed("resourceNames") or any("/" in name for name in entry.texts("resources")):
        return
    key = entry.keys["resourceNames"]
    nameless = [verb for verb in rule.verbs if verb in NAMELESS_VERBS]
    hint = "only list and watch with a field selector on metadata.name do; leave resourceNames out for the others"
    if nameless and len(nameless) == len(rule.verbs):
        message = f"a request to {listed(nameless)} names no object, so with resourceNames this rule never matches"
        at.warn(key, "AW323", message, hint)
    elif nameless:
        message = f"a request to {listed(nameless)} names no object, so with resourceNames these verbs never match"
        at.warn(key, "AW323", message, hint)
    elif not rule.verbs:
        message = f"a request to {listed(NAMELESS_VERBS)} names no object, so with resourceNames it does not match"
        at.note(key, "AW323", message, "write a rule without resourceNames if you want these requests too")


def _check_order(reading: Reading, policy: Policy, values: tuple[Value, ...]) -> None:
    """How rules affect each other: rules never reached, rules without effect, and what is recorded in the end."""
    reached = set(range(len(policy.rules)))
    coverage = Coverage(policy)
    coverage.unjudged.update(range(MAX_CHECKED, len(values)))
    for position, value in enumerate(values[:MAX_CHECKED]):
        at = _At(reading.report, position)
        earlier = coverage.shadowing(position)
        if earlier:
            reached.discard(position)
            at.warn(value.node, "AW320", _unreached(policy, position, earlier, values), _unreached_hint(earlier))
        elif (later := coverage.same_without(position)) is not None:
            place = _place(reading.report, values, later)
            at.warn(
                value.node,
                "AW321",
                f"the rule changes nothing: {place} would record the same for all requests that it matches",
                "remove it, or give it the level that you intended",
            )
        if position in reached:
            _check_secrets(at, coverage.secret_bodies(position), policy.rules[position], value)
    _check_patches(
        reading, policy, values, [position for position in sorted(reached) if position < MAX_CHECKED], coverage
    )
    if coverage.unjudged:
        first = min(coverage.unjudged)
        _At(reading.report, first).note(
            values[first].node,
            "AW313",
            f"the policy is too large to tell whether the {len(coverage.unjudged):,} rules from here on are reached",
            "the policy works all the same; use fewer names in fewer rules",
        )
    _check_silence(reading, policy, values, reached)


def _check_silence(reading: Reading, policy: Policy, values: tuple[Value, ...], reached: set[int]) -> None:
    """The policy, or single rules of it, that record no request but one that makes the API server panic."""
    silent = {position for position in reached if not records_requests(policy.decisions[position])}
    if silent == reached and reading.root is not None:
        panics = any(records(policy.decisions[position]) for position in reached)
        message = "this policy records nothing but panics" if panics else "this policy never records anything"
        place = reading.root.keys["rules"]
        _At(reading.report, min(reached)).warn(place, "AW328", message, _silence(policy, reached))
        return
    for position in sorted(silent):
        decision = policy.decisions[position]
        if records(decision) and position < MAX_CHECKED and "omitStages" in values[position].keys:
            _At(reading.report, position).warn(
                values[position].keys["omitStages"],
                "AW328",
                "this rule records nothing but panics",
                "omit RequestReceived only, or write level: None if you do not want these requests",
            )


def _unreached(policy: Policy, position: int, earlier: list[int], values: tuple[Value, ...]) -> str:
    takers = listed([f"rules[{taker}] (line {values[taker].node.start_mark.line + 1})" for taker in earlier])
    levels = {policy.decisions[taker].level for taker in earlier}
    text = f"the rule is never reached: {takers} {'matches' if len(earlier) == 1 else 'match'} all of it first"
    if len(levels) == 1 and (level := levels.pop()) != policy.rules[position].level:
        text += f", so {describe(policy.rules[position])} is recorded at {level}, not {policy.rules[position].level}"
    return text


def _unreached_hint(earlier: list[int]) -> str:
    return f"the first match wins: move the rule above rules[{earlier[0]}], or remove it"


def _place(report: Report, values: Iterable[Value], position: int) -> str:
    for index, value in enumerate(values):
        if index == position:
            return f"rules[{position}] (line {report.place(value.node)[0]})"
    return f"rules[{position}]"


def _silence(policy: Policy, reached: Iterable[int]) -> str:
    silent = [position for position in reached if str(policy.decisions[position].level) != "None"]
    return "omitStages leave no stage" if silent else "every rule that is reached has the level None"


def _check_secrets(at: _At, verbs: list[str], rule: PolicyRule, value: Value) -> None:
    if not verbs:
        return
    names = {name for entry in rule.resources for name in entry.resources}
    hint = 'put a rule before it: {level: Metadata, resources: [{group: "", resources: [secrets]}]}'
    if names == {"secrets"}:
        hint = "write level: Metadata, which records who did what to which Secret, without its values"
    at.warn(value.fields["level"].node, "AW324", f"Secrets are recorded with their values, on {', '.join(verbs)}", hint)


def _check_patches(
    reading: Reading, policy: Policy, values: tuple[Value, ...], reached: Iterable[int], coverage: Coverage
) -> None:
    """Rules with which a patch whose body is YAML leaves no event: kube-apiserver cannot write one with the body, and
    the one that it writes before it reads the body is omitted."""
    open_to_it = [
        position
        for position in reached
        if (decision := policy.decisions[position]).level >= Level.REQUEST
        and RECEIVED in decision.omit_stages
        and coverage.takes_patches(position)
    ]
    if not open_to_it:
        return
    message = "a patch whose body is YAML leaves no event: kube-apiserver cannot write the one with the body"
    everywhere = (
        [stage for stage in reading.root.listed("omitStages") if stage.scalar == RECEIVED] if reading.root else []
    )
    if everywhere:
        places = listed(
            [f"rules[{position}] (line {reading.report.place(values[position].node)[0]})" for position in open_to_it]
        )
        reading.report.at(
            everywhere[0].node,
            "AW332",
            f"{message}, and RequestReceived is omitted for all rules, among them {places}",
            "omit it rule by rule, and put a rule for patches first that does not omit it, or that has the level"
            " Metadata: `auditwire policy init` writes such a policy",
            severity=Severity.WARNING,
        )
        return
    for position in open_to_it:
        stage = next(stage for stage in values[position].listed("omitStages") if stage.scalar == RECEIVED)
        _At(reading.report, position).warn(
            stage.node,
            "AW332",
            f"{message}, and RequestReceived is omitted",
            "put a rule before it that keeps RequestReceived or records no body:"
            f" {{level: {policy.rules[position].level}, verbs: [patch]}} or {{level: Metadata, verbs: [patch]}}",
        )


def _check_stages(reading: Reading, root: Value) -> None:
    for stage in _stages(root):
        reading.report.at(
            stage.node,
            "AW331",
            "a failed authentication is recorded only at ResponseStarted, so none will be recorded",
            "omit ResponseStarted in the rules that record too much, not in the whole policy",
            severity=Severity.INFO,
        )


def _stages(root: Value) -> Iterator[Value]:
    return (stage for stage in root.listed("omitStages") if stage.scalar == "ResponseStarted")
