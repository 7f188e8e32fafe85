"""``auditwire cluster add``: register a cluster and hand over its credential once."""

from typing import Annotated

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.cluster.clusters import open_clusters
from auditwire_cli.cluster.name import ClusterName, check_cluster_name
from auditwire_cli.cluster.registering import register
from auditwire_cli.cluster.secret import (
    CertificateFile,
    Expires,
    Labels,
    OutputFile,
    Show,
    check_handover,
    key_of_certificate,
    labels_of,
    silence_of,
)
from auditwire_cli.cluster.sources.adding import add_from, check_options
from auditwire_cli.cluster.sources.source import Source
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.stack import Stack, on_stack, read_state
from auditwire_cli.terminal.output import tell
from auditwire_cli.times import now_in_seconds, parse_end


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
    source: Annotated[
        Source | None,
        typer.Option("--from", help="The cloud or log shipper that its events come from; prints how to set it up."),
    ] = None,
    source_name: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="NAME",
            help="With --from: the log group (eks), the service account of the push (gke), the prefix (s3).",
        ),
    ] = None,
    only_print: Annotated[
        bool, typer.Option("--print", help="With --from eks: print the commands instead of subscribing the log group.")
    ] = False,
    where: Stack,
) -> None:
    """Register a cluster and make its credential.

    The credential is written to a new file that only you can read. With --show it is printed instead, alone on
    standard output, so that you can pipe it into a secret store. It is stored nowhere else: the table has only its
    SHA-256, and no log contains it. With --certificate a client certificate is the credential; this needs a stack
    with a mutual-TLS domain.

    With --from the instructions for a cloud or a log shipper are printed: the exact commands, or the part of a
    configuration that works. They name the file of the credential and never hold it. With --from eks no credential is
    made: the log group is registered and subscribed to the stack's function, in the stack's account and region. With
    --from gke and --source no credential is made either: the service account in the tokens of Pub/Sub is registered.
    With --from s3 a prefix of the import bucket is registered, by default NAME/.

    A name is 1 to 63 of a-z, 0-9 and '-'.

    \b
    Exit codes: 0 registered, 1 not registered, for example because the cluster exists, 2 wrong usage.

    \b
    Examples:
      auditwire cluster add prod --sender kubernetes --label team=platform --expires 90d
      auditwire cluster add prod-ks --sender kubesphere --output prod-ks.credential --profile prod
      auditwire cluster add edge --certificate edge.pem --state .auditwire/dev.json
      auditwire cluster add prod --from eks
      auditwire cluster add logs --from fluent-bit > auditwire.conf
    """
    from auditwire.clusters import DOCTOR_CLUSTER, UNREGISTERED, Cluster, Registration

    check_cluster_name(name)
    if name == DOCTOR_CLUSTER:
        raise UsageError(f"the name {name} is reserved", "`auditwire doctor` uses it for its test event")
    if name == UNREGISTERED:
        raise UsageError(f"the name {name} is reserved", "what comes from unregistered sources is kept under it")
    check_options(source, source_name, only_print=only_print, certificate=certificate, show=show)
    now = now_in_seconds()
    has_credential = source not in (Source.EKS, Source.S3) and not (source is Source.GKE and source_name)
    file = check_handover(name, certificate=certificate, output=output, show=show) if has_credential else None
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
    if source is not None:
        endpoint = clusters.deployment.output("IngestUrl")
        if where.state_file is not None:
            endpoint = read_state(where.state_file).needs("url").url
        add_from(source, clusters, registration, file, source_name, endpoint, subscribe_too=not only_print)
        return
    register(clusters, registration, file)
    if file or show:
        tell(where.completed(f"next: `auditwire cluster kubeconfig {name}`"))
