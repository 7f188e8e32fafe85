"""What ``auditwire dev`` says at its start: where things are, and how a real cluster can send here."""

from pathlib import Path
from typing import TYPE_CHECKING

from auditwire.senders.paths import EVENT_PATH
from auditwire_cli.stack import DEFAULT_STATE

if TYPE_CHECKING:
    from auditwire_local import LocalSystem


def banner(system: "LocalSystem", state: Path) -> str:
    """Where the endpoint, the AWS and the credentials are, and how each sender is configured. Never a credential."""
    endpoint = system.url + EVENT_PATH
    option = "" if state == DEFAULT_STATE else f" --state {state}"
    lines = [
        f"auditwire is running at {system.url}",
        "",
        f"state file      {state} (only you can read it): outputs, AWS endpoint, credentials",
        f"in-process AWS  {system.aws_endpoint_url} in {system.region}; it accepts any AWS credentials",
        "archive         in memory: it ends with this process; credentials are kept for the next run",
        f"an audit.log    auditwire send FILE{option}",
        *_console(system, option),
        *_kube_apiserver(system, endpoint, state),
        f"ks-apiserver    webhookUrl: {endpoint}/CREDENTIAL",
        "                (in 3.x under auditing, in 4.x under auditing.webhookOptions)",
        f"                CREDENTIAL is clusters.demo-ks.credential in {state}",
        "                Only this machine can connect: a cluster elsewhere needs a tunnel, such as ssh -R.",
        "",
    ]
    return "\n".join(lines)


def _console(system: "LocalSystem", option: str) -> list[str]:
    if system.console_url is None:
        return []
    return [
        f"console         {system.console_url}",
        f"                redirect URI for its issuer: {system.console_url}/callback",
        f"                certificate authority for the browser: {system.console_ca_file}",
        f"                auditwire viewer add --email NAME --all-clusters --everything{option}",
    ]


def _kube_apiserver(system: "LocalSystem", endpoint: str, state: Path) -> list[str]:
    if system.ca_file is None:
        return ["kube-apiserver  sends no token over plain HTTP: start with --tls for it"]
    return [
        "kube-apiserver  --audit-webhook-config-file=KUBECONFIG, in which there is",
        f"                server: {endpoint}",
        f"                certificate-authority: {system.ca_file}",
        f"                token: clusters.demo.credential in {state}",
    ]


def next_steps(state: Path) -> str:
    """What to try after the sample traffic."""
    option = "" if state == DEFAULT_STATE else f" --state {state}"
    return (
        "The sample traffic has been sent. Try this in another terminal:\n"
        f"  auditwire send /var/log/kubernetes/audit/audit.log{option}\n"
        "  auditwire rules eval --rules rules --events audit.log --format text\n"
        "Ctrl-C ends."
    )
