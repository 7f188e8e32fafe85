"""``auditwire viewer add``: grant somebody a part of what the console shows."""

import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.files import write_private
from auditwire_cli.stack import Deployment, Stack, on_stack
from auditwire_cli.terminal.output import tell
from auditwire_cli.times import now_in_seconds
from auditwire_cli.viewer.grants import (
    AllClusters,
    Clusters,
    Everything,
    HostCluster,
    Namespaces,
    Workspaces,
    check_host_cluster,
    clusters_of,
    grant_of,
    what_of,
)
from auditwire_cli.viewer.viewers import viewers_of
from auditwire_cli.viewer.whom import Email, Group, Subject, Token, Whom, whom_of

if TYPE_CHECKING:
    from auditwire_console.granted import Granted
    from auditwire_console.viewers_table import Listing, ViewersTable


@on_stack
def viewer_add(
    *,
    email: Email = None,
    subject: Subject = None,
    group: Group = None,
    token: Token = None,
    cluster: Clusters = None,
    all_clusters: AllClusters = False,
    namespace: Namespaces = None,
    workspace: Workspaces = None,
    everything: Everything = False,
    host_cluster: HostCluster = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --token: write it to this file, for you alone.")
    ] = None,
    where: Stack,
) -> None:
    """Grant somebody a part of what the console of a stack shows.

    A person has all that is granted to the email, to the subject and to every group that the issuer names. What was
    granted under the same name before is replaced. It holds from the next request on.

    A token is for programs. It is printed once, alone on standard output, or written to a new file that only you can
    read. The table has only its SHA-256. A token that is there keeps its text, and only what it may see is changed.

    \b
    Exit codes: 0 granted, 1 not granted, 2 wrong usage.

    \b
    Examples:
      auditwire viewer add --email jane@example.com --cluster prod --namespace shop --namespace shop-test
      auditwire viewer add --group sre --all-clusters --everything
      auditwire viewer add --token grafana --cluster prod --workspace shop --output grafana.token
    """
    from auditwire_console.granted import Granted, Kind

    whom = whom_of(email, subject, group, token)
    grant = grant_of(cluster, namespace, workspace, all_clusters=all_clusters, everything=everything)
    check_host_cluster(host_cluster, grant)
    if output is not None and whom.kind is not Kind.TOKEN:
        raise UsageError("--output is for --token", "leave it out")
    found = where.find()
    table = viewers_of(found)
    listing = table.list()
    before = _before(listing, whom)
    row = Granted(whom.key, whom.name, grant, host_cluster or "", now_in_seconds())
    if before is not None:
        if output is not None:
            raise CommandError(
                f"{whom} has its token already, and nobody can show it again",
                f"leave --output out to change what it may see; `auditwire viewer remove --token {whom.name}` ends it",
            )
        row = replace(row, key=before.key)
        if (row.grant, row.host_cluster) == (before.grant, before.host_cluster):
            tell(f"{whom} is granted that already: {_text(before)}")
            return
        table.put(row)
        tell(f"changed {whom}\n  was {_text(before)}\n  now {_text(row)}")
    elif whom.kind is Kind.TOKEN:
        _put_with_token(table, row, output)
    else:
        table.put(row)
        tell(f"granted {whom}: {_text(row)}")
    if grant.clusters:
        _tell_unregistered(found, grant.clusters)


def _before(listing: "Listing", whom: Whom) -> "Granted | None":
    """The row of whoever is meant; None if there is none that can be read."""
    from auditwire_console.granted import Kind

    if whom.kind is not Kind.TOKEN:
        return next((one for one in listing.rows if one.key == whom.key), None)
    found = listing.of_token(whom.name)
    if len(found) > 1:
        raise CommandError(
            f"{len(found)} tokens have the name {whom.name}",
            f"`auditwire viewer remove --token {whom.name}` removes them all",
        )
    return found[0] if found else None


def _put_with_token(table: "ViewersTable", row: "Granted", file: Path | None) -> None:
    """Put a row for a new token, and hand the token over. Leaves no file where that fails."""
    from auditwire_console.granted import key_of_token

    token = secrets.token_urlsafe(32)
    if file is not None:
        write_private(file, f"{token}\n")
    try:
        table.put(replace(row, key=key_of_token(token)))
    except BaseException:
        if file is not None:
            file.unlink(missing_ok=True)
        raise
    tell(f"granted token {row.name}: {_text(row)}")
    if file is not None:
        tell(f"the token is in {file}, which only you can read, and nowhere else")
    else:
        print(token)


def _text(row: "Granted") -> str:
    host = f"; host is {row.host_cluster}" if row.host_cluster else ""
    return f"{what_of(row.grant)} of {clusters_of(row.grant)}{host}"


def _tell_unregistered(found: Deployment, clusters: frozenset[str]) -> None:
    """A name that is misspelt grants nothing, and nobody else says so. What was granted stays, whether or not the
    clusters may be read."""
    from botocore.exceptions import BotoCoreError, ClientError

    from auditwire.clusters import ClustersTable

    try:
        listing = ClustersTable(found.client("dynamodb"), found.output("ClustersTable")).list()
    except (BotoCoreError, ClientError) as error:
        tell(f"remark: whether these clusters are registered is not known: {error}")
        return
    unknown = clusters - {one.cluster.name for one in listing.registrations}
    if unknown:
        tell(f"remark: no cluster is registered as {', '.join(sorted(unknown))}")
