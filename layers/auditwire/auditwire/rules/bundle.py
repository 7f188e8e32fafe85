"""The bundle: a compiled set of rules as data, together with its documents.

It is JSON and contains no code: conditions are trees, outputs are parts. A function builds its rules from it without
parser and YAML. The digest of its documents identifies a bundle.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from auditwire import __version__
from auditwire.condition.tree_json import from_json, path_from_json, path_to_json, to_json
from auditwire.documents.diagnostics import Diagnostic, Severity
from auditwire.documents.source import Source, digest_of
from auditwire.events.level import Level
from auditwire.events.secret_places import Redaction
from auditwire.policy import Policy, PolicyError
from auditwire.rules.message import MessageTemplate
from auditwire.rules.rule_exception import ExceptionText, RuleException
from auditwire.rules.rule_set import Rule, RuleSet, RuleText, new_binder
from auditwire.rules.settings import MissingBodies, Priority, Receiver, Requirement, Selector, Settings
from auditwire.rules.threshold import Threshold

SCHEMA: Final = 2
"""The first was without exceptions and thresholds. Whoever does not know them would alert on every match, and must
rather keep the rules before."""

_READ: Final = (1, SCHEMA)


class BundleError(Exception):
    """A bundle cannot be used; ``diagnostic`` says why.

    AW401: not a bundle, or cut off. AW402: a schema that this version cannot read. AW403: it does not match its digest.
    """

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


@dataclass(frozen=True, slots=True)
class Bundle:
    """A decoded bundle: its rules, ready to decide, and the documents they came from."""

    rule_set: RuleSet
    sources: tuple[Source, ...]

    @property
    def digest(self) -> str:
        """The digest of the documents, which identifies the bundle."""
        return self.rule_set.digest


def encode_bundle(rule_set: RuleSet, sources: Iterable[Source]) -> bytes:
    """Encodes a rule set with the documents it was loaded from. The same documents give the same bytes."""
    return orjson.dumps(
        {
            "schema": SCHEMA,
            "digest": rule_set.digest,
            "library": __version__,
            "settings": _settings(rule_set.settings),
            "policy": None if rule_set.policy is None else rule_set.policy.as_json(),
            "archiving": [_rule(rule.text) for rule in rule_set.archiving],
            "alerting": [_rule(rule.text) for rule in rule_set.alerting],
            "exceptions": [_exception(one.text) for one in rule_set.exceptions],
            "warnings": [{**found.as_json(), "source": found.source} for found in rule_set.findings],
            "sources": [
                {"path": source.path, "text": source.text} for source in sorted(sources, key=lambda one: one.path)
            ],
        },
        option=orjson.OPT_SORT_KEYS,
    )


def decode_bundle(data: bytes) -> Bundle:
    """Decodes a bundle. Raises ``BundleError``, and nothing else, whatever the bytes."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _refused("AW401", f"the bundle is not JSON, or cut off: {error}") from None
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(schema, int):
        raise _refused("AW401", "this is JSON, but not a bundle")
    if schema not in _READ:
        raise _refused("AW402", f"the bundle has schema {schema}, this version reads up to {SCHEMA}")
    try:
        sources = tuple(Source(str(one["path"]), str(one["text"])) for one in value["sources"])
        digest = str(value["digest"])
        if digest_of(sources) != digest:
            raise _refused("AW403", "the bundle's documents do not match its digest")
        binder = new_binder()
        rule_set = RuleSet(
            archiving=tuple(Rule(_rule_text(one), binder) for one in value["archiving"]),
            alerting=tuple(Rule(_rule_text(one), binder) for one in value["alerting"]),
            settings=_settings_from(value["settings"]),
            digest=digest,
            findings=tuple(_finding(one) for one in value["warnings"]),
            policy=_policy(value["policy"]),
            # Bundles of earlier versions have none.
            exceptions=tuple(RuleException(_exception_text(one), binder) for one in value.get("exceptions", ())),
        )
    except (KeyError, TypeError, ValueError, PolicyError, IndexError, AttributeError, RecursionError) as error:
        raise _refused("AW401", f"the bundle is damaged: {error}") from error
    return Bundle(rule_set, sources)


def _policy(value: Any) -> Policy | None:
    return None if value is None else Policy.from_json(value)


def _refused(code: str, message: str) -> BundleError:
    hint = "publish the rules again; until then the rules before them stay in force"
    return BundleError(Diagnostic(code=code, severity=Severity.ERROR, message=message, hint=hint))


def _rule(rule: RuleText) -> dict[str, Any]:
    output = None if rule.output is None else _parts(rule.output)
    return {
        "name": rule.name,
        "document": rule.document,
        "desc": rule.desc,
        "priority": rule.priority,
        "condition": to_json(rule.expression),
        "output": output,
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
        "fillings": {
            "labels": {name: _parts(template) for name, template in rule.label_templates.items()},
            "annotations": {name: _parts(template) for name, template in rule.annotation_templates.items()},
        },
        "alert": rule.alert,
        "threshold": None if rule.threshold is None else _threshold(rule.threshold),
    }


def _rule_text(value: dict[str, Any]) -> RuleText:
    output = None if value["output"] is None else _template(value["output"])
    # Bundles of before have none.
    fillings = value.get("fillings", {})
    return RuleText(
        name=value["name"],
        document=value["document"],
        desc=value["desc"],
        priority=Priority(value["priority"]),
        expression=from_json(value["condition"]),
        output=output,
        labels=_texts(value["labels"]),
        annotations=_texts(value["annotations"]),
        label_templates={str(name): _template(parts) for name, parts in fillings.get("labels", {}).items()},
        annotation_templates={str(name): _template(parts) for name, parts in fillings.get("annotations", {}).items()},
        alert="distinct" if value["alert"] == "distinct" else "fold",
        # Bundles of before have no thresholds.
        threshold=None if value.get("threshold") is None else _threshold_from(value["threshold"]),
    )


def _threshold(threshold: Threshold) -> dict[str, Any]:
    return {
        "atLeast": threshold.at_least,
        "within": threshold.within,
        "by": [path_to_json(path) for path in threshold.by],
        "distinct": None if threshold.distinct is None else path_to_json(threshold.distinct),
    }


def _threshold_from(value: dict[str, Any]) -> Threshold:
    return Threshold(
        at_least=int(value["atLeast"]),
        within=int(value["within"]),
        by=tuple(path_from_json(path) for path in value["by"]),
        distinct=None if value["distinct"] is None else path_from_json(value["distinct"]),
    )


def _parts(template: MessageTemplate) -> list[Any]:
    return [part if isinstance(part, str) else path_to_json(part) for part in template.parts]


def _template(parts: list[Any]) -> MessageTemplate:
    return MessageTemplate(tuple(one if isinstance(one, str) else path_from_json(one) for one in parts))


def _exception(exception: ExceptionText) -> dict[str, Any]:
    return {
        "name": exception.name,
        "rule": exception.rule,
        "condition": to_json(exception.expression),
        "owner": exception.owner,
        "reason": exception.reason,
        "expires": None if exception.expires is None else exception.expires.isoformat(),
    }


def _exception_text(value: dict[str, Any]) -> ExceptionText:
    return ExceptionText(
        name=value["name"],
        rule=value["rule"],
        expression=from_json(value["condition"]),
        owner=value["owner"],
        reason=value["reason"],
        expires=None if value["expires"] is None else date.fromisoformat(value["expires"]),
    )


def _texts(value: dict[str, Any]) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()}


def _settings(settings: Settings) -> dict[str, Any]:
    return {
        "auditLevel": settings.audit_level,
        "archivingPriority": settings.archiving_priority,
        "alertingPriority": settings.alerting_priority,
        "k8sAuditingEnabled": settings.k8s_auditing_enabled,
        "missingBodies": settings.missing_bodies,
        "archivingSelector": _selector(settings.archiving_selector),
        "alertingSelector": _selector(settings.alerting_selector),
        "receivers": [[one.name, one.url, one.ca_bundle] for one in settings.receivers],
        "redact": [[list(one.path), list(one.resources)] for one in settings.redactions],
    }


def _settings_from(value: dict[str, Any]) -> Settings:
    return Settings(
        audit_level=Level(value["auditLevel"]),
        archiving_priority=Priority(value["archivingPriority"]),
        alerting_priority=Priority(value["alertingPriority"]),
        k8s_auditing_enabled=bool(value["k8sAuditingEnabled"]),
        # Bundles of version 0.1 do not have it, nor redact.
        missing_bodies=MissingBodies(value.get("missingBodies", MissingBodies.ALERT)),
        archiving_selector=_selector_from(value["archivingSelector"]),
        alerting_selector=_selector_from(value["alertingSelector"]),
        receivers=tuple(Receiver(name, url, ca_bundle) for name, url, ca_bundle in value["receivers"]),
        redactions=tuple(
            Redaction(tuple(map(str, path)), tuple(map(str, resources))) for path, resources in value.get("redact", ())
        ),
    )


def _selector(selector: Selector) -> dict[str, Any]:
    requirements = [[one.key, one.operator, sorted(one.values)] for one in selector.requirements]
    return {"labels": dict(selector.labels), "requirements": requirements}


def _selector_from(value: dict[str, Any]) -> Selector:
    requirements = tuple(
        Requirement(key, operator, frozenset(values)) for key, operator, values in value["requirements"]
    )
    return Selector(_texts(value["labels"]), requirements)


def _finding(value: dict[str, Any]) -> Diagnostic:
    return Diagnostic(**{**value, "severity": Severity(value["severity"])})
