"""Loading a policy file, with the same outcome as in kube-apiserver.

Source of all rules here: kubernetes/apiserver, pkg/audit/policy/reader.go and pkg/apis/audit/validation/validation.go.
Unknown and repeated keys are warnings: since Kubernetes 1.26 they are logged and the file is read leniently.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from auditwire.documents.diagnostics import Diagnostic, Severity, in_order
from auditwire.documents.document_source import Report
from auditwire.documents.source import Source
from auditwire.documents.utf16 import UTF16_HINT, is_utf16
from auditwire.events.level import Level
from auditwire.policy.compose import UnreadableError, compose_first
from auditwire.policy.describe import describe
from auditwire.policy.elsewhere import kind_of_document, policy_inside
from auditwire.policy.fields import POLICY, meant_key
from auditwire.policy.policy import Policy
from auditwire.policy.rule import GroupResources, PolicyRule
from auditwire.policy.typed import MAX_VALUES, TooLargeError, TypedReader, UnknownKey, Value
from auditwire.policy.validate import PolicyFault, validate

API_VERSION: Final = "audit.k8s.io/v1"


Outcome = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """The outcome of loading a policy file.

    ``policy`` is there unless ``load`` is error. ``errors`` are the reasons why kube-apiserver would not start, with
    one Decode error for all that cannot be decoded. ``warnings`` are what it would log and then ignore. ``diagnostics``
    tell people the same with places, and continue where kube-apiserver stops.
    """

    policy: Policy | None
    load: Outcome
    errors: tuple[PolicyFault, ...]
    warnings: tuple[str, ...]
    diagnostics: list[Diagnostic]


@dataclass(slots=True)
class Reading:
    """A policy file while it is read: the findings, and the values with their places."""

    report: Report
    root: Value | None = None
    rules: tuple[PolicyRule, ...] = ()
    policy: Policy | None = None
    errors: list[PolicyFault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def loaded(self) -> LoadedPolicy:
        """The outcome, with findings in the order of their places."""
        load: Outcome = "error" if self.errors else "warning" if self.warnings else "ok"
        found = in_order(self.report.diagnostics)
        return LoadedPolicy(self.policy, load, tuple(self.errors), tuple(self.warnings), found)


def load_policy(source: Source) -> LoadedPolicy:
    """Loads a policy exactly as kube-apiserver does. Never raises an error."""
    return read_policy(source).loaded()


def read_policy(source: Source) -> Reading:
    """``load_policy`` that also returns the values and their places, for further checks. Never raises an error."""
    reading = Reading(Report(source))
    reader = TypedReader(reading.report)
    if is_utf16(source.text):
        reading.report.at(None, "AW301", "the file is UTF-16, not UTF-8", UTF16_HINT)
        reading.errors.append(_decode_fault(reading.report))
        return reading
    try:
        node = compose_first(reading.report)
        inside = policy_inside(node) if node is not None else ""
        if node is not None and inside:
            reading.report.at(
                node,
                "AW302",
                f"this is a {kind_of_document(node)}; the policy is {inside}",
                "give that as a file of its own; kube-apiserver takes nothing else",
            )
            reading.errors.append(_decode_fault(reading.report))
            return reading
        root = None if node is None else reader.read(node, POLICY, "")
    except UnreadableError:
        reading.errors.append(_decode_fault(reading.report))
        return reading
    except TooLargeError:
        reading.report.at(None, "AW313", f"the policy has more than {MAX_VALUES:,} values", "name fewer things")
        reading.errors.append(_decode_fault(reading.report))
        return reading
    reading.root = root
    if root is not None:
        reading.rules = tuple(_rule(value) for value in root.listed("rules"))
    _check_version(reading, reader)
    invalid = validate(reading.report, root, reader.misfits) if root is not None else []
    _warn(reading, reader)
    reading.errors = reading.errors or invalid
    if not reading.errors and root is not None:
        reading.policy = Policy(
            rules=reading.rules,
            omit_stages=root.texts("omitStages"),
            omit_managed_fields=bool(root.boolean("omitManagedFields")),
        )
    return reading


def _check_version(reading: Reading, reader: TypedReader) -> None:
    """Reports the apiVersion and kind, and determines the error of decoding."""
    report, root = reading.report, reading.root
    version = root.text("apiVersion") if root else ""
    kind = root.text("kind") if root else ""
    at_version = root.fields.get("apiVersion", root).node if root else None
    misfit = {"", "apiVersion", "kind"} & set(reader.misfits)
    wrong_kind = kind not in ("", "Policy")
    group, slash, number = version.partition("/")
    missing = version in ("", "/") or (slash and not number and group == API_VERSION.partition("/")[0])
    if root and wrong_kind:
        report.at(root.fields["kind"].node, "AW302", f"the kind is {kind}, not Policy", "write kind: Policy")
    if missing and not misfit:
        report.at(at_version, "AW302", "the policy has no apiVersion", f"write apiVersion: {API_VERSION}")
    elif version != API_VERSION and not misfit:
        old = " (older versions went with Kubernetes 1.24)" if group == API_VERSION.partition("/")[0] else ""
        report.at(at_version, "AW302", f"the apiVersion is {version}", f"write apiVersion: {API_VERSION}{old}")
    if misfit or wrong_kind or (not missing and (reader.misfits or version != API_VERSION)):
        reading.errors.append(_decode_fault(report))
    elif missing:
        reading.errors.append(PolicyFault("UnknownVersion", "", "the policy has no apiVersion"))


def _decode_fault(report: Report) -> PolicyFault:
    first = next(found for found in report.diagnostics if found.is_error)
    return PolicyFault("Decode", "", first.message)


def _rule(value: Value) -> PolicyRule:
    """The rule of a value, whether valid or not. An unknown level is read as None."""
    level = value.text("level")
    return PolicyRule(
        level=Level(level) if Level.knows(level) else Level.NONE,
        users=value.texts("users"),
        user_groups=value.texts("userGroups"),
        verbs=value.texts("verbs"),
        resources=tuple(
            GroupResources(entry.text("group"), entry.texts("resources"), entry.texts("resourceNames"))
            for entry in value.listed("resources")
        ),
        namespaces=value.texts("namespaces"),
        non_resource_urls=value.texts("nonResourceURLs"),
        omit_stages=value.texts("omitStages"),
        omit_managed_fields=value.boolean("omitManagedFields"),
    )


def _warn(reading: Reading, reader: TypedReader) -> None:
    """Reports what kube-apiserver ignores: unknown keys, with what the rule therefore matches, and repeated keys."""
    reading.warnings += [f'unknown field "{unknown.path}"' for unknown in reader.unknown]
    reading.warnings += reader.repeated
    for unknown in reader.unknown:
        rule, position = _rule_of(reading.rules, unknown)
        effect = f"; the rule matches {describe(rule)}" if rule else ""
        reading.report.at(
            unknown.node,
            "AW310",
            f"Kubernetes does not know {unknown.key!r} in {_where(unknown)} and ignores it{effect}",
            _hint(unknown),
            severity=Severity.WARNING,
            rule=f"rules[{position}]" if rule else "",
        )


def _rule_of(rules: tuple[PolicyRule, ...], unknown: UnknownKey) -> tuple[PolicyRule | None, int]:
    # A key of the policy itself is its own path, even if it is written like a place in the rules.
    if unknown.path == unknown.key or not unknown.path.startswith("rules["):
        return None, 0
    position = int(unknown.path.removeprefix("rules[").partition("]")[0])
    return rules[position], position


def _where(unknown: UnknownKey) -> str:
    return unknown.path.removesuffix(unknown.key).rstrip(".") or "a policy"


def _hint(unknown: UnknownKey) -> str:
    meant = meant_key(unknown.key, unknown.inside)
    return f"did you mean {meant!r}?" if meant else f"there are {_joined(unknown.inside.keys)}"


def _joined(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}"
