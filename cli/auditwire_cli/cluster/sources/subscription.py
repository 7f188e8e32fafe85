"""The subscription filter through which a log group of an EKS cluster is delivered."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from auditwire.aws.errors import code_of
from auditwire_cli.cluster.sources.clouds import filter_name
from auditwire_cli.errors import CommandError

if TYPE_CHECKING:
    from auditwire_cli.stack import Deployment

MAX_FILTERS = 2
"""How many subscription filters CloudWatch Logs lets a log group have."""


def check_room(deployment: "Deployment", group: str) -> None:
    """Raises CommandError where the log group does not exist, or has as many filters as it may."""
    logs = deployment.client("logs")
    try:
        found: list[dict[str, Any]] = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            raise CommandError(
                f"there is no log group {group}",
                "switch the audit log on first, or name the group with --source; --print shows the commands",
            ) from None
        raise
    others = [one["filterName"] for one in found if one["filterName"] != filter_name(deployment.name)]
    if len(others) >= MAX_FILTERS:
        raise CommandError(
            f"{group} has as many subscription filters as it may: {', '.join(others)}",
            "remove one of them, or let Firehose deliver to both places: --from firehose",
        )


def subscribe(deployment: "Deployment", group: str) -> None:
    """Have the log group delivered to the stack's function. Raises errors of botocore."""
    deployment.client("logs").put_subscription_filter(
        logGroupName=group,
        filterName=filter_name(deployment.name),
        filterPattern="",
        destinationArn=deployment.output("SubscribeEksFunctionArn"),
    )


def unsubscribe(deployment: "Deployment", group: str) -> None:
    """End that; nothing where it has ended already. Raises errors of botocore."""
    try:
        deployment.client("logs").delete_subscription_filter(
            logGroupName=group, filterName=filter_name(deployment.name)
        )
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
