"""``auditwire policy init``: an audit policy for kube-apiserver to begin with."""

from enum import StrEnum
from typing import Annotated

import typer

from auditwire_cli.terminal.output import show, tell


class RecordedLevel(StrEnum):
    """How much of a request is recorded."""

    METADATA = "Metadata"
    REQUEST = "Request"
    REQUEST_RESPONSE = "RequestResponse"


class RecordedPatches(StrEnum):
    """What is recorded of patches."""

    RECEIVED = "received"
    METADATA = "metadata"


def policy_init(
    *,
    level: Annotated[
        RecordedLevel, typer.Option(help="How much of a request is recorded, except of reads, Secrets and noise.")
    ] = RecordedLevel.REQUEST,
    patches: Annotated[
        RecordedPatches,
        typer.Option(
            help="Of patches also their arrival, so that one whose body is YAML leaves a trace; or no bodies, for"
            " platforms on which --audit-webhook-truncate-enabled cannot be set."
        ),
    ] = RecordedPatches.RECEIVED,
) -> None:
    """Print a recommended audit policy for kube-apiserver.

    It leaves out health checks and heartbeats, records Secrets, tokens and reads without bodies, and everything else at
    the given level. The flag of kube-apiserver that belongs to it is printed on standard error.

    \b
    Exit codes: 0 printed, 2 wrong usage.

    \b
    Examples:
      auditwire policy init > audit-policy.yaml
      auditwire policy init --level RequestResponse > audit-policy.yaml
      auditwire policy init --patches metadata > audit-policy.yaml
    """
    from auditwire.events import Level
    from auditwire.policy import TRUNCATE_FLAG, Patches, recommended_policy

    show(recommended_policy(Level(level), Patches(patches)).removesuffix("\n"))
    tell(f"for kube-apiserver: --audit-policy-file=FILE and {TRUNCATE_FLAG}")
    if level is not RecordedLevel.METADATA and patches is RecordedPatches.RECEIVED:
        tell("where the second cannot be set, a patch whose body is YAML costs a whole batch: use --patches metadata")
