"""``auditwire cluster silence``: how long a cluster may send nothing before it counts as silent."""

from typing import Annotated

import typer

from auditwire_cli.cluster.clusters import open_clusters
from auditwire_cli.cluster.name import ClusterName, check_cluster_name
from auditwire_cli.cluster.secret import silence_of
from auditwire_cli.errors import CommandError
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import show

OFF = "off"


@on_stack
def cluster_silence(
    name: ClusterName,
    time: Annotated[str, typer.Argument(metavar="TIME|off", help="A length of time such as 30m, 12h or 2d, or off.")],
    *,
    where: Stack,
) -> None:
    """Set how long a cluster may be silent.

    When it has sent no batch for this long, the alert auditwire.ClusterSilent is raised, and again every five minutes
    until one comes. The time holds for all credentials of the cluster, also for those that a rotation makes. Choose it
    well above the longest usual pause: kube-apiserver sends nothing while its policy records nothing. The shortest time
    is five minutes.

    \b
    Exit codes: 0 set, 1 not set, 2 wrong usage.

    \b
    Examples:
      auditwire cluster silence prod 30m
      auditwire cluster silence staging off
    """
    check_cluster_name(name)
    seconds = None if time == OFF else silence_of(time)
    clusters = open_clusters(where)
    for one in clusters.of(name):
        if not clusters.table.set_silence(one.credential, seconds):
            raise CommandError(f"a credential of {name} was revoked meanwhile", "run the command again")
    show(f"{name} is not watched for silence" if seconds is None else f"{name} counts as silent after {time}")
