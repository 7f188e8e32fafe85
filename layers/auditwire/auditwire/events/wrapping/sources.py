"""Who may be a witness: only what Kubernetes' own API servers and their audit logs say counts as an audit event.

A shipper that collects everything also collects what any pod prints, and a pod can print what looks like an audit
event. So where what wraps a line names its source, that source must be one that writes audit events.
"""

import re
from collections.abc import Mapping

from auditwire.events.casing import Fields
from auditwire.events.wrapping.values import object_in, text_in, texts_in

_COMPONENTS = (
    "kube-apiserver",
    "openshift-apiserver",
    "openshift-oauth-apiserver",
    "oauth-apiserver",
    "oauth-openshift",
    "oauth-server",
    "ks-apiserver",
)
_NAME = re.compile(rf"(?:{'|'.join(_COMPONENTS)})(?:[-.@:_][A-Za-z0-9._@:-]*)?")
_CONTAINER = re.compile(rf"(?:{'|'.join(_COMPONENTS)})(?:-audit(?:-logs?)?)?")
# The namespaces of those who run the cluster. Somebody else may call a container of his own kube-apiserver.
_NAMESPACE = re.compile(r"kube-system|openshift-[a-z0-9-]+|kubesphere-system")
# What the node's kubelet and container runtimes name the files of a container.
_CONTAINER_FILE = re.compile(
    r"(?:^|[./])containers[./](?P<pod>[a-z0-9.-]+)_(?P<namespace>[a-z0-9-]+)_(?P<container>[a-z0-9.-]+?)-[0-9a-f]{64}\.log"
    r"|(?:^|[./])pods[./](?P<namespace2>[a-z0-9-]+)_(?P<pod2>[a-z0-9.-]+)_[0-9a-f-]+[./](?P<container2>[a-z0-9-]+)[./]"
)
_OF_CONTAINERS = re.compile(r"(?:^|[./])(?:containers|pods)[./]|-json\.log$")
_DOCKER_NAME = re.compile(r"/?k8s_(?P<container>[a-z0-9-]+)_(?P<pod>[a-z0-9.-]+)_(?P<namespace>[a-z0-9-]+)_.*")
_AUDIT = re.compile(r"(?:^|[^a-z])audit(?:[^a-z]|$)", re.IGNORECASE)


def is_other(fields: Fields) -> bool:
    """Whether a wrapped line names its source, and that is none that writes audit events.

    Fields are those that fluent-bit, Fluentd, Vector, Filebeat, Logstash, syslog daemons, journald, GELF and Splunk
    senders give a line. Where several are named each of them must be right.
    """
    kubernetes = object_in(fields, "kubernetes") or {}
    container_of = object_in(kubernetes, "container") or {}
    pod_of = object_in(kubernetes, "pod") or {}
    log = object_in(fields, "log") or {}
    container = (
        text_in(kubernetes, "container_name")
        or text_in(container_of, "name")
        or text_in(object_in(fields, "container") or {}, "name")
        or text_in(fields, "container_name", "kubernetes_container_name", "_container_name", "_k8s_container_name")
    )
    pod = (
        text_in(kubernetes, "pod_name")
        or text_in(pod_of, "name")
        or text_in(fields, "pod_name", "kubernetes_pod_name", "_pod_name", "_k8s_pod_name", "pod")
    )
    namespace = text_in(kubernetes, "namespace_name", "pod_namespace", "namespace") or text_in(
        fields, "namespace_name", "kubernetes_namespace_name", "_namespace_name", "_k8s_namespace_name"
    )
    path = text_in(object_in(log, "file") or {}, "path", "name") or text_in(
        fields, "filename", "file", "file_path", "filepath", "file_name", "path", "log_path", "_file"
    )
    tag = text_in(fields, "tag") or ""
    program = text_in(
        fields, "PROGRAM", "programname", "program", "appname", "app_name", "APP-NAME", "ident", "SYSLOG_IDENTIFIER",
        "syslog_identifier", "_application_name",
    ) or text_in(object_in(fields, "process") or {}, "name")  # fmt: skip
    return (
        names_other_pod(container or "", pod or "", namespace or "")
        or names_other_path(path or "")
        or (bool(_OF_CONTAINERS.search(tag)) and names_other_path(tag))
        or names_other_program(program or "")
    )


def names_other_pod(container: str, pod: str, namespace: str) -> bool:
    """Whether a container, a pod or a namespace is named (empty: it is not) that has no API server in it."""
    if docker := _DOCKER_NAME.fullmatch(container):
        container, pod, namespace = docker["container"], pod or docker["pod"], namespace or docker["namespace"]
    if not (container or pod):
        return False
    return bool(
        (container and not _CONTAINER.fullmatch(container))
        or (pod and not _NAME.fullmatch(pod))
        or (namespace and not _NAMESPACE.fullmatch(namespace))
    )


def names_other_path(path: str) -> bool:
    """Whether a file is named that is neither an audit log nor the log of an API server's container."""
    if "/" not in path and not path.endswith(".log") and not _OF_CONTAINERS.search(path):
        return False
    if found := _CONTAINER_FILE.search(path):
        return names_other_pod(
            found["container"] or found["container2"],
            found["pod"] or found["pod2"],
            found["namespace"] or found["namespace2"],
        )
    if _OF_CONTAINERS.search(path):
        return True
    return not any(_AUDIT.search(part) or _NAME.fullmatch(part) for part in path.split("/"))


def names_other_program(program: str) -> bool:
    """Whether a program is named, as syslog has it, that is no API server and no reader of an audit log."""
    return bool(program) and not (_NAME.fullmatch(program) or _AUDIT.search(program))


def labels_name_other(labels: Mapping[str, str]) -> bool:
    """Whether labels of Loki or attributes of OpenTelemetry name a source that writes no audit events."""
    container = labels.get("k8s.container.name") or labels.get("container") or labels.get("container_name") or ""
    pod = labels.get("k8s.pod.name") or labels.get("pod") or labels.get("pod_name") or ""
    namespace = labels.get("k8s.namespace.name") or labels.get("namespace") or labels.get("namespace_name") or ""
    path = labels.get("log.file.path") or labels.get("log.file.name") or labels.get("filename") or ""
    program = labels.get("syslog_identifier") or labels.get("syslog.appname") or labels.get("appname") or ""
    return names_other_pod(container, pod, namespace) or names_other_path(path) or names_other_program(program)


def stream_names_other(group: str, stream: str) -> bool:
    """Whether a log stream of CloudWatch Logs is none with audit events. Those of EKS have one kind of name each."""
    if group.startswith("/aws/eks/"):
        return not stream.startswith("kube-apiserver-audit-")
    if not stream or _NAME.fullmatch(stream):
        return False
    # Elsewhere the administrator names group and stream, often after the file.
    return names_other_path(f"{group}/{stream}".replace("var.log.", "var/log/"))


def looks_like_event(text: bytes | memoryview) -> bool:
    """Whether a text says of itself that it is an audit event. It need not be one."""
    return b"auditid" in bytes(text).lower()


def splunk_names_other(fields: Fields) -> bool:
    """Whether an event of Splunk's collector names another source: its ``source`` is a path or a container's,
    its ``sourcetype`` may name the container."""
    kind = text_in(fields, "sourcetype") or ""
    container = kind.removeprefix("kube:container:") if kind.startswith("kube:container:") else ""
    source = text_in(fields, "source") or ""
    is_path = "/" in source or source.endswith(".log")
    labels = texts_in(fields, "fields")
    return (
        names_other_pod(container, "", "") or names_other_path(source if is_path else "") or labels_name_other(labels)
    )
