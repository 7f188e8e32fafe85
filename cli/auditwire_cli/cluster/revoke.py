"""``auditwire cluster revoke``: end the credentials of a cluster."""

from typing import Annotated

import typer

from auditwire_cli.cluster.clusters import open_clusters
from auditwire_cli.cluster.name import ClusterName, check_cluster_name
from auditwire_cli.errors import CommandError
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import confirm, counted, show
from auditwire_cli.times import now_in_seconds


@on_stack
def cluster_revoke(
    name: ClusterName,
    *,
    credential: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only this one, as `auditwire cluster list` names it.  [default: all]"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    where: Stack,
) -> None:
    """End the credentials of a cluster. Within a minute, whoever sends with one of them is answered 401. The log group
    of an EKS cluster is no longer delivered.

    Stored events stay. kube-apiserver tries a batch five times within 90 seconds and then drops it; ks-apiserver
    drops it at once. So remove the webhook at the sender too.

    \b
    Exit codes: 0 revoked, 1 not revoked, 2 wrong usage.

    \b
    Examples:
      auditwire cluster revoke old-staging
      auditwire cluster revoke prod --credential 1a2b3c4d --yes
    """
    from auditwire.clusters import log_group_of
    from auditwire.clusters.listed import short_id
    from auditwire_cli.cluster.sources.subscription import unsubscribe

    check_cluster_name(name)
    clusters = open_clusters(where)
    held = clusters.of(name)
    chosen = [one for one in held if credential is None or short_id(one) == credential]
    if not chosen:
        raise CommandError(
            f"{name} has no credential {credential}", f"it has: {', '.join(short_id(one) for one in held)}"
        )
    what = f"{counted(len(chosen), 'credential')} of {name}"
    confirm(f"Revoke {what}?", yes=yes)
    for one in chosen:
        group = log_group_of(one.credential)
        if group:
            unsubscribe(clusters.deployment, group)
        clusters.table.revoke(one.credential, now_in_seconds())
    show(f"revoked {what}: {', '.join(short_id(one) for one in chosen)}; ingest takes up to a minute to notice")
