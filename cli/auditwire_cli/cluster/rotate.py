"""``auditwire cluster rotate``: a second credential beside the first, and later the end of the first."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.clusters import Clusters, as_table, open_clusters
from auditwire_cli.cluster.name import ClusterName, check_cluster_name
from auditwire_cli.cluster.registering import register
from auditwire_cli.cluster.secret import (
    CertificateFile,
    Expires,
    OutputFile,
    Show,
    check_handover,
    key_of_certificate,
)
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import tell
from auditwire_cli.times import now_in_seconds, parse_end

if TYPE_CHECKING:
    from auditwire.clusters import Registration


@on_stack
def cluster_rotate(
    name: ClusterName,
    *,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Make no credential; end every one but the newest.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="With --drop-old: even if the newest was never used.")] = False,
    expires: Expires = None,
    certificate: CertificateFile = None,
    output: OutputFile = None,
    show: Show = False,
    where: Stack,
) -> None:
    """Give a cluster a new credential, without a gap.

    The new credential is valid beside the old one. It has the same sender and labels, and without --expires it lasts as
    long as the old one did. It is handed over in the same way as by `auditwire cluster add`. When the sender uses it,
    end the old one with --drop-old. That is refused while the new one was never used, because the sender would be
    locked out. Afterwards the credentials of the cluster are shown.

    \b
    Exit codes: 0 done, 1 not done, 2 wrong usage.

    \b
    Examples:
      auditwire cluster rotate prod --output prod-2027.credential --expires 90d
      auditwire cluster rotate prod --drop-old
    """
    from auditwire.clusters.listed import state_of

    check_cluster_name(name)
    if drop_old:
        if expires or certificate or output or show:
            raise UsageError(
                "--drop-old makes no credential", "leave --expires, --certificate, --output and --show out"
            )
        clusters = open_clusters(where)
        _drop(clusters, clusters.of(name), force=force)
        _tell_states(clusters, name)
        return
    if force:
        raise UsageError("--force is for --drop-old", "add --drop-old, or leave --force out")
    now = now_in_seconds()
    end = parse_end(expires, now) if expires else None
    file = check_handover(name, certificate=certificate, output=output, show=show)
    key = key_of_certificate(certificate) if certificate else ""
    clusters = open_clusters(where)
    held = clusters.of(name)
    good = [one for one in held if state_of(one, now) == "ok"]
    if len(good) > 1:
        raise CommandError(
            f"{name} has {len(good)} credentials already",
            f"end the old one first: `auditwire cluster rotate {name} --drop-old`",
        )
    newest = held[-1]
    # It must be the newest by its time, even within the second of the one before.
    created = now if newest.created is None else max(now, newest.created + timedelta(seconds=1))
    if end is None and newest.expires and newest.created:
        end = now + (newest.expires - newest.created)
    made = replace(newest, credential=key, enabled=True, not_before=None, expires=end, created=created, use=None)
    register(clusters, made, file)
    _tell_states(clusters, name)
    tell(where.completed(f"next, when the sender uses the new one: `auditwire cluster rotate {name} --drop-old`"))


def _drop(clusters: Clusters, held: "list[Registration]", *, force: bool) -> None:
    from auditwire.clusters.listed import short_id, state_of

    *old, newest = held
    if not old:
        raise CommandError(
            f"{newest.cluster.name} has only one credential",
            f"`auditwire cluster rotate {newest.cluster.name}` makes a second one",
        )
    if (state := state_of(newest, now_in_seconds())) != "ok":
        raise CommandError(
            f"the newest credential, {short_id(newest)}, is not valid ({state}): "
            "without the old one the sender would be locked out"
        )
    if newest.use is None and not force:
        raise CommandError(
            f"the newest credential, {short_id(newest)}, was never used: "
            "without the old one the sender would be locked out",
            "a use is recorded within about a minute; --force if you know better",
        )
    for one in old:
        clusters.table.revoke(one.credential, now_in_seconds())
        tell(f"ended {short_id(one)}; ingest takes up to a minute to notice")


def _tell_states(clusters: Clusters, name: str) -> None:
    """On standard error: standard output may have the credential."""
    tell(as_table(clusters.of(name), now_in_seconds()))
