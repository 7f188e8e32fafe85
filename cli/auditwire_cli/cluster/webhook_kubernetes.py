"""The audit webhook file of kube-apiserver, and the flags that belong to it.

The numbers follow from what is behind the endpoint. Lambda takes 6 MB a request, the body is a JSON string in it, and
escaping can double its size; so a batch must stay below 3,000,000 bytes. kube-apiserver's own flag
--audit-webhook-truncate-max-batch-size does not limit a batch, because events are cut before batches are made. So the
largest event times the largest number of events must stay below that limit.
"""

from base64 import b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from pathlib import Path

from auditwire.senders.paths import EVENT_PATH

FOLDER = "/etc/kubernetes/audit"
MAX_BATCH_BYTES = 3_000_000
MAX_EVENT_BYTES = MAX_BATCH_BYTES

_EVENTS_PER_SECOND = 1_000
_MAX_BATCHES_PER_SECOND = 100


class AuditLevel(StrEnum):
    """How much the audit policy of the API server records at most."""

    METADATA = "metadata"
    REQUEST = "request"


_EVENTS_A_BATCH = {AuditLevel.METADATA: 400, AuditLevel.REQUEST: 25}
# Events of the level Metadata have a kB or two. One that is longer has no bodies to lose, so it is dropped.
_EVENT_BYTES = {AuditLevel.METADATA: 7_500, AuditLevel.REQUEST: 102_400}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a batch becomes: the most events, and the most bytes of an event."""

    events: int
    event_bytes: int
    level: AuditLevel

    @classmethod
    def of(cls, level: AuditLevel, event_bytes: int | None = None) -> "Sizes":
        """The right pair for a level; of larger events fewer go into a batch."""
        size = event_bytes or _EVENT_BYTES[level]
        return cls(max(1, min(_EVENTS_A_BATCH[level], MAX_BATCH_BYTES // size)), size, level)


@dataclass(frozen=True, slots=True)
class Login:
    """How kube-apiserver proves who it is: by a credential in this file, by one in a file of its own, or, where
    neither is given, by a client certificate."""

    credential: str | None = field(repr=False)
    token_file: str | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """What the file says. ``url`` is the endpoint without path, ``ca_file`` its certificate authority, None for a
    public one."""

    cluster: str
    url: str
    ca_file: Path | None
    login: Login

    @property
    def path(self) -> str:
        """Where kube-apiserver finds the file."""
        return f"{FOLDER}/{self.cluster}.kubeconfig"

    def text(self, sizes: Sizes) -> str:
        """The whole file; its first lines say what to do with it."""
        head = [
            f"Audit webhook of the cluster {self.cluster}, for kube-apiserver.",
            "",
            f"1. Copy this file to {self.path} on every control plane node, with mode 0600.",
            *(f"   {line}" for line in self._beside()),
            "2. If kube-apiserver runs as a pod, mount that folder into it.",
            "3. Start kube-apiserver with these flags. It reads them and this file only at its start:",
            "",
            *self.flags(sizes),
            "",
            "Never use --audit-webhook-mode=blocking or blocking-strict: API requests would wait for this endpoint.",
        ]
        return "\n".join([*(f"# {line}".rstrip() for line in head), *self._kubeconfig()]) + "\n"

    def flags(self, sizes: Sizes) -> list[str]:
        """The flags, each with its reason, in two columns."""
        events = sizes.events
        batches = min(_MAX_BATCHES_PER_SECOND, ceil(_EVENTS_PER_SECOND / events))
        flags = [
            (
                f"--audit-policy-file={FOLDER}/policy.yaml",
                "`auditwire policy init` writes one; without, nothing is sent",
            ),
            (f"--audit-webhook-config-file={self.path}", "this file"),
            ("--audit-webhook-mode=batch", "no API request waits for the endpoint"),
            (
                f"--audit-webhook-batch-max-size={events}",
                f"x {sizes.event_bytes:,} bytes stays below {MAX_BATCH_BYTES:,}, which Lambda can always take",
            ),
            ("--audit-webhook-truncate-enabled=true", "off by default, and then one event can cost the batch"),
            (
                f"--audit-webhook-truncate-max-event-size={sizes.event_bytes}",
                "larger events lose their bodies"
                if sizes.level is AuditLevel.REQUEST
                else "longer events are dropped; --max-event-size takes longer ones, in smaller batches",
            ),
            ("--audit-webhook-batch-max-wait=5s", "delays an alert by this much at most; the default is 30s"),
            (
                f"--audit-webhook-batch-throttle-qps={batches}",
                f"x {events} = {batches * events:,} events a second; the default is 10 batches",
            ),
            (f"--audit-webhook-batch-throttle-burst={batches * 3 // 2}", "for batches that had to wait"),
            ("--audit-webhook-batch-buffer-size=20000", "about 20 s of peak load; what does not fit is dropped"),
            ("--audit-webhook-initial-backoff=10s", "five attempts within about 90 s; then the batch is dropped, so"),
            (
                "--audit-log-path=/var/log/kubernetes/audit/audit.log",
                "keep a second copy for `auditwire send`",
            ),
        ]
        width = max(len(flag) for flag, _ in flags)
        return [f"  {flag.ljust(width)}  # {reason}" for flag, reason in flags]

    def _beside(self) -> list[str]:
        if self.login.credential:
            return ["It has the credential: keep it private. A new credential needs a restart."]
        if self.login.token_file:
            return [
                f"Copy the credential to {self.login.token_file}, with mode 0600. That file is read again about",
                "every minute, so a rotation only replaces it and needs no restart.",
            ]
        return [f"Copy the client certificate and its key to {FOLDER}/{self.cluster}.crt and .key, with mode 0600."]

    def _kubeconfig(self) -> list[str]:
        # Names are checked, and a credential has no character with a meaning in YAML, so nothing needs quotes.
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
