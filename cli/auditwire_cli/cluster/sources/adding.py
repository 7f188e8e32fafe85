"""Registering a cluster whose events come from a cloud or a log shipper, and saying how to set that up."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditwire_cli.cluster.clusters import Clusters
from auditwire_cli.cluster.registering import register
from auditwire_cli.cluster.sources.source import Sending, Source
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.terminal.output import show, tell

if TYPE_CHECKING:
    from auditwire.clusters import Registration
    from auditwire_cli.stack import Deployment

_WITH_NAME = (Source.EKS, Source.GKE, Source.S3)
_GOOGLE = "https://accounts.google.com"


def check_options(
    source: Source | None, name: str | None, *, only_print: bool, certificate: Path | None, show: bool
) -> None:
    """Raises UsageError for options that do not go together."""
    if name is not None and source not in _WITH_NAME:
        raise UsageError("--source is for --from eks, gke and s3", "leave it out")
    if only_print and source is not Source.EKS:
        raise UsageError("--print is for --from eks", "other instructions are always printed")
    if source is not None and (certificate is not None or show):
        raise UsageError("--from excludes --certificate and --show", "the credential is written to a file")


def add_from(
    source: Source,
    clusters: Clusters,
    registration: "Registration",
    file: Path | None,
    name: str | None,
    endpoint: str,
    *,
    subscribe_too: bool,
) -> None:
    """Register the cluster, subscribe its log group where it has one, and print the instructions. ``name`` is that of
    the source, ``endpoint`` the stack's address. Raises CommandError."""
    from auditwire_cli.cluster.sources.instructions import INSTRUCTIONS

    deployment = clusters.deployment
    sending = Sending(
        cluster=registration.cluster.name,
        endpoint=endpoint,
        credential_file=str(file or ""),
        stack=deployment.name,
    )
    if source is Source.EKS:
        _add_eks(clusters, registration, name, sending, subscribe_too=subscribe_too)
        return
    if source is Source.GKE and name:
        registration, sending = _with_account(deployment, registration, name, sending)
    if source is Source.S3:
        registration, sending = _with_prefix(deployment, registration, name, sending)
    register(clusters, registration, file)
    show(INSTRUCTIONS[source](sending).rstrip())


def _add_eks(
    clusters: Clusters, registration: "Registration", name: str | None, sending: Sending, *, subscribe_too: bool
) -> None:
    from auditwire.clusters import log_group_key
    from auditwire_cli.cluster.sources.clouds import eks, eks_logging
    from auditwire_cli.cluster.sources.subscription import check_room, subscribe

    deployment = clusters.deployment
    if "SubscribeEksFunctionArn" not in deployment.outputs:
        raise CommandError(
            f"the stack {deployment.name} takes nothing from EKS",
            "deploy it with the parameter EksLogGroups, such as /aws/eks/*; clusters of other accounts and regions "
            "come through Firehose: --from firehose",
        )
    function = deployment.output("SubscribeEksFunctionArn")
    group = name or f"/aws/eks/{registration.cluster.name}/cluster"
    _check_allowed(deployment, group)
    _, _, _, region, account, *_ = function.split(":")
    sending = replace(sending, region=region, log_group=group, function_arn=function)
    if subscribe_too:
        check_room(deployment, group)
    row = register(clusters, replace(registration, credential=log_group_key(account, region, group)), None)
    if not subscribe_too:
        show(eks(sending).rstrip())
        return
    try:
        subscribe(deployment, group)
    except BaseException:
        clusters.table.remove(row.credential)
        raise
    tell(f"subscribed {group} to the stack {deployment.name}")
    show(eks_logging(sending).rstrip())


def _check_allowed(deployment: "Deployment", group: str) -> None:
    from fnmatch import fnmatchcase

    allowed = deployment.parameters.get("EksLogGroups", "")
    if not fnmatchcase(group, allowed):
        raise CommandError(
            f"the stack {deployment.name} takes nothing from {group}",
            f"its parameter EksLogGroups is {allowed}; --source names another log group",
        )


def _with_account(
    deployment: "Deployment", registration: "Registration", account: str, sending: Sending
) -> "tuple[Registration, Sending]":
    from auditwire.clusters import account_key, is_email

    if not is_email(account):
        raise UsageError(
            f"{account[:200]!r} is no service account", "such as auditwire@PROJECT.iam.gserviceaccount.com"
        )
    audience = deployment.parameters.get("PubSubAudience", "")
    if not audience:
        raise CommandError(
            f"the stack {deployment.name} takes no tokens of Pub/Sub",
            "deploy it with the parameter PubSubAudience, or leave --source out: then the credential is in the address",
        )
    row = replace(registration, credential=account_key(_GOOGLE, account))
    return row, replace(sending, audience=audience, service_account=account)


def _with_prefix(
    deployment: "Deployment", registration: "Registration", prefix: str | None, sending: Sending
) -> "tuple[Registration, Sending]":
    import json

    from auditwire.clusters import bucket_key

    bucket = deployment.parameters.get("ImportBucket", "")
    if not bucket:
        raise CommandError(
            f"the stack {deployment.name} imports from no bucket", "deploy it with the parameter ImportBucket"
        )
    below = f"{sending.cluster}/" if prefix is None else prefix
    if below and not below.endswith("/"):
        raise UsageError(f"a prefix ends in a slash: {below[:200]!r}", f"--source {below[:200]}/, or '' for the bucket")
    present = deployment.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    merged = {name: value for name, value in present.items() if name != "ResponseMetadata"}
    text = json.dumps(merged | {"EventBridgeConfiguration": {}})
    row = replace(registration, credential=bucket_key(bucket, below))
    return row, replace(sending, bucket=bucket, prefix=below, notifications=text)
