"""What is granted: the options that say it, and how it is said to people."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.name import check_cluster_name
from auditwire_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from auditwire_console.viewer import Grant

Clusters = Annotated[
    list[str] | None, typer.Option("--cluster", metavar="NAME", help="Of this cluster; may be repeated.")
]
AllClusters = Annotated[bool, typer.Option("--all-clusters", help="Of every cluster, also those that come later.")]
Namespaces = Annotated[
    list[str] | None, typer.Option("--namespace", metavar="NAME", help="The events of this namespace; may be repeated.")
]
Workspaces = Annotated[
    list[str] | None,
    typer.Option("--workspace", metavar="NAME", help="The events of this KubeSphere workspace; may be repeated."),
]
Everything = Annotated[bool, typer.Option("--everything", help="All events, also those without a namespace.")]
HostCluster = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The cluster that KubeSphere's API means by host.  [default: all]"),
]

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


def grant_of(
    clusters: list[str] | None,
    namespaces: list[str] | None,
    workspaces: list[str] | None,
    *,
    all_clusters: bool,
    everything: bool,
) -> "Grant":
    """What the options grant. Raises UsageError for options that exclude each other, or that grant nothing."""
    from auditwire_console.viewer import Grant

    if all_clusters == bool(clusters):
        raise UsageError("of which clusters?", "give --cluster, once for each, or --all-clusters")
    for name in clusters or ():
        if name == "*":
            raise UsageError("'*' is not a cluster name", "--all-clusters is every cluster")
        check_cluster_name(name)
    if everything == bool(namespaces or workspaces):
        raise UsageError("what of them?", "give --namespace or --workspace, once for each, or --everything")
    for option, names in (("--namespace", namespaces), ("--workspace", workspaces)):
        for name in names or ():
            if not _NAME.fullmatch(name):
                raise UsageError(f"{option} takes a name as Kubernetes has it, not {name[:80]!r}", "such as shop-test")
    return Grant(
        None if all_clusters else frozenset(clusters or ()),
        frozenset(namespaces or ()),
        frozenset(workspaces or ()),
        everything,
    )


def check_host_cluster(name: str | None, grant: "Grant") -> None:
    """Raises UsageError for a host cluster of which nothing is granted."""
    check_cluster_name(name)
    if name is not None and not grant.covers(name):
        raise UsageError(f"nothing of {name} is granted", f"add --cluster {name}, or give another --host-cluster")


def what_of(grant: "Grant") -> str:
    """What is granted of the clusters, for people."""
    if grant.everything:
        return "everything"
    named = (("namespace", grant.namespaces), ("workspace", grant.workspaces))
    parts = (f"{kind}{'s' if len(names) > 1 else ''} {_listed(names)}" for kind, names in named if names)
    return "; ".join(parts) or "nothing"


def clusters_of(grant: "Grant") -> str:
    """The clusters of a grant, for people."""
    return "all clusters" if grant.clusters is None else _listed(grant.clusters) or "no cluster"


def _listed(names: "Collection[str]") -> str:
    return ", ".join(sorted(names))
