"""Which stack a command works on, and how it gets at its buckets, queues and tables.

A stack on AWS is found by name, profile and region; one of `auditwire dev` by its state file, which also says where
its AWS is. Either way CloudFormation tells what is called how.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditwire_cli.errors import CallError, CommandError

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket

DEFAULT_STACK = "auditwire"

StackName = Annotated[str, typer.Option("--stack", metavar="NAME", help="The CloudFormation stack.")]
Profile = Annotated[str | None, typer.Option(metavar="NAME", help="The AWS profile, if not the usual one.")]
Region = Annotated[str | None, typer.Option(metavar="NAME", help="The AWS region, if not the usual one.")]
EndpointUrl = Annotated[str | None, typer.Option(metavar="URL", help="Where AWS answers, if not at Amazon.")]
StateFile = Annotated[
    Path | None, typer.Option("--state", metavar="FILE", help="The state file of a running `auditwire dev`, instead.")
]


# Actions that are not called as the operation which needs them, and whose they are.
_ACTIONS = {
    "ListObjectsV2": "s3:ListBucket", "HeadObject": "s3:GetObject", "DescribeStacks": "cloudformation:DescribeStacks",
    "PublishBatch": "sns:Publish", "ReceiveMessage": "sqs:ReceiveMessage", "SendMessageBatch": "sqs:SendMessage",
    "DeleteMessageBatch": "sqs:DeleteMessage", "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
    "ListMetrics": "cloudwatch:ListMetrics", "GetMetricData": "cloudwatch:GetMetricData",
    "Query": "dynamodb:Query", "BatchGetItem": "dynamodb:BatchGetItem", "BatchWriteItem": "dynamodb:BatchWriteItem",
    "GetPublicKey": "kms:GetPublicKey", "Invoke": "lambda:InvokeFunction",
    "Scan": "dynamodb:Scan", "PutItem": "dynamodb:PutItem", "DeleteItem": "dynamodb:DeleteItem",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack that was found: its name, its outputs and parameters, and clients of the AWS it is in."""

    name: str
    outputs: Mapping[str, str]
    client: Callable[[str], Any] = field(repr=False)
    """A client of a service by its name, for work that has time."""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def output(self, name: str) -> str:
        """The value of an output. Raises CommandError where the stack has none of that name."""
        if name not in self.outputs:
            raise CommandError(
                f"the stack {self.name} has no output {name}", "is it a stack of auditwire, deployed to its end?"
            )
        return self.outputs[name]


@dataclass(frozen=True, slots=True)
class Stack:
    """How a stack is reached: what the five options said."""

    name: str = DEFAULT_STACK
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    state: Path | None = None

    def rules_bucket(self) -> "RulesBucket":
        """The rules bucket. Raises CallError for options that cannot be, CommandError for what AWS will not do."""
        from auditwire.bundles.rules_bucket import S3RulesBucket

        found = self.find()
        return S3RulesBucket(found.client("s3"), found.output("RulesBucket"))

    def find(self) -> Deployment:
        """The stack as it is deployed. Raises CallError for options that cannot be, CommandError for what AWS will
        not do."""
        from botocore.config import Config

        with in_one_sentence(self):
            session, name, endpoint_url = self._session()
            # No proxy stands between this process and an `auditwire dev` of the same machine.
            direct: Any = {"proxies": {}} if self.state else {}
            retries: Any = {"total_max_attempts": 4, "mode": "standard"}
            config = Config(connect_timeout=5, read_timeout=30, retries=retries, **direct)

            def client(service: str) -> Any:
                return session.client(service, endpoint_url=endpoint_url, config=config)

            described = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
            outputs = {each["OutputKey"]: str(each["OutputValue"]) for each in described.get("Outputs", ())}
            parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", ())}
            return Deployment(name, outputs, client, parameters)

    def _session(self) -> tuple[Any, str, str | None]:
        """The AWS session, the stack's name, and the address of its AWS where that is not Amazon's."""
        from boto3.session import Session

        if self.state is None:
            return Session(profile_name=self.profile, region_name=self.region), self.name, self.endpoint_url
        if self.profile or self.region or self.endpoint_url or self.name != DEFAULT_STACK:
            raise CallError("--state says already which stack and where", "leave the other options out")
        state = _read_state(self.state)
        from botocore.session import Session as Core

        # Made-up credentials, and nothing of the user's configuration: it is not AWS that will see them.
        core = Core(session_vars={"profile": (None, None, None, None), "config_file": (None, None, "", None)})
        session = Session(
            aws_access_key_id="local", aws_secret_access_key="local",  # noqa: S106 - made up on purpose
            region_name=state["region"], botocore_session=core,
        )  # fmt: skip
        return session, state["stack"], state["aws_endpoint_url"]


def _read_state(path: Path) -> dict[str, str]:
    try:
        content: Any = json.loads(path.read_bytes())
        return {key: str(content[key]) for key in ("region", "stack", "aws_endpoint_url")}
    except FileNotFoundError:
        raise CallError(f"no state file at {path}", "start `auditwire dev` first") from None
    except OSError as error:
        raise CallError(f"cannot read the state file {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise CallError(f"{path} is not a state file of `auditwire dev`") from None


@contextmanager
def in_one_sentence(stack: Stack) -> Iterator[None]:
    """Whatever AWS will not do becomes a CommandError that says so in one sentence."""
    from botocore.exceptions import BotoCoreError, ClientError

    from auditwire.alerts import AlertsError
    from auditwire.archive import ArchiveError
    from auditwire.archive.errors import QuarantineError
    from auditwire.bundles.rules_bucket import RulesBucketError
    from auditwire.evidence.errors import EvidenceError

    try:
        yield
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
        raise CallError(f"not an address of AWS: {stack.endpoint_url}") from None


def _explained(error: Exception, stack: Stack, place: str) -> CommandError:
    from botocore import exceptions

    match error:
        case exceptions.ProfileNotFound():
            return CallError(f"there is no AWS profile {stack.profile or 'of that name'}", "see `aws configure list`")
        case exceptions.NoRegionError():
            return CallError("no AWS region is set", "give --region, or set AWS_REGION")
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return CommandError("there are no AWS credentials", "give --profile, or sign in as for every AWS tool")
        case exceptions.EndpointConnectionError() | exceptions.ConnectTimeoutError():
            address = getattr(error, "kwargs", {}).get("endpoint_url", "AWS")
            hint = "is `auditwire dev` still running?" if stack.state else ""
            return CommandError(f"nothing answers at {address}", hint)
        case exceptions.ClientError():
            return _refused(error, stack, place)
    return CommandError(f"AWS cannot be asked: {str(error).splitlines()[0]}")


def _refused(error: Any, stack: Stack, place: str) -> CommandError:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code == "ValidationError" and "does not exist" in message:
        return CommandError(f"there is no stack {stack.name}", "give --stack, --region or --profile")
    if code in ("AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation"):
        action = _ACTIONS.get(error.operation_name, f"s3:{error.operation_name}")
        return CommandError(
            f"you may not {action}{f' on {place}' if place else ''}",
            "ask for that permission, or another role",
        )
    if code in ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidAccessKeyId"):
        return CommandError("the AWS credentials are not valid, or not any longer", "sign in again")
    if code == "NoSuchBucket":
        return CommandError(f"the bucket of the stack {stack.name} is gone", "deploy the stack again")
    return CommandError(f"AWS refused {error.operation_name}: {message or code}")
