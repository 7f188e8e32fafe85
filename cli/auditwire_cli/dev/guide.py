"""What ``auditwire dev`` says for a start: where things are, and how a real cluster sends here."""

from pathlib import Path
from typing import TYPE_CHECKING

from auditwire.senders.paths import EVENT_PATH
from auditwire_cli.send.endpoint import DEFAULT_STATE

if TYPE_CHECKING:
    from auditwire_local import LocalSystem


def banner(system: "LocalSystem", state: Path) -> str:
    """Where the endpoint, the AWS and the credentials are, and what to do at each sender. Never a credential."""
    endpoint = system.url + EVENT_PATH
    option = "" if state == DEFAULT_STATE else f" --state {state}"
    lines = [
        f"auditwire runs at {system.url}",
        "",
        f"state file      {state} (readable by you alone): outputs, AWS endpoint, credentials",
        f"in-process AWS  {system.aws_endpoint_url} in {system.region}; any AWS credentials do",
        f"an audit.log    auditwire send FILE{option}",
        *_kube_apiserver(system, endpoint, state),
        f"ks-apiserver    webhookUrl: {endpoint}/CREDENTIAL",
        "                (3.x below auditing, 4.x below auditing.webhookOptions)",
        f"                CREDENTIAL is clusters.demo-ks.credential of {state}",
        "                It listens on loopback: a cluster elsewhere needs a tunnel, such as ssh -R.",
        "",
    ]
    return "\n".join(lines)


def _kube_apiserver(system: "LocalSystem", endpoint: str, state: Path) -> list[str]:
    if system.ca_file is None:
        return ["kube-apiserver  sends no token over plain HTTP: start with --tls"]
    return [
        "kube-apiserver  --audit-webhook-config-file=KUBECONFIG, which says",
        f"                server: {endpoint}",
        f"                certificate-authority: {system.ca_file}",
        f"                token: clusters.demo.credential of {state}",
    ]


def next_steps(state: Path) -> str:
    """What to try when the sample traffic is through."""
    option = "" if state == DEFAULT_STATE else f" --state {state}"
    return (
        "The sample traffic is through. Try from another terminal:\n"
        f"  auditwire send /var/log/kubernetes/audit/audit.log{option}\n"
        "  auditwire rules eval --rules rules --events audit.log --format text\n"
        "Ctrl-C ends."
    )
