"""A policy for kube-apiserver to begin with: little noise, no Secrets, and no patch without a trace."""

from enum import StrEnum
from typing import Final

from auditwire.events.level import Level

LEVELS: Final = (Level.METADATA, Level.REQUEST, Level.REQUEST_RESPONSE)
"""The levels that a policy can be recommended for."""


class Patches(StrEnum):
    """What is recorded of patches. Of one whose body is YAML kube-apiserver can write no event with the body."""

    RECEIVED = "received"
    """Bodies, and also the stage RequestReceived, which is written before the body is read."""
    METADATA = "metadata"
    """No bodies. For platforms that do not let you set ``--audit-webhook-truncate-enabled``."""


TRUNCATE_FLAG: Final = "--audit-webhook-truncate-enabled=true"
"""The flag of kube-apiserver without which one event that cannot be written costs the whole batch."""

_HEAD: Final = """\
# An audit policy for kube-apiserver, written by `auditwire policy init --level {level} --patches {patches}`.
#
# Give it to kube-apiserver with --audit-policy-file, together with {flag}: without it, one
# event that is too large or cannot be written costs the whole batch.
# The first rule that matches a request decides. After a change: auditwire policy check FILE
apiVersion: audit.k8s.io/v1
kind: Policy
omitManagedFields: true
# Nothing stands here in omitStages, because that would hold for every rule.
rules:
  # Health checks.
  - level: None
    verbs: [get]
    nonResourceURLs: ["/healthz*", "/livez*", "/readyz*"]

  # Leader election and the heartbeats of nodes.
  - level: None
    users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]
    verbs: [get, update]
    resources:
      - group: coordination.k8s.io
        resources: [leases]
  - level: None
    userGroups: ["system:nodes"]
    verbs: [get, update]
    resources:
      - group: coordination.k8s.io
        resources: [leases]
"""
_WITHOUT_BODIES: Final = """
  # What kubelets report, other leases, and events: without bodies.
  - level: Metadata
    omitStages: [RequestReceived]
    userGroups: ["system:nodes"]
    resources:
      - group: ""
        resources: [nodes/status, pods/status]
  - level: Metadata
    omitStages: [RequestReceived]
    resources:
      - group: coordination.k8s.io
        resources: [leases]
      - group: ""
        resources: [events]
      - group: events.k8s.io
        resources: [events]

  # Secrets and tokens: who did what to which one, and never a body.
  - level: Metadata
    omitStages: [RequestReceived]
    resources:
      - group: ""
        resources: [secrets, serviceaccounts/token]
      - group: authentication.k8s.io
        resources: [tokenreviews]

  # Reads: their bodies would be everything there is.
  - level: Metadata
    omitStages: [RequestReceived]
    verbs: [get, list, watch]
"""
_PATCHES: Final = {
    Patches.RECEIVED: """
  # Patches, also when they come in: of one whose body is YAML kube-apiserver can write no other event than this first
  # one. auditwire alerts on it only where no later event of the request is in its batch.
  - level: {level}
    verbs: [patch]
""",
    Patches.METADATA: """
  # Patches, without bodies: with them, kube-apiserver can write no event of a patch whose body is YAML.
  - level: Metadata
    omitStages: [RequestReceived]
    verbs: [patch]
""",
}
_REST: Final = """
  # Everything else.
  - level: {level}
    omitStages: [RequestReceived]
"""


def recommended_policy(level: Level, patches: Patches) -> str:
    """The text of a policy that records bodies up to ``level``, one of ``LEVELS``, and patches as ``patches`` says.

    At Metadata nothing has a body, so patches and Secrets need no rule of their own.
    """
    parts = [_HEAD, _REST] if level is Level.METADATA else [_HEAD, _WITHOUT_BODIES, _PATCHES[patches], _REST]
    values = {"level": level, "patches": patches, "flag": TRUNCATE_FLAG}
    return "".join(parts).format(**values)
