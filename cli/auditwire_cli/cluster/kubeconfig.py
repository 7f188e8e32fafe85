"""``auditwire cluster kubeconfig``: what the sender of a cluster must be configured with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.cluster.clusters import open_clusters
from auditwire_cli.cluster.name import ClusterName, check_cluster_name
from auditwire_cli.cluster.webhook_kubernetes import FOLDER, MAX_EVENT_BYTES, AuditLevel, Login, Sizes, Webhook
from auditwire_cli.cluster.webhook_kubesphere import config_script, helm_values
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.files import write_private
from auditwire_cli.send.endpoint import checked_ca_file, checked_url, read_credential
from auditwire_cli.stack import Stack, on_stack, read_state
from auditwire_cli.terminal.output import tell

if TYPE_CHECKING:
    from auditwire_cli.stack import Deployment


@on_stack
def cluster_kubeconfig(
    name: ClusterName,
    *,
    sender: Annotated[
        SenderKind | None, typer.Option(help="Which program sends.  [default: as the cluster is registered]")
    ] = None,
    credential_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put the credential of this file into the result.")
    ] = None,
    token_file: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help=f"The file at kube-apiserver that has the credential.  [default: {FOLDER}/NAME.credential]",
        ),
    ] = None,
    mtls: Annotated[bool, typer.Option("--mtls", help="Use a client certificate instead of a credential.")] = False,
    kubesphere: Annotated[int, typer.Option(min=3, max=4, help="The major version of KubeSphere.")] = 4,
    level: Annotated[
        AuditLevel,
        typer.Option(help="How much the API server's policy records at most: this decides the size of batches."),
    ] = AuditLevel.REQUEST,
    max_event_size: Annotated[
        int | None,
        typer.Option(
            min=5_000,
            max=MAX_EVENT_BYTES,
            help="The bytes that an event may have before it loses its bodies.  [default: 102400, or 7500 with"
            " --level metadata]",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="The endpoint, if it is not the stack's, such as a tunnel.")
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The endpoint's certificate authority, if it is not a public one."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file to write, which only you can read.  [default: print it]"),
    ] = None,
    where: Stack,
) -> None:
    """Write what the sender of a cluster must be configured with.

    For kube-apiserver this is the file of --audit-webhook-config-file, with the flags that belong to it and the
    reason for each. It names a file that has the credential. kube-apiserver reads that file again about every
    minute, so a rotation needs no restart. With --level metadata a batch has up to 400 events, and costs a fifth.
    With --credential-file the credential itself is in the result, for control planes that take only one file. With
    --mtls the result names a client certificate and its key.

    For KubeSphere this is a change of its configuration, and it needs --credential-file, because ks-apiserver can
    send a secret only in the URL.

    A result that has a credential is only written to --output, never printed. A credential is read from a file, never
    from an argument, and must belong to this cluster.

    \b
    Exit codes: 0 written, 1 not written, 2 wrong usage.

    \b
    Examples:
      auditwire cluster kubeconfig prod --output prod.kubeconfig
      auditwire cluster kubeconfig prod --level metadata --output prod.kubeconfig
      auditwire cluster kubeconfig prod --credential-file prod.credential --output prod.kubeconfig
      auditwire cluster kubeconfig prod-ks --kubesphere 3 --credential-file prod-ks.credential --output prod-ks.sed
    """
    check_cluster_name(name)
    if credential_file and not output:
        raise UsageError("the result would have the credential, so it is not printed", "give --output FILE")
    if mtls and (credential_file or token_file):
        raise UsageError("--mtls uses no credential", "leave --credential-file and --token-file out")
    if credential_file and token_file:
        raise UsageError("--credential-file and --token-file exclude each other", "give one of them")
    credential = read_credential(credential_file) if credential_file else None
    clusters = open_clusters(where)
    held = clusters.of(name)
    if credential:
        _check_owner(name, credential, {one.credential for one in held})
    kind = sender or held[-1].cluster.sender
    address, authority = _endpoint(clusters.deployment, where, url, ca_file)
    if kind is SenderKind.KUBESPHERE:
        if mtls or credential is None:
            raise UsageError(
                "ks-apiserver can send neither a header nor a certificate, only a URL",
                "give --credential-file, and leave --mtls out",
            )
        make = config_script if kubesphere == 3 else helm_values
        text = make(name, address, credential, str(output))
    else:
        path = token_file or f"{FOLDER}/{name}.credential"
        text = Webhook(name, address, authority, Login(credential, None if credential or mtls else path)).text(
            Sizes.of(level, max_event_size)
        )
        if address.startswith("http:"):
            tell("auditwire: kube-apiserver sends no credential over plain HTTP; start `auditwire dev --tls`")
    if output is None:
        print(text, end="")
        return
    write_private(output, text)
    tell(f"written to {output}; its first lines say what to do with it")


def _check_owner(name: str, credential: str, keys: set[str]) -> None:
    from auditwire.clusters import credential_digest, is_credential

    if not is_credential(credential) or credential_digest(credential) not in keys:
        raise CommandError(f"this credential is not one of {name}", "`auditwire cluster list` shows which it has")


def _endpoint(deployment: "Deployment", where: Stack, url: str | None, ca_file: Path | None) -> tuple[str, Path | None]:
    """The endpoint's URL without path, and the file of its certificate authority where that is not a public one."""
    checked_ca_file(ca_file)
    if url is not None:
        return checked_url(url, plain_http=False), ca_file
    if where.state_file is None:
        return deployment.output("IngestUrl"), ca_file
    running = read_state(where.state_file).needs("url")
    return running.url, ca_file or (Path(running.ca_file) if running.ca_file else None)
