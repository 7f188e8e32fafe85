"""The audit webhook file of kube-apiserver, and the flags that go with it.

The numbers come from what lies behind the endpoint: Lambda takes 6 MB, in which the body stands as a JSON text, and
escaping may double it; so a batch stays below 3,000,000 bytes. kube-apiserver's own --audit-webhook-truncate-max-
batch-size does not limit a batch (events are cut before batches are made), so the product of the two flags must.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from auditwire.senders.paths import EVENT_PATH

FOLDER = "/etc/kubernetes/audit"
MAX_BATCH_BYTES = 3_000_000
MAX_EVENT_BYTES = MAX_BATCH_BYTES
_BATCH_EVENTS = 25
_EVENTS_PER_SECOND = 1_000
_MAX_BATCHES_PER_SECOND = 100


@dataclass(frozen=True, slots=True)
class Login:
    """How kube-apiserver proves who it is: a credential in the file, one in a file of its own, or, with neither, a
    client certificate."""

    credential: str | None = field(repr=False)
    token_file: str | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """What the file says. ``url`` is the endpoint without path, ``ca_file`` its authority if not a public one."""

    cluster: str
    url: str
    ca_file: Path | None
    login: Login

    @property
    def path(self) -> str:
        """Where the file lies at kube-apiserver."""
        return f"{FOLDER}/{self.cluster}.kubeconfig"

    def text(self, max_event_size: int) -> str:
        """The whole file; its head says what to do with it."""
        head = [
            f"Audit webhook of the cluster {self.cluster}, for kube-apiserver.",
            "",
            f"1. Put this file to {self.path} on every control plane node, mode 0600.",
            *(f"   {line}" for line in self._beside()),
            "2. Mount that folder into kube-apiserver where it runs as a pod.",
            "3. Give kube-apiserver these flags; it reads this file and them at its start only:",
            "",
            *self.flags(max_event_size),
            "",
            "Never --audit-webhook-mode=blocking or blocking-strict: every API request would wait for this endpoint.",
        ]
        return "\n".join([*(f"# {line}".rstrip() for line in head), *self._kubeconfig()]) + "\n"

    def flags(self, max_event_size: int) -> list[str]:
        """The flags in columns, each with its reason."""
        events = max(1, min(_BATCH_EVENTS, MAX_BATCH_BYTES // max_event_size))
        batches = min(_MAX_BATCHES_PER_SECOND, ceil(_EVENTS_PER_SECOND / events))
        flags = [
            (f"--audit-policy-file={FOLDER}/policy.yaml", "without a policy nothing is sent at all"),
            (f"--audit-webhook-config-file={self.path}", "this file"),
            ("--audit-webhook-mode=batch", "no API request waits for the endpoint"),
            (
                f"--audit-webhook-batch-max-size={events}",
                f"x {max_event_size:,} bytes stays below {MAX_BATCH_BYTES:,}, all that Lambda takes safely",
            ),
            ("--audit-webhook-truncate-enabled=true", "off by default; then one event alone may be too large"),
            (f"--audit-webhook-truncate-max-event-size={max_event_size}", "larger ones lose their bodies, and say so"),
            ("--audit-webhook-batch-max-wait=5s", "an alert is at most so late; the default is 30s"),
            (
                f"--audit-webhook-batch-throttle-qps={batches}",
                f"x {events} = {batches * events:,} events a second; the default is 10 batches",
            ),
            (f"--audit-webhook-batch-throttle-burst={batches * 3 // 2}", "for what piled up meanwhile"),
            ("--audit-webhook-batch-buffer-size=20000", "about 20 s of peak; what does not fit is dropped"),
            ("--audit-webhook-initial-backoff=10s", "five tries in about 90 s; then the batch is dropped, so"),
            ("--audit-log-path=/var/log/kubernetes/audit/audit.log", "keep a second copy: `auditwire send` takes it"),
        ]
        width = max(len(flag) for flag, _ in flags)
        return [f"  {flag.ljust(width)}  # {reason}" for flag, reason in flags]

    def _beside(self) -> list[str]:
        if self.login.credential:
            return ["It holds the credential: keep it private. Another credential needs a restart."]
        if self.login.token_file:
            return [
                f"Put the credential to {self.login.token_file}, mode 0600. It is read again about every minute:",
                "a rotation replaces that file and needs no restart.",
            ]
        return [f"Put the client certificate and its key to {FOLDER}/{self.cluster}.crt and .key, mode 0600."]

    def _kubeconfig(self) -> list[str]:
        # Names and paths are checked or made here and a credential has no character that YAML knows: no quoting.
        cluster = [f"      server: {self.url}{EVENT_PATH}"]
        if self.ca_file:
            cluster.append(f"      certificate-authority-data: {b64encode(self.ca_file.read_bytes()).decode()}")
        if self.login.credential:
            user = [f'      token: "{self.login.credential}"']
        elif self.login.token_file:
            user = [f"      tokenFile: {self.login.token_file}"]
        else:
            user = [
                f"      client-certificate: {FOLDER}/{self.cluster}.crt",
                f"      client-key: {FOLDER}/{self.cluster}.key",
            ]
        return [
            "apiVersion: v1",
            "kind: Config",
            "clusters:",
            "  - name: auditwire",
            "    cluster:",
            *cluster,
            "users:",
            f"  - name: {self.cluster}",
            "    user:",
            *user,
            "contexts:",
            "  - name: auditwire",
            f"    context: {{cluster: auditwire, user: {self.cluster}}}",
            "current-context: auditwire",
        ]
