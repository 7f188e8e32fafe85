"""``auditwire cluster add``: register a cluster and hand over its credential once."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.cluster.clusters import Clusters, open_clusters, short_id
from auditwire_cli.cluster.name import ClusterName, check_cluster_name
from auditwire_cli.cluster.secret import (
    CertificateFile,
    Expires,
    Labels,
    OutputFile,
    Show,
    check_handover,
    key_of_certificate,
    labels_of,
    new_credential,
    silence_of,
)
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.files import write_private
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import tell
from auditwire_cli.times import now_in_seconds, parse_end, to_the_minute

if TYPE_CHECKING:
    from auditwire.clusters import Registration


@on_stack
def cluster_add(
    name: ClusterName,
    *,
    sender: Annotated[SenderKind, typer.Option(help="Which program sends with this credential.")] = SenderKind.ANY,
    label: Labels = None,
    expires: Expires = None,
    silence: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Alert after this long without a batch, such as 30m.  [default: never]"),
    ] = None,
    certificate: CertificateFile = None,
    output: OutputFile = None,
    show: Show = False,
    where: Stack,
) -> None:
    """Register a cluster and make its credential.

    The credential is written to a new file that only you can read. With --show it is printed instead, alone on
    standard output, so that you can pipe it into a secret store. It is stored nowhere else: the table has only its
    SHA-256, and no log contains it. With --certificate a client certificate is the credential; this needs a stack
    with a mutual-TLS domain.

    A name is 1 to 63 of a-z, 0-9 and '-'.

    \b
    Exit codes: 0 registered, 1 not registered, for example because the cluster exists, 2 wrong usage.

    \b
    Examples:
      auditwire cluster add prod --sender kubernetes --label team=platform --expires 90d
      auditwire cluster add prod-ks --sender kubesphere --output prod-ks.credential --profile prod
      auditwire cluster add edge --certificate edge.pem --state .auditwire/dev.json
    """
    from auditwire.clusters import DOCTOR_CLUSTER, Cluster, Registration

    check_cluster_name(name)
    if name == DOCTOR_CLUSTER:
        raise UsageError(f"the name {name} is reserved", "`auditwire doctor` uses it for its test event")
    now = now_in_seconds()
    file = check_handover(name, certificate=certificate, output=output, show=show)
    registration = Registration(
        credential=key_of_certificate(certificate) if certificate else "",
        cluster=Cluster(name, sender, labels_of(label)),
        expires=parse_end(expires, now) if expires else None,
        created=now,
        silence_seconds=silence_of(silence) if silence else None,
    )
    clusters = open_clusters(where)
    if clusters.table.list().of(name):
        raise CommandError(
            f"the cluster {name} exists already", f"`auditwire cluster rotate {name}` gives it another credential"
        )
    register(clusters, registration, file)
    if file or show:
        tell(where.completed(f"next: `auditwire cluster kubeconfig {name}`"))


def register(clusters: Clusters, registration: "Registration", file: Path | None) -> "Registration":
    """Put a row into the table and hand its credential over: in ``file``, or on standard output where that is None.

    A row that has a key already is that of a certificate, and makes no credential. Raises CommandError, and then leaves
    no file.
    """
    from auditwire.clusters import credential_digest

    credential = "" if registration.credential else new_credential()
    row = replace(registration, credential=registration.credential or credential_digest(credential))
    if credential and file:
        write_private(file, credential + "\n")
    try:
        if not clusters.table.add(row):
            raise CommandError("this certificate is registered already", "`auditwire cluster list` shows for whom")
    except BaseException:
        if credential and file:
            file.unlink(missing_ok=True)
        raise
    tell(f"registered {short_id(row)} for {row.cluster.name} ({row.cluster.sender}), valid {_until(row.expires)}")
    if credential and file:
        tell(f"its credential is in {file}, which only you can read, and nowhere else")
    elif credential:
        print(credential)
    return row


def _until(end: datetime | None) -> str:
    return f"until {to_the_minute(end)}" if end else "without an end"
