"""``auditwire cluster rotate``: a second credential beside the first, and later the end of the first."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.cluster.add import register
from auditwire_cli.cluster.secret import (
    CertificateFile,
    Expires,
    OutputFile,
    Show,
    checked_handover,
    end_of,
    key_of_certificate,
    say,
)
from auditwire_cli.cluster.table import (
    Clusters,
    as_table,
    checked_name,
    now_in_seconds,
    open_clusters,
    short_id,
    state_of,
)
from auditwire_cli.errors import CallError, CommandError
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

if TYPE_CHECKING:
    from auditwire.clusters import Registration


def cluster_rotate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The cluster.")],
    *,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="End every credential but the newest, instead of making one.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="With --drop-old: though the newest was never used.")] = False,
    expires: Expires = None,
    certificate: CertificateFile = None,
    output: OutputFile = None,
    show: Show = False,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Give a cluster a new credential, without a gap.

    The new one holds beside the old one, with the same sender and labels and, without --expires, for as long as the
    old one did. When the sender uses it, --drop-old ends the old one; that refuses while the new one was never used,
    since then the sender would be locked out. Both states are shown. The credential is handed over as by `cluster
    add`.

    \b
    Exit codes: 0 done, 1 it could not be, 2 the call was wrong.

    \b
    Examples:
      auditwire cluster rotate prod --output prod-2027.credential --expires 90d
      auditwire cluster rotate prod --drop-old
    """
    checked_name(name)
    where = Stack(stack, profile, region, endpoint_url, state)
    if drop_old:
        if expires or certificate or output or show:
            raise CallError("--drop-old makes no credential", "leave --expires, --certificate, --output and --show out")
        with in_one_sentence(where):
            clusters = open_clusters(where)
            _drop(clusters, clusters.of(name), force=force)
            _show_states(clusters, name)
        return
    if force:
        raise CallError("--force belongs to --drop-old")
    now = now_in_seconds()
    end = end_of(expires, now)
    file = checked_handover(name, certificate=certificate, output=output, show=show)
    key = key_of_certificate(certificate) if certificate else ""
    with in_one_sentence(where):
        clusters = open_clusters(where)
        held = clusters.of(name)
        good = [one for one in held if state_of(one, now) == "ok"]
        if len(good) > 1:
            raise CommandError(
                f"{name} has {len(good)} credentials already",
                f"end the old one first: auditwire cluster rotate {name} --drop-old",
            )
        newest = held[-1]
        # The newest by its time, even within the second of the one before.
        created = now if newest.created is None else max(now, newest.created + timedelta(seconds=1))
        if end is None and newest.expires and newest.created:
            end = now + (newest.expires - newest.created)
        made = replace(newest, credential=key, enabled=True, not_before=None, expires=end, created=created, use=None)
        register(clusters, made, file)
        _show_states(clusters, name)
    say(f"when the sender uses the new one: auditwire cluster rotate {name} --drop-old")


def _drop(clusters: Clusters, held: "list[Registration]", *, force: bool) -> None:
    *old, newest = held
    if not old:
        raise CommandError(f"{newest.cluster.name} has one credential only", "without --drop-old it gets a second one")
    if state_of(newest, now_in_seconds()) != "ok" or (newest.use is None and not force):
        what = "does not hold" if state_of(newest, now_in_seconds()) != "ok" else "was never used"
        raise CommandError(
            f"the newest credential, {short_id(newest)}, {what}: without the old one the sender would be locked out",
            "use is written within a minute or so; --force if you know better" if what == "was never used" else "",
        )
    for one in old:
        clusters.table.remove(one.credential)
        say(f"ended {short_id(one)}; ingest forgets it within a minute")


def _show_states(clusters: Clusters, name: str) -> None:
    """On standard error: standard output may hold the credential."""
    say(as_table(clusters.of(name), now_in_seconds()))
