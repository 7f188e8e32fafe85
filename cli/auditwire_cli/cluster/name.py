"""Names of clusters as commands take them."""

from typing import Annotated

import typer

from auditwire_cli.errors import UsageError

ClusterName = Annotated[str, typer.Argument(metavar="NAME", help="The name of the cluster.")]
OnlyCluster = Annotated[str | None, typer.Option("--cluster", metavar="NAME", help="Only this cluster.")]


def check_cluster_name(name: str | None) -> None:
    """Raises UsageError for a name that no cluster can have; None stands for no name."""
    from auditwire.clusters.cluster import is_cluster_name

    if name is not None and not is_cluster_name(name):
        raise UsageError(f"{name[:80]!r} is not a cluster name", "1 to 63 of a-z, 0-9 and '-', such as prod-eu-1")
