"""``auditwire cluster silence``: after how long without a batch a cluster counts as silent."""

from typing import Annotated

import typer

from auditwire_cli.cluster.secret import silence_of
from auditwire_cli.cluster.table import checked_name, open_clusters
from auditwire_cli.errors import CommandError
from auditwire_cli.stack import (
    DEFAULT_STACK,
    EndpointUrl,
    Profile,
    Region,
    Stack,
    StackName,
    StateFile,
    in_one_sentence,
)

OFF = "off"


def cluster_silence(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The cluster.")],
    time: Annotated[str, typer.Argument(metavar="TIME|off", help="A length of time like 30m, 12h or 2d, or off.")],
    *,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Set after how long without a batch a cluster counts as silent.

    Then the alert auditwire.ClusterSilent is raised, and again every five minutes until a batch comes. It counts for
    all credentials of the cluster, and for those that a rotation will give it. Choose it well above the longest pause
    that is usual: kube-apiserver sends nothing while its policy lets nothing through. Five minutes is the shortest.

    \b
    Exit codes: 0 set, 1 it could not be, 2 the call was wrong.

    \b
    Examples:
      auditwire cluster silence prod 30m
      auditwire cluster silence staging off
    """
    checked_name(name)
    seconds = None if time == OFF else silence_of(time)
    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        clusters = open_clusters(where)
        for one in clusters.of(name):
            if not clusters.table.set_silence(one.credential, seconds):
                raise CommandError(f"a credential of {name} was revoked meanwhile", "run it again")
    print(f"{name} is not watched for silence" if seconds is None else f"{name} counts as silent after {time}")
