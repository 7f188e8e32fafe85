"""Rule sets to measure with: the 6 rules of KubeSphere's documents, 60 detections, and more (the 60 for each team)."""

from textwrap import indent
from typing import Final

from auditwire.rules import Source, default_rules

HEADER: Final = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata:
  name: {name}
  labels: {{type: alerting}}
spec:
  rules:
"""

# Resources and what about them is worth an alert.
SENSITIVE: Final = (
    "secrets", "configmaps", "serviceaccounts", "roles", "clusterroles", "rolebindings", "clusterrolebindings",
    "mutatingwebhookconfigurations", "validatingwebhookconfigurations", "certificatesigningrequests", "networkpolicies",
    "persistentvolumes", "nodes", "namespaces", "cronjobs", "daemonsets", "customresourcedefinitions", "ingresses",
)  # fmt: skip
POD_TESTS: Final = (
    "RequestObject.spec.hostNetwork = true",
    "RequestObject.spec.hostPID = true",
    "RequestObject.spec.hostIPC = true",
    "RequestObject.spec.containers[*].securityContext.privileged = true",
    "RequestObject.spec.containers[*].securityContext.runAsUser = 0",
    "RequestObject.spec.containers[*].ports[*].hostPort > 0",
    'RequestObject.spec.volumes[*].hostPath.path like "/var/run*"',
    'RequestObject.spec.volumes[*].hostPath.path in ("/", "/etc", "/root", "/proc", "/var/lib/kubelet")',
    'RequestObject.spec.containers[*].image like "*:latest"',
    'RequestObject.spec.containers[*].image not like "registry.example.com/*"',
    'RequestObject.spec.serviceAccountName = "default"',
    'RequestObject.spec.containers[*].securityContext.capabilities.add contains "SYS_ADMIN"',
)
USERS: Final = tuple(f"system:serviceaccount:team-{number}:deployer" for number in range(24))
SYSTEM_NAMESPACES: Final = ("kube-system", "kube-public", "kube-node-lease", *(f"platform-{n}" for n in range(20)))
AGENTS: Final = (
    "^curl/",
    "^python-requests/",
    "(?i)kube-hunter",
    "^Go-http-client/",
    "masscan|nmap",
    "^kubectl/v1\\\\.1[0-9]\\\\.",
)


def pack(size: int) -> list[Source]:
    """The documents of a rule set of 6 rules, or of a multiple of 60."""
    if size == 6:
        return [source for source in default_rules() if "/" not in source.path]
    return [_document(team) for team in ("", *(f"team-{letter}" for letter in "abcdefghijk"))[: size // 60]]


def _document(team: str) -> Source:
    name = f"detections-{team or 'all'}"
    scope = f'ObjectRef.Namespace like "{team}-*" and ' if team else ""
    rules = [_entry(f"rule-{number}", scope + condition) for number, condition in enumerate(_conditions())]
    definitions = [
        _line({"name": "writes", "type": "list", "list": "[create, update, patch, delete]"}),
        _line({"name": "reads", "type": "list", "list": "[get, list, watch]"}),
        _line({"name": "deployers", "type": "list", "list": f"[{', '.join(repr(user) for user in USERS)}]"}),
        _line({"name": "system", "type": "list", "list": f"[{', '.join(SYSTEM_NAMESPACES)}]"}),
        _line({"name": "done", "type": "macro", "macro": """'Stage = "ResponseComplete"'"""}),
        _line({"name": "human", "type": "macro", "macro": """'not (User.Username like "system:*")'"""}),
    ]
    return Source(f"{name}.yaml", HEADER.format(name=name) + indent("".join([*definitions, *rules]), "  "))


def _conditions() -> list[str]:
    """Sixty conditions of the kinds that detections are made of."""
    found = [f'${{done}} and ObjectRef.Resource = "{resource}" and Verb in ${{writes}}' for resource in SENSITIVE]
    found += [f'ObjectRef.Resource = "pods" and Verb = "create" and {test}' for test in POD_TESTS]
    found += [f'UserAgent regex "{agent}" and ${{human}}' for agent in AGENTS]
    found += [
        f'ObjectRef.Subresource = "{sub}" and User.Username not in ${{deployers}}'
        for sub in ("exec", "attach", "portforward", "ephemeralcontainers", "token", "proxy")
    ]
    found += [
        f'ResponseStatus.code = {code} and ObjectRef.Resource = "{resource}" and Verb in ${{reads}}'
        for code in (401, 403, 404)
        for resource in ("secrets", "pods", "nodes")
    ]
    found += [
        'User.Groups[*] contains "system:masters" and Verb in ${writes} and ObjectRef.Namespace not in ${system}',
        'User.Username = "system:anonymous" and ResponseStatus.code < 400',
        "ObjectRef.Namespace in ${system} and Verb in ${writes} and ${human}",
        "ImpersonatedUser.Username exists and Verb in ${writes}",
        'ObjectRef.Resource = "clusterrolebindings" and RequestObject.roleRef.name = "cluster-admin"',
        'ObjectRef.Resource in ("roles", "clusterroles") and RequestObject.rules[*].verbs contains "*"',
        'ObjectRef.Resource in ("roles", "clusterroles") and RequestObject.rules[*].resources contains "pods/exec"',
        'SourceIPs contains "203.0.113." and Verb in ${writes}',
        'RequestURI like "/api/v1/namespaces/*/pods/*/exec*" and ResponseStatus.code >= 400',
    ]
    return found[:60]


def _entry(name: str, condition: str) -> str:
    quoted = condition.replace("'", "''")
    return _line({"name": name, "type": "rule", "priority": "WARNING", "condition": f"'{quoted}'"})


def _line(fields: dict[str, str]) -> str:
    head, *rest = [f"{key}: {value}" for key, value in fields.items()]
    return f"- {head}\n" + "".join(f"  {line}\n" for line in rest)
