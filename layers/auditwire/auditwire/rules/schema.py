"""JSON Schemas of the documents, for editors. They are generated from the tables that documents are read with."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from auditwire.events.level import Level
from auditwire.policy.fields import POLICY
from auditwire.policy.policy import STAGES
from auditwire.policy.typed import Fields, Texts
from auditwire.rules.document import API_VERSION, DOCUMENT_KEYS, PRECEDENCE_ANNOTATION
from auditwire.rules.exception_document import EXCEPTION_API_VERSION, EXCEPTION_KEYS
from auditwire.rules.rule_document import (
    ALERT_KINDS,
    ENTRY_KEYS,
    MAX_ADDED,
    MAX_ANNOTATION,
    MAX_ENTRIES,
    MAX_ITEMS,
    MAX_LABEL,
    METADATA_KEYS,
    NEEDED_KEY,
    PRECEDENCES,
)
from auditwire.rules.settings import MissingBodies, Priority
from auditwire.rules.threshold import MAX_AT_LEAST, MAX_BY
from auditwire.rules.threshold_key import THRESHOLD_KEYS, WITHIN
from auditwire.rules.webhook_document import (
    AUDITING_KEYS,
    CONFIG_KEYS,
    IN_CLUSTER_KEYS,
    POLICY_KEYS,
    RECEIVER_KEYS,
    RECEIVER_TYPES,
    REDACT_KEYS,
    REQUIREMENT_KEYS,
    SELECTOR_KEYS,
    SELECTOR_OPERATORS,
    SERVICE_KEYS,
    WEBHOOK_KEYS,
)

Schema = dict[str, Any]

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_TEXT: Final[Schema] = {"type": "string"}
_ANYTHING: Final[Schema] = {}


def rule_schema() -> Schema:
    """The schema of a ``Rule`` document."""
    return _standalone("A Rule document of auditwire and KubeSphere", _rule())


def webhook_schema() -> Schema:
    """The schema of a ``Webhook`` document."""
    return _standalone("A Webhook document of auditwire and KubeSphere", _webhook())


def policy_schema() -> Schema:
    """The schema of an audit policy of Kubernetes. It is stricter than Kubernetes, which ignores unknown keys."""
    return _standalone("An audit policy of Kubernetes", _policy())


def exception_schema() -> Schema:
    """The schema of an ``Exception`` document."""
    return _standalone("An Exception document of auditwire", _exception())


def document_schema() -> Schema:
    """The schema of any document in a rules folder: one of the others, by kind."""
    kinds = {"Rule": _rule(), "Webhook": _webhook(), "Exception": _exception(), "Policy": _policy()}
    return {
        "$schema": DIALECT,
        "title": "A document of a rules folder of auditwire",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": list(kinds)}},
        "allOf": [
            {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": schema}
            for kind, schema in kinds.items()
        ],
    }


SCHEMAS: Final = {
    "rule": rule_schema,
    "webhook": webhook_schema,
    "exception": exception_schema,
    "policy": policy_schema,
    "document": document_schema,
}
"""The schemas by the name of their file."""


def _standalone(title: str, schema: Schema) -> Schema:
    return {"$schema": DIALECT, "title": title, **schema}


def _object(keys: Iterable[str], known: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """The schema of an object with exactly these keys. Keys that are not in ``known`` may have any value.

    Raises ``ValueError`` if ``known`` has a key that documents do not have.
    """
    keys = tuple(keys)
    if unknown := known.keys() - set(keys):
        raise ValueError(f"documents have no {', '.join(sorted(unknown))}")
    schema: Schema = {
        "type": "object",
        "properties": {key: known.get(key, _ANYTHING) for key in keys},
        "additionalProperties": False,
    }
    return schema | ({"required": list(required)} if required else {})


def _said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _texts_by_name(longest: int = 0, most: int = 0) -> Schema:
    value = {**_TEXT, "maxLength": longest} if longest else _TEXT
    return {"type": "object", "additionalProperties": value} | ({"maxProperties": most} if most else {})


def _exception() -> Schema:
    known = {
        "rule": _said(_TEXT, "The rule that raises no alert, as DOCUMENT.RULE."),
        "condition": _said(_TEXT, "When it raises none. Test who asks: nobody may be able to choose what is tested."),
        "owner": _said(_TEXT, "Who answers for it."),
        "reason": _said(_TEXT, "Why there is no alert."),
        "expires": _said({**_TEXT, "pattern": r"^\d{4}-\d\d-\d\d$"}, "Its last day in UTC, such as 2027-03-31."),
    }
    metadata = {"name": _said(_TEXT, "Archived events name it.")}
    spec = _object(EXCEPTION_KEYS, known, ["rule", "condition"])
    return _document("Exception", spec, metadata, ["name"], EXCEPTION_API_VERSION)


def _document(
    kind: str, spec: Schema, metadata: Mapping[str, Schema], required: Iterable[str], version: str = API_VERSION
) -> Schema:
    known = {
        "apiVersion": {"const": version},
        "kind": {"const": kind},
        "metadata": _object(METADATA_KEYS, metadata, required),
        "spec": spec,
    }
    return _object(DOCUMENT_KEYS, known, ["apiVersion", "kind", *(["metadata"] if required else []), "spec"])


def _rule() -> Schema:
    metadata = {
        "name": _said(_TEXT, "Part of every rule's full name: NAME.RULE."),
        "labels": _said(_texts_by_name(), "The selectors of the Webhook document look at these: type: alerting."),
        "annotations": {
            **_texts_by_name(),
            "properties": {
                PRECEDENCE_ANNOTATION: _said({"enum": list(PRECEDENCES)}, "The precedence of and, or and not.")
            },
        },
    }
    rules = {"type": "array", "maxItems": MAX_ENTRIES, "items": _entry()}
    return _document("Rule", _object(("rules",), {"rules": rules}), metadata, ["name"])


def _entry() -> Schema:
    known = {
        "name": _said(_TEXT, "Unique in this document; others refer to it as DOCUMENT.NAME."),
        "type": _said({"enum": list(NEEDED_KEY)}, "rule, macro, list or alias."),
        "desc": _said(_TEXT, "For people; an alert's summary."),
        "condition": _said(_TEXT, 'When the rule matches: ObjectRef.Resource = "secrets" and Verb in ${reads}'),
        "macro": _said(_TEXT, "A condition to use inside others, as ${name}."),
        "list": _said(
            {"type": "array", "maxItems": MAX_ITEMS, "items": {"type": ["string", "number"]}},
            "Values for in; ${name} inserts the values of another list.",
        ),
        "alias": _said(_TEXT, "A field, used as ${name} in conditions and outputs."),
        "enable": _said({"type": "boolean", "default": True}, "false disables the rule."),
        "output": _said(_TEXT, "The alert's message, with ${alias}, ${list} and ${Field.Path}."),
        "priority": _said(
            {"enum": [str(one) for one in Priority]}, "How important the rule is: DEBUG < INFO < WARNING."
        ),
        "labels": _said(_texts_by_name(MAX_LABEL, MAX_ADDED), "Labels of the alert (auditwire only)."),
        "annotations": _said(
            _texts_by_name(MAX_ANNOTATION, MAX_ADDED),
            "Annotations of the alert, such as runbook_url (auditwire only).",
        ),
        "alert": _said({"enum": list(ALERT_KINDS)}, "One alert per label set, or one per event (auditwire only)."),
        "threshold": _said(_threshold(), "How many matches it takes for an alert (auditwire only)."),
    }
    by_type = [
        {"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": {"required": [key]}}
        for kind, key in NEEDED_KEY.items()
    ]
    return {**_object(ENTRY_KEYS, known, ["name", "type"]), "allOf": by_type}


def _threshold() -> Schema:
    number = {"type": "integer", "minimum": 1, "maximum": MAX_AT_LEAST}
    known = {
        "count": _said(number, "So many matches."),
        "distinct": _said(_TEXT, "The field whose different values count: ObjectRef.Name"),
        "atLeast": _said(number, "So many different values."),
        "by": _said(
            {"type": "array", "maxItems": MAX_BY, "items": _TEXT},
            "The fields in which matches must be alike: User.Username",
        ),
        "within": _said({**_TEXT, "pattern": f"^{WITHIN}$"}, "The time that is looked at, such as 10m; at most 24h."),
    }
    kinds = [{"required": ["count"]}, {"required": ["distinct", "atLeast"]}]
    return {**_object(THRESHOLD_KEYS, known, ["within"]), "oneOf": kinds}


def _webhook() -> Schema:
    priority = {"enum": [str(one) for one in Priority]}
    requirement = _object(
        REQUIREMENT_KEYS,
        {
            "key": _TEXT,
            "operator": {"enum": list(SELECTOR_OPERATORS)},
            "values": {"type": "array", "items": {"type": ["string", "number"]}},
        },
        ["key", "operator"],
    )
    selector = _object(
        SELECTOR_KEYS, {"matchLabels": _texts_by_name(), "matchExpressions": {"type": "array", "items": requirement}}
    )
    taken = _said({"type": "boolean", "default": False}, "Whether events of Kubernetes senders are accepted.")
    known = {
        "auditLevel": _said(
            {"enum": [str(level) for level in Level]}, "How much of a KubeSphere event is stored and sent on."
        ),
        "archivingPriority": _said(priority, "The lowest priority at which rules of archiving documents archive."),
        "alertingPriority": _said(priority, "The lowest priority at which rules of alerting documents alert."),
        "k8sAuditingEnabled": taken,
        "missingBodies": _said(
            {"enum": list(MissingBodies)},
            "What happens where the missing part of an event decides whether a rule alerts; alert by default.",
        ),
        "redact": {
            "type": "array",
            "items": _object(
                REDACT_KEYS,
                {
                    "path": _said(_TEXT, "Where the secret stands in objects: spec.users[*].password"),
                    "resources": _said(
                        {"type": "array", "minItems": 1, "items": _TEXT},
                        "The resources that have it: plurals, with their group where it matters; * for all.",
                    ),
                },
                REDACT_KEYS,
            ),
        },
        "auditing": _object(AUDITING_KEYS, {"k8sAuditingEnabled": taken}),
        "auditSinkPolicy": _object(POLICY_KEYS, dict.fromkeys(POLICY_KEYS, selector)),
        "receivers": {"type": "array", "items": _receiver()},
        **dict.fromkeys(IN_CLUSTER_KEYS, _said(_ANYTHING, "Accepted, but has no effect here.")),
    }
    return _document("Webhook", _object(WEBHOOK_KEYS, known), {}, ())


def _receiver() -> Schema:
    service = _object(
        SERVICE_KEYS,
        {"namespace": _TEXT, "name": _TEXT, "port": {"type": ["integer", "string"]}, "path": _TEXT},
        ["namespace", "name"],
    )
    config = _object(
        CONFIG_KEYS,
        {
            "url": _said({**_TEXT, "pattern": "^https?://"}, "The Alertmanager's URL, without credentials."),
            "service": _said(service, "A service inside a cluster that the relay must be able to reach."),
            "caBundle": _said(_TEXT, "The certificate of its authority, as base64 of PEM."),
        },
    )
    return _object(RECEIVER_KEYS, {"name": _TEXT, "type": {"enum": list(RECEIVER_TYPES)}, "config": config})


_POLICY_CHOICES: Final[dict[str, Schema]] = {
    "apiVersion": {"const": "audit.k8s.io/v1"},
    "kind": {"const": "Policy"},
    "level": {"enum": [str(level) for level in Level]},
    "omitStages": {"type": "array", "items": {"enum": list(STAGES)}},
}
_POLICY_SCALARS: Final[dict[str, Schema]] = {
    "string": _TEXT,
    "bool": {"type": "boolean"},
    "number": {"type": "number"},
    "strings": _texts_by_name(),
    "any": _ANYTHING,
}


def _policy() -> Schema:
    return {**_policy_fields(POLICY), "required": ["apiVersion", "kind", "rules"]}


def _policy_fields(fields: Fields) -> Schema:
    properties = {key: _POLICY_CHOICES.get(key) or _policy_type(kind) for key, kind in fields.keys.items()}
    required = {"required": ["level"]} if "level" in properties else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **required}


def _policy_type(kind: str | Texts | Fields) -> Schema:
    if isinstance(kind, Fields):
        return _policy_fields(kind)
    if isinstance(kind, Texts):
        return {"type": "array", "items": _TEXT if kind.entries is None else _policy_fields(kind.entries)}
    return _POLICY_SCALARS[kind]
