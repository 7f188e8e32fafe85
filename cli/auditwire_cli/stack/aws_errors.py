"""What AWS refuses, in one sentence and with what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from auditwire_cli.stack.stack import Stack

# Operations whose permission has another service or another name.
_ACTIONS = {
    "ListObjectsV2": "s3:ListBucket", "HeadObject": "s3:GetObject", "DescribeStacks": "cloudformation:DescribeStacks",
    "PublishBatch": "sns:Publish", "ReceiveMessage": "sqs:ReceiveMessage", "SendMessageBatch": "sqs:SendMessage",
    "DeleteMessageBatch": "sqs:DeleteMessage", "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
    "GetPublicKey": "kms:GetPublicKey", "Invoke": "lambda:InvokeFunction",
    "ListMetrics": "cloudwatch:ListMetrics", "GetMetricData": "cloudwatch:GetMetricData",
    "Query": "dynamodb:Query", "BatchGetItem": "dynamodb:BatchGetItem", "BatchWriteItem": "dynamodb:BatchWriteItem",
    "Scan": "dynamodb:Scan", "PutItem": "dynamodb:PutItem", "DeleteItem": "dynamodb:DeleteItem",
}  # fmt: skip


@contextmanager
def in_one_sentence(stack: "Stack") -> Iterator[None]:
    """Raises CommandError for whatever AWS refuses inside, and completes the commands that hints name."""
    from botocore.exceptions import BotoCoreError, ClientError

    from auditwire.alerts import AlertsError
    from auditwire.archive import ArchiveError
    from auditwire.archive.errors import QuarantineError
    from auditwire.bundles.rules_bucket import RulesBucketError
    from auditwire.evidence.errors import EvidenceError

    try:
        yield
    except CommandError as error:
        error.hint = stack.completed(error.hint)
        raise
    except (RulesBucketError, ArchiveError, QuarantineError, AlertsError, EvidenceError) as error:
        cause = error.__cause__
        place = str(error).partition(": ")[0] if str(error).startswith("s3://") else ""
        if isinstance(cause, ClientError | BotoCoreError):
            raise _explained(cause, stack, place) from None
        raise CommandError(str(error)) from None
    except (ClientError, BotoCoreError) as error:
        raise _explained(error, stack, "") from None
    except ValueError as error:  # how botocore refuses an address
        if "endpoint" not in str(error).lower():
            raise
        raise UsageError(f"this is not an address of AWS: {stack.endpoint_url}") from None


def _explained(error: Exception, stack: "Stack", place: str) -> CommandError:
    from botocore import exceptions

    match error:
        case exceptions.ProfileNotFound():
            return UsageError(
                f"there is no AWS profile {stack.profile or 'of that name'}", "`aws configure list-profiles` lists them"
            )
        case exceptions.NoRegionError():
            return UsageError("no AWS region is set", "give --region, or set AWS_REGION")
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return CommandError("there are no AWS credentials", "give --profile, or sign in as for other AWS tools")
        case exceptions.EndpointConnectionError() | exceptions.ConnectTimeoutError():
            address = getattr(error, "kwargs", {}).get("endpoint_url", "AWS")
            return CommandError(f"nothing answers at {address}", stack.hint_when_silent)
        case exceptions.ClientError():
            return _refused(error, stack, place)
    return CommandError(f"AWS cannot be reached: {str(error).splitlines()[0]}")


def _refused(error: Any, stack: "Stack", place: str) -> CommandError:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code == "ValidationError" and "does not exist" in message:
        return CommandError(f"there is no stack {stack.shown_name}", "give --stack, --region or --profile")
    if code in ("AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation"):
        action = _ACTIONS.get(error.operation_name, f"s3:{error.operation_name}")
        return CommandError(
            f"you are not allowed to call {action}{f' on {place}' if place else ''}",
            "ask for this permission, or use another role",
        )
    if code in ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidAccessKeyId"):
        return CommandError("the AWS credentials are invalid or have expired", "sign in again")
    if code == "NoSuchBucket":
        return CommandError(f"the bucket of the stack {stack.shown_name} no longer exists", "deploy the stack again")
    return CommandError(f"AWS refused {error.operation_name}: {message or code}")
