"""Only what writes audit events is a witness; what another program printed is counted and no more, whatever it says."""

import json

import pytest

import envelopes as made
from audit_events import item, text_of
from auditwire.events import decode

EVENT = text_of(item(auditID="one")).decode()

ID = "ab" * 32
OWN = {
    "no source": {},
    "container": made.kubernetes("kube-apiserver"),
    "OpenShift": made.kubernetes("openshift-apiserver", namespace="openshift-apiserver"),
    "oauth": made.kubernetes("oauth-openshift", namespace="openshift-authentication"),
    "KubeSphere": made.kubernetes("ks-apiserver", pod="ks-apiserver-7d4-x", namespace="kubesphere-system"),
    "Filebeat": {"kubernetes": {"container": {"name": "kube-apiserver"}, "pod": {"name": "kube-apiserver-cp-1"},
                                "namespace": "kube-system"}, "log": {"file": {"path":
                                "/var/log/kube-apiserver/audit.log"}}},
    "audit log": {"filename": "/var/log/kubernetes/audit/audit.log"},
    "rotated audit log": {"file": "/var/log/kubernetes/kube-apiserver-audit-2026-11-21T22-05-00.000.log"},
    "its folder": {"path": "/var/log/kube-apiserver/current.log"},
    "container's file": {"filename": f"/var/log/containers/kube-apiserver-cp-1_kube-system_kube-apiserver-{ID}.log"},
    "pod's file": {"filename": "/var/log/pods/kube-system_kube-apiserver-cp-1_0a-1b/kube-apiserver/0.log"},
    "tag": {"tag": f"kube.var.log.containers.kube-apiserver-cp-1_kube-system_kube-apiserver-{ID}.log"},
    "a tag that says nothing": {"tag": "audit.prod"},
    "Docker's name": {"container_name": "/k8s_kube-apiserver_kube-apiserver-cp-1_kube-system_0a1b_3"},
    "syslog": {"PROGRAM": "kube-apiserver"},
    "syslog, an audit log": {"programname": "k8s-audit"},
}  # fmt: skip
OTHERS = {
    "container": made.kubernetes("nginx"),
    "another's container of that name": made.kubernetes("kube-apiserver", namespace="shop"),
    "another container of the pod": made.kubernetes("sidecar", pod="kube-apiserver-cp-1"),
    "a pod that begins so": made.kubernetes("kube-apiserver", pod="kube-apiservers-1"),
    "Filebeat": {"kubernetes": {"container": {"name": "web"}}},
    "pod": {"kubernetes": {"pod_name": "web-1"}},
    "file": {"filename": "/var/log/nginx/access.log"},
    "container's file": {"filename": f"/var/log/containers/audit-1_shop_audit-{ID}.log"},
    "another namespace's file": {"filename": f"/var/log/containers/kube-apiserver-1_shop_kube-apiserver-{ID}.log"},
    "pod's file": {"filename": "/var/log/pods/shop_audit_0a-1b/audit/0.log"},
    "Docker's file": {"filename": f"/var/lib/docker/containers/{ID}/{ID}-json.log"},
    "tag": {"tag": f"kube.var.log.containers.audit-1_shop_audit-{ID}.log"},
    "Docker's name": {"container_name": "/k8s_web_web-1_shop_0a1b_3"},
    "syslog": {"PROGRAM": "sshd"},
    "journald": {"SYSLOG_IDENTIFIER": "kubelet"},
    "one of two": {**made.kubernetes("web"), "filename": "/var/log/kubernetes/audit/audit.log"},
}


@pytest.mark.parametrize("name", OWN)
def test_an_api_server_and_its_audit_log_are_believed(name: str) -> None:
    assert [event.auditID for event in decode(json.dumps({"message": EVENT, **OWN[name]}).encode()).events] == ["one"]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("value", [EVENT, json.loads(EVENT), made.cri(EVENT)], ids=["text", "object", "containerd"])
def test_another_source_is_not(name: str, value: object) -> None:
    decoded = decode(json.dumps({"message": value, **OTHERS[name]}).encode())

    assert (decoded.events, decoded.rejects, dict(decoded.skipped)) == ([], [], {"forged_source": 1})


def test_what_another_source_says_and_does_not_look_like_an_event_is_just_another_component() -> None:
    decoded = decode(json.dumps({"message": "GET / 200", **OTHERS["container"]}).encode())

    assert dict(decoded.skipped) == {"other_component": 1}


@pytest.mark.parametrize(
    "body",
    [
        made.otlp([EVENT], k8s_container_name="nginx"), made.otlp([EVENT], k8s_pod_name="web-1"), made.otlp([EVENT],
        log_file_path="/var/log/pods/shop_web_0a-1b/web/0.log"), made.loki([EVENT], container="nginx",
        namespace="shop"), made.loki([EVENT], filename="/var/log/nginx/access.log"), made.splunk(EVENT,
        source="/var/log/containers/web_shop_web.log"), made.splunk(EVENT, sourcetype="kube:container:nginx"),
        made.cloudwatch([EVENT], stream="kube-apiserver-0123"), made.cloudwatch([EVENT],
        group="/aws/containerinsights/prod/application",
        stream="cp-1-application.var.log.containers.audit-1_shop_audit.log"), made.azure(EVENT + "\n", pod="web-1"),
    ],
)  # fmt: skip
def test_the_sources_of_envelopes_count_too(body: object) -> None:
    decoded = decode(json.dumps(body).encode())

    assert (decoded.events, decoded.rejects, dict(decoded.skipped)) == ([], [], {"forged_source": 1})


def test_a_source_counts_for_all_that_is_in_it() -> None:
    inner = json.dumps(made.cloudwatch([EVENT]))
    decoded = decode(json.dumps({"log": inner, **OTHERS["container"]}).encode())

    assert (decoded.events, dict(decoded.skipped)) == ([], {"forged_source": 1})
