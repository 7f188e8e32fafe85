"""``auditwire cluster add``: a credential for a cluster, handed over once."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.cluster.secret import (
    CertificateFile,
    Expires,
    Labels,
    OutputFile,
    Show,
    checked_handover,
    end_of,
    key_of_certificate,
    labels_of,
    new_credential,
    say,
    silence_of,
    write_private,
)
from auditwire_cli.cluster.table import Clusters, checked_name, now_in_seconds, open_clusters, short_id
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

if TYPE_CHECKING:
    from auditwire.clusters import Registration


def cluster_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The cluster: 1 to 63 of a-z, 0-9 and '-'.")],
    *,
    sender: Annotated[SenderKind, typer.Option(help="Who sends with it.")] = SenderKind.ANY,
    label: Labels = None,
    expires: Expires = None,
    silence: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Raise an alert after so long without a batch, like 30m. [default: never]"),
    ] = None,
    certificate: CertificateFile = None,
    output: OutputFile = None,
    show: Show = False,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Register a cluster and make its credential.

    The credential is written to a new file that only you can read, or with --show printed, alone on standard output,
    for a pipe into a secret store. It is nowhere else: the table holds its SHA-256, and it appears in no log. With
    --certificate a client certificate is the credential; that needs a stack with a mutual-TLS domain.

    \b
    Exit codes: 0 registered, 1 it could not be, or exists, 2 the call was wrong.

    \b
    Examples:
      auditwire cluster add prod --sender kubernetes --label team=platform --expires 90d
      auditwire cluster add prod-ks --sender kubesphere --output prod-ks.credential --profile prod
      auditwire cluster add edge --certificate edge.pem --state .auditwire/dev.json
    """
    from auditwire.clusters import Cluster, Registration

    now = now_in_seconds()
    file = checked_handover(checked_name(name), certificate=certificate, output=output, show=show)
    registration = Registration(
        credential=key_of_certificate(certificate) if certificate else "",
        cluster=Cluster(name, sender, labels_of(label)),
        expires=end_of(expires, now),
        created=now,
        silence_seconds=silence_of(silence) if silence else None,
    )
    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        clusters = open_clusters(where)
        if clusters.table.list().of(name):
            raise CommandError(
                f"there is a cluster {name} already", f"`auditwire cluster rotate {name}` gives it another credential"
            )
        register(clusters, registration, file)
    if file or show:
        say(f"next: auditwire cluster kubeconfig {name}")


def register(clusters: Clusters, registration: "Registration", file: Path | None) -> "Registration":
    """Put a row into the table and hand its credential over: into ``file``, or without one on standard output.

    A row that has a key already is that of a certificate. Raises CommandError; no file is left then.
    """
    from auditwire.clusters import credential_digest

    credential = "" if registration.credential else new_credential()
    row = replace(registration, credential=registration.credential or credential_digest(credential))
    if credential and file:
        write_private(file, credential + "\n")
    try:
        if not clusters.table.add(row):
            raise CommandError("this certificate is registered already", "`auditwire cluster list` says to whom")
    except BaseException:
        if credential and file:
            file.unlink(missing_ok=True)
        raise
    say(f"registered {short_id(row)} for {row.cluster.name} ({row.cluster.sender}), {_until(row.expires)}")
    if credential and file:
        say(f"its credential is in {file}, readable by you alone, and nowhere else")
    elif credential:
        print(credential)
    return row


def _until(time: datetime | None) -> str:
    return "without end" if time is None else f"until {time:%Y-%m-%d %H:%M} UTC"
