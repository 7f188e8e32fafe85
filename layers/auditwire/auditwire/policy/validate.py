"""What kube-apiserver refuses in a policy that it was able to decode."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from auditwire.documents.document_source import Report
from auditwire.documents.nearest import nearest
from auditwire.events.level import Level
from auditwire.policy.policy import STAGES
from auditwire.policy.typed import Value

_LEVELS: Final = tuple(str(level) for level in Level)
_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_MAX_SUBDOMAIN_LENGTH: Final = 253
ANY_GROUP: Final = "*"
"""As a group: every group, from Kubernetes 1.36."""


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """Why kube-apiserver would not start: the type of error, the field as it names it, and what is wrong.

    ``type`` is Required, NotSupported or Invalid, as in Go's field errors, or Decode, UnknownVersion or NoRules.
    """

    type: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class _Finding:
    node: yaml.Node
    code: str
    fault: PolicyFault
    hint: str = ""


def validate(report: Report, root: Value, misfits: Collection[str] = ()) -> list[PolicyFault]:
    """All faults of a decoded policy. Each is reported too.

    ``misfits`` are places with a value of the wrong type, which was reported already; nothing is missing there.
    """
    findings = list(_stages(root, "omitStages"))
    for position, rule in enumerate(root.listed("rules")):
        findings += _rule(rule, f"rules[{position}]")
    findings = [finding for finding in findings if not _is_misfit(finding.fault, misfits)]
    if not root.listed("rules") and "rules" not in misfits:
        found = PolicyFault("NoRules", "", "the policy has no rules")
        report.at(root.node, "AW304", found.message, "write at least one: `rules: [{level: Metadata}]`")
        findings = findings or [_Finding(root.node, "", found)]
    for finding in findings:
        if finding.code:
            path = finding.fault.field
            rule_name = path[: path.index("]") + 1] if path.startswith("rules[") else ""
            report.at(finding.node, finding.code, finding.fault.message, finding.hint, rule=rule_name)
    return [finding.fault for finding in findings]


def _is_misfit(fault: PolicyFault, misfits: Collection[str]) -> bool:
    parent = fault.field.rpartition(".")[0]
    return (
        fault.field in misfits
        or parent in misfits
        or (fault.field.endswith("resourceNames") and any(misfit.startswith(parent) for misfit in misfits))
    )


def _rule(rule: Value, path: str) -> Iterator[_Finding]:
    yield from _level(rule, path)
    yield from _urls(rule, path)
    yield from _resources(rule, path)
    yield from _stages(rule, f"{path}.omitStages")


def _level(rule: Value, path: str) -> Iterator[_Finding]:
    level = rule.text("level")
    if not level:
        yield _Finding(
            rule.node, "AW305", PolicyFault("Required", f"{path}.level", "the rule has no level"),
            f"write level: {', '.join(_LEVELS[:-1])} or {_LEVELS[-1]}",
        )  # fmt: skip
    elif level not in _LEVELS:
        fault = PolicyFault("NotSupported", f"{path}.level", f"there is no level {level!r}")
        yield _Finding(rule.fields["level"].node, "AW305", fault, _did_you_mean(level, _LEVELS))


def _stages(holder: Value, path: str) -> Iterator[_Finding]:
    for index, stage in enumerate(holder.listed("omitStages")):
        if stage.scalar not in STAGES:
            fault = PolicyFault("Invalid", f"{path}[{index}]", f"there is no stage {stage.scalar!r}")
            yield _Finding(stage.node, "AW306", fault, _did_you_mean(str(stage.scalar), STAGES))


def _urls(rule: Value, path: str) -> Iterator[_Finding]:
    for index, value in enumerate(rule.listed("nonResourceURLs")):
        url = str(value.scalar)
        place = f"{path}.nonResourceURLs[{index}]"
        if url != "*" and not url.startswith("/"):
            fault = PolicyFault("Invalid", place, f"the path {url!r} does not begin with a slash")
            yield _Finding(value.node, "AW308", fault, "write only the path, as in /healthz*, or * for every path")
        if "*" in url[:-1]:
            fault = PolicyFault("Invalid", place, f"in the path {url!r} a * is not the last character")
            yield _Finding(
                value.node,
                "AW308",
                fault,
                "only a * at the end is special: /api* matches all paths that begin with /api",
            )
    if rule.listed("nonResourceURLs") and (rule.listed("resources") or rule.listed("namespaces")):
        other = "resources" if rule.listed("resources") else "namespaces"
        fault = PolicyFault(
            "Invalid", f"{path}.nonResourceURLs", f"a rule cannot have both nonResourceURLs and {other}"
        )
        yield _Finding(rule.keys["nonResourceURLs"], "AW309", fault, "split it into two rules")


def _resources(rule: Value, path: str) -> Iterator[_Finding]:
    for entry in rule.listed("resources"):
        group = entry.text("group")
        if group and group != ANY_GROUP and not (len(group) <= _MAX_SUBDOMAIN_LENGTH and _SUBDOMAIN.fullmatch(group)):
            shown = group if len(group) <= _MAX_SUBDOMAIN_LENGTH else f"{group[:20]}…"
            fault = PolicyFault("Invalid", f"{path}.resources.group", f"{shown!r} is not a name of an API group")
            yield _Finding(entry.fields["group"].node, "AW307", fault, _group_hint(group))
        if entry.listed("resourceNames") and not entry.listed("resources"):
            fault = PolicyFault(
                "Invalid", f"{path}.resources.resourceNames", "resourceNames have no meaning without resources"
            )
            yield _Finding(entry.keys["resourceNames"], "AW309", fault, "add the resources that have these names")


def _group_hint(group: str) -> str:
    bare = group.partition("/")[0].strip().lower()
    if "/" in group and _SUBDOMAIN.fullmatch(bare):
        return f"write the group without its version: {bare}"
    if "*" in group:
        return 'a * stands for every group, but only alone: "*"'
    if bare != group and _SUBDOMAIN.fullmatch(bare):
        return f"write it in lower case, without spaces: {bare}"
    return 'group names look like apps or rbac.authorization.k8s.io; the core group is ""'


def _did_you_mean(word: str, words: tuple[str, ...]) -> str:
    near = nearest(word, words)
    return f"did you mean {near}?" if near else f"write {', '.join(words[:-1])} or {words[-1]}"
