"""Reading ``Webhook`` documents: the settings of what is archived, what alerts, and where alerts go."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import SplitResult, urlsplit

import yaml

from auditwire.condition.parse import SyntaxFinding, parse_path
from auditwire.documents.diagnostics import Severity
from auditwire.documents.document_source import Report
from auditwire.events.level import Level
from auditwire.events.secret_places import ANY, MAX_PATH_LENGTH, Redaction
from auditwire.rules import reader
from auditwire.rules.rule_document import METADATA_KEYS
from auditwire.rules.settings import MissingBodies, Priority, Receiver, Requirement, Selector, Settings

# Fields of the Webhook resource that describe how its pods run.
IN_CLUSTER_KEYS: Final = (
    "affinity", "args", "auditType", "image", "imagePullPolicy", "imagePullSecrets", "nodeSelector", "port", "replicas",
    "resources", "tolerations", "useHTTPS",
)  # fmt: skip
WEBHOOK_KEYS: Final = (
    "auditLevel", "auditSinkPolicy", "archivingPriority", "alertingPriority", "k8sAuditingEnabled", "auditing",
    "missingBodies", "receivers", "redact", *IN_CLUSTER_KEYS,
)  # fmt: skip
REDACT_KEYS: Final = ("path", "resources")
AUDITING_KEYS: Final = ("k8sAuditingEnabled", "enabled")
POLICY_KEYS: Final = ("archivingRuleSelector", "alertingRuleSelector")
SELECTOR_KEYS: Final = ("matchLabels", "matchExpressions")
REQUIREMENT_KEYS: Final = ("key", "operator", "values")
RECEIVER_KEYS: Final = ("name", "type", "config")
RECEIVER_TYPES: Final = ("alertmanager", "webhook")
CONFIG_KEYS: Final = ("url", "service", "caBundle")
SERVICE_KEYS: Final = ("namespace", "name", "port", "path")
_RESOURCE: Final = re.compile(r"\*|[a-z0-9-]+(?:\.[a-z0-9.-]+)?(?:/[a-z0-9-]+)?")
SELECTOR_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")


@dataclass(frozen=True, slots=True)
class WebhookDocument:
    """A ``Webhook`` document: its settings, and their nodes for later findings."""

    settings: Settings
    report: Report
    node: yaml.Node
    selector_nodes: dict[str, yaml.Node]
    """The nodes of the given selectors, by ``archiving`` and ``alerting``."""

    def node_at(self, *keys: str) -> yaml.Node:
        """The node under these keys, or the last one on the way to it."""
        node = self.node
        for key in keys:
            entries = node.value if isinstance(node, yaml.MappingNode) else []
            node = next((value for name, value in entries if name.value == key), node)
        return node


def read_webhook_document(report: Report, node: yaml.Node, fields: dict[str, yaml.Node]) -> WebhookDocument:
    """Reads the ``Webhook`` document of a node whose top-level ``fields`` are known to be allowed."""
    reader.known_keys(report, fields.get("metadata"), "metadata", METADATA_KEYS)
    spec = reader.known_keys(report, fields.get("spec"), "spec", WEBHOOK_KEYS)
    for key in spec.keys() & set(IN_CLUSTER_KEYS):
        reader.no_effect(
            report, spec[key], f"spec.{key}", "it describes how the webhook's pods run; there are none here"
        )
    defaults = Settings()
    policy = reader.known_keys(report, spec.get("auditSinkPolicy"), "spec.auditSinkPolicy", POLICY_KEYS)
    settings = Settings(
        audit_level=Level(
            reader.choice(report, spec.get("auditLevel"), "spec.auditLevel", Level, defaults.audit_level)
        ),
        archiving_priority=_priority(report, spec, "archivingPriority", defaults.archiving_priority),
        alerting_priority=_priority(report, spec, "alertingPriority", defaults.alerting_priority),
        k8s_auditing_enabled=_k8s_auditing_enabled(report, node, spec),
        missing_bodies=MissingBodies(
            reader.choice(
                report, spec.get("missingBodies"), "spec.missingBodies", MissingBodies, defaults.missing_bodies
            )
        ),
        archiving_selector=_selector(report, policy, "archivingRuleSelector") or defaults.archiving_selector,
        alerting_selector=_selector(report, policy, "alertingRuleSelector") or defaults.alerting_selector,
        receivers=_receivers(report, spec.get("receivers")),
        redactions=_redactions(report, spec.get("redact")),
    )
    selectors = {"archiving": policy.get("archivingRuleSelector"), "alerting": policy.get("alertingRuleSelector")}
    given = {purpose: found for purpose, found in selectors.items() if found is not None}
    return WebhookDocument(settings, report, node, given)


def _priority(report: Report, spec: dict[str, yaml.Node], key: str, default: Priority) -> Priority:
    return Priority(reader.choice(report, spec.get(key), f"spec.{key}", Priority, default))


def _k8s_auditing_enabled(report: Report, node: yaml.Node, spec: dict[str, yaml.Node]) -> bool:
    """``spec.k8sAuditingEnabled``, or ``spec.auditing.k8sAuditingEnabled`` as in KubeSphere's guide."""
    auditing = reader.known_keys(report, spec.get("auditing"), "spec.auditing", AUDITING_KEYS)
    given = spec.get("k8sAuditingEnabled") or auditing.get("k8sAuditingEnabled")
    enabled = reader.boolean(report, given, "k8sAuditingEnabled", default=False)
    if not enabled:
        said = "is false" if given else "is not set, which means false"
        report.at(
            given or node,
            "AW210",
            f"k8sAuditingEnabled {said}: events of Kubernetes senders are dropped",
            "write k8sAuditingEnabled: true to accept them",
            severity=Severity.WARNING,
        )
    return enabled


def _selector(report: Report, policy: dict[str, yaml.Node], key: str) -> Selector | None:
    if key not in policy:
        return None
    what = f"spec.auditSinkPolicy.{key}"
    fields = reader.known_keys(report, policy[key], what, SELECTOR_KEYS)
    labels = reader.text_map(report, fields.get("matchLabels"), f"{what}.matchLabels")
    requirements = [
        requirement
        for item in reader.sequence(report, fields.get("matchExpressions"), f"{what}.matchExpressions")
        if (requirement := _requirement(report, item, what)) is not None
    ]
    return Selector(labels, tuple(requirements))


def _requirement(report: Report, node: yaml.Node, what: str) -> Requirement | None:
    fields = reader.known_keys(report, node, f"{what}.matchExpressions", REQUIREMENT_KEYS)
    key = reader.plain_text(report, fields.get("key"), "key")
    operator = reader.choice(report, fields.get("operator"), "operator", SELECTOR_OPERATORS, "")
    values = frozenset(item.text for item in reader.items(report, fields.get("values"), "values"))
    if not key or not operator:
        report.at(node, "AW205", "a matchExpressions requirement needs key and operator")
        return None
    if (operator in ("In", "NotIn")) is not bool(values):
        needs = "needs values" if operator in ("In", "NotIn") else "takes no values"
        report.at(node, "AW205", f"the operator {operator} {needs}")
        return None
    return Requirement(key, cast("Any", operator), values)


def _redactions(report: Report, node: yaml.Node | None) -> tuple[Redaction, ...]:
    """The secrets that a site knows of."""
    found = []
    for item in reader.sequence(report, node, "spec.redact"):
        fields = reader.known_keys(report, item, "an item of redact", REDACT_KEYS)
        if "path" not in fields or "resources" not in fields:
            report.at(item, "AW205", "an item of redact needs path and resources")
            continue
        path = _secret_path(report, fields["path"])
        named = reader.sequence(report, fields["resources"], "resources")
        resources = tuple(filter(None, (_resource(report, one) for one in named)))
        if not named:
            report.at(fields["resources"], "AW205", "resources names none", 'write [secrets], or ["*"] for all')
        if path and resources:
            found.append(Redaction(path, resources))
    return tuple(found)


def _secret_path(report: Report, node: yaml.Node) -> tuple[str, ...]:
    text = reader.plain_text(report, node, "path")
    if not text:
        return ()
    try:
        segments = parse_path(text).segments
    except SyntaxFinding:
        report.at(node, "AW206", f"{text!r} is not a path", "write it like spec.users[*].password")
        return ()
    hint = ""
    if segments[0].name.lower() in ("requestobject", "responseobject"):
        hint = "a path begins inside of the object, and holds for both bodies: leave that out"
    elif any(segment.is_pattern and segment.name != ANY for segment in segments):
        hint = "a * stands for a whole key"
    elif len(segments) > MAX_PATH_LENGTH:
        hint = f"a path has at most {MAX_PATH_LENGTH} keys"
    if hint:
        report.at(node, "AW206", f"the path cannot be {text!r}", hint)
        return ()
    return tuple(segment.name for segment in segments)


def _resource(report: Report, node: yaml.Node) -> str:
    name = reader.plain_text(report, node, "a resource")
    if name and not _RESOURCE.fullmatch(name):
        report.at(
            node,
            "AW206",
            f"{name!r} is not a resource",
            "write its plural, like secrets or widgets.example.com",
        )
        return ""
    return name


def _receivers(report: Report, node: yaml.Node | None) -> tuple[Receiver, ...]:
    receivers = []
    for item in reader.sequence(report, node, "spec.receivers"):
        fields = reader.known_keys(report, item, "a receiver", RECEIVER_KEYS)
        kind = reader.choice(report, fields.get("type"), "type", RECEIVER_TYPES, "alertmanager")
        if kind == "webhook":
            reader.no_effect(
                report, fields["type"], "a receiver of type webhook", "subscribe the webhook to the SNS topic"
            )
            continue
        config = reader.known_keys(report, fields.get("config"), "config", CONFIG_KEYS)
        url = _url(report, item, config)
        if url:
            name = reader.plain_text(report, fields.get("name"), "name", "alertmanager")
            receivers.append(Receiver(name, url, _ca_bundle(report, config.get("caBundle"))))
    return tuple(receivers)


def _url(report: Report, node: yaml.Node, config: dict[str, yaml.Node]) -> str:
    if ("url" in config) is ("service" in config):
        report.at(node, "AW205", "a receiver needs either config.url or config.service")
        return ""
    if "service" in config:
        return _service_url(report, config["service"])
    url = reader.plain_text(report, config["url"], "url")
    parts = _http_parts(url)
    if parts is None:
        report.at(config["url"], "AW206", f"{url!r} is not an http or https URL")
        return ""
    if parts.username or parts.password:
        report.at(
            config["url"],
            "AW206",
            "a document must not contain a credential",
            "put it into the secret that AlertmanagerSecretArn names",
        )
        return ""
    return url.rstrip("/")


def _http_parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets around something that is not an address, a port beyond 65535
        return None
    return parts if usable else None


def _service_url(report: Report, node: yaml.Node) -> str:
    """The URL of an in-cluster service, by its DNS name. The relay must be connected to the cluster to reach it."""
    fields = reader.known_keys(report, node, "service", SERVICE_KEYS)
    name = reader.plain_text(report, fields.get("name"), "service.name")
    namespace = reader.plain_text(report, fields.get("namespace"), "service.namespace")
    if not name or not namespace:
        report.at(node, "AW205", "a service needs name and namespace")
        return ""
    port_node = fields.get("port")
    port = port_node.value if isinstance(port_node, yaml.ScalarNode) else "443"
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        report.at(port_node, "AW204", "service.port must be a number from 1 to 65535")
        return ""
    report.at(
        node,
        "AW211",
        f"the service {namespace}/{name} can be reached only from inside its cluster's network",
        "set the parameter AlertmanagerUrls, or connect the relay with RelaySubnetIds",
        severity=Severity.WARNING,
    )
    path = reader.plain_text(report, fields.get("path"), "service.path").rstrip("/")
    scheme = "https" if port == "443" else "http"
    return f"{scheme}://{name}.{namespace}.svc:{port}{path}"


def _ca_bundle(report: Report, node: yaml.Node | None) -> str | None:
    if node is None:
        return None
    encoded = reader.plain_text(report, node, "caBundle")
    try:
        bundle = base64.b64decode(encoded, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        bundle = ""
    if "-----BEGIN CERTIFICATE-----" not in bundle:
        report.at(node, "AW206", "caBundle is not a base64 encoded PEM certificate")
        return None
    return bundle
