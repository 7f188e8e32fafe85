"""``auditwire cluster revoke``: the end of a cluster's credentials."""

import sys
from typing import Annotated

import typer

from auditwire_cli.cluster.table import checked_name, open_clusters, short_id
from auditwire_cli.errors import CallError, CommandError
from auditwire_cli.output import counted
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


def cluster_revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The cluster.")],
    *,
    credential: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this one, as `cluster list` names it.  [default: all]")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """End the credentials of a cluster; within a minute whoever presents one is answered 401.

    Events that are stored stay. kube-apiserver tries a batch five times, in a minute and a half, and drops it then;
    ks-apiserver drops it at once: end the sender's webhook too.

    \b
    Exit codes: 0 revoked, 1 it could not be, 2 the call was wrong.

    \b
    Examples:
      auditwire cluster revoke old-staging
      auditwire cluster revoke prod --credential 1a2b3c4d --yes
    """
    checked_name(name)
    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        clusters = open_clusters(where)
        held = clusters.of(name)
        chosen = [one for one in held if credential is None or short_id(one) == credential]
        if not chosen:
            raise CommandError(
                f"{name} has no credential {credential}", f"it has: {', '.join(short_id(one) for one in held)}"
            )
        what = f"{counted(len(chosen), 'credential', 'credentials')} of {name}"
        if not yes:
            if not sys.stdin.isatty():
                raise CallError(f"nobody is there to ask about {what}", "give --yes")
            typer.confirm(f"Revoke {what}?", abort=True)
        for one in chosen:
            clusters.table.remove(one.credential)
    print(f"revoked {what}: {', '.join(short_id(one) for one in chosen)}; ingest forgets within a minute")
