"""``auditwire cluster kubeconfig``: what the sender of a cluster must be told, ready to be put in place."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire.senders.kind import SenderKind
from auditwire_cli.cluster.secret import say, write_private
from auditwire_cli.cluster.table import checked_name, open_clusters
from auditwire_cli.cluster.webhook_kubernetes import FOLDER, MAX_EVENT_BYTES, Login, Webhook
from auditwire_cli.cluster.webhook_kubesphere import config_script, helm_values
from auditwire_cli.errors import CallError, CommandError
from auditwire_cli.send.endpoint import checked_ca_file, checked_url, read_credential, read_state
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
    from auditwire_cli.stack import Deployment


def cluster_kubeconfig(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The cluster.")],
    *,
    sender: Annotated[SenderKind | None, typer.Option(help="For whom.  [default: as registered]")] = None,
    credential_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put the credential of this file into the result.")
    ] = None,
    token_file: Annotated[
        str | None,
        typer.Option(metavar="PATH", help=f"Where kube-apiserver reads it.  [default: {FOLDER}/NAME.credential]"),
    ] = None,
    mtls: Annotated[bool, typer.Option("--mtls", help="With a client certificate instead.")] = False,
    kubesphere: Annotated[int, typer.Option(min=3, max=4, help="The generation of KubeSphere.")] = 4,
    max_event_size: Annotated[
        int, typer.Option(min=10_000, max=MAX_EVENT_BYTES, help="Bytes an event may have before it loses its bodies.")
    ] = 102_400,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="The endpoint, if not the one of the stack, such as a tunnel.")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its certificate authority, if no public one.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it is written, for you alone.  [default: shown]")
    ] = None,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Write what the sender of a cluster is to be told.

    For kube-apiserver the file of --audit-webhook-config-file, with the flags that go with it, each with its reason.
    It names a file with the credential, which kube-apiserver reads again about every minute, so that a rotation needs
    no restart; with --credential-file the credential stands in it, for control planes that take one file only. With
    --mtls it names a client certificate and its key. For KubeSphere it is what changes its configuration, and needs
    --credential-file: ks-apiserver can only carry a secret in the URL.

    What holds a credential is written to --output only, never shown. A credential is read from a file, never from an
    argument, and must be one of this cluster.

    \b
    Exit codes: 0 written, 1 it could not be, 2 the call was wrong.

    \b
    Examples:
      auditwire cluster kubeconfig prod --output prod.kubeconfig
      auditwire cluster kubeconfig prod --credential-file prod.credential --output prod.kubeconfig
      auditwire cluster kubeconfig prod-ks --kubesphere 3 --credential-file prod-ks.credential --output prod-ks.sed
    """
    checked_name(name)
    if credential_file and not output:
        raise CallError("the result would hold the credential, so it is not shown", "give --output FILE")
    if mtls and (credential_file or token_file):
        raise CallError("--mtls takes no credential", "leave --credential-file and --token-file out")
    if credential_file and token_file:
        raise CallError("--credential-file and --token-file exclude each other")
    credential = read_credential(credential_file) if credential_file else None
    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        clusters = open_clusters(where)
        held = clusters.of(name)
        deployment = clusters.deployment
    if credential:
        _check_owner(name, credential, {one.credential for one in held})
    kind = sender or held[-1].cluster.sender
    address, authority = _endpoint(deployment, state, url, ca_file)
    if kind is SenderKind.KUBESPHERE:
        if mtls or credential is None:
            raise CallError(
                "ks-apiserver sends no header and no certificate, only a URL", "give --credential-file, and no --mtls"
            )
        make = config_script if kubesphere == 3 else helm_values
        text = make(name, address, credential, str(output))
    else:
        path = token_file or f"{FOLDER}/{name}.credential"
        text = Webhook(name, address, authority, Login(credential, None if credential or mtls else path)).text(
            max_event_size
        )
        if address.startswith("http:"):
            say("auditwire: kube-apiserver sends no credential over plain http; start `auditwire dev --tls`")
    if output is None:
        print(text, end="")
        return
    write_private(output, text)
    say(f"written to {output}; what to do with it is said in its head")


def _check_owner(name: str, credential: str, keys: set[str]) -> None:
    from auditwire.clusters import credential_digest, is_credential

    if not is_credential(credential) or credential_digest(credential) not in keys:
        raise CommandError(f"the credential given is none of {name}", "`auditwire cluster list` shows which it has")


def _endpoint(
    deployment: "Deployment", state: Path | None, url: str | None, ca_file: Path | None
) -> tuple[str, Path | None]:
    """The endpoint's URL without path, and the file of its authority where that is not a public one."""
    checked_ca_file(ca_file)
    if url is not None:
        return checked_url(url, plain_http=False), ca_file
    if state is None:
        return deployment.output("IngestUrl"), ca_file
    running = read_state(state)
    return running.url, ca_file or (Path(running.ca_file) if running.ca_file else None)
