"""Which stack a command works on, and how it gets at its rules bucket.

A stack on AWS is found by name, profile and region; one of `auditwire dev` by its state file, which also says where
its AWS is. Either way CloudFormation tells which bucket holds the rules.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditwire_cli.errors import CallError, CommandError

if TYPE_CHECKING:
    from auditwire.rules_bucket import RulesBucket

DEFAULT_STACK = "auditwire"

StackName = Annotated[str, typer.Option("--stack", metavar="NAME", help="The CloudFormation stack.")]
Profile = Annotated[str | None, typer.Option(metavar="NAME", help="The AWS profile, if not the usual one.")]
Region = Annotated[str | None, typer.Option(metavar="NAME", help="The AWS region, if not the usual one.")]
EndpointUrl = Annotated[str | None, typer.Option(metavar="URL", help="Where AWS answers, if not at Amazon.")]
StateFile = Annotated[
    Path | None, typer.Option("--state", metavar="FILE", help="The state file of a running `auditwire dev`, instead.")
]


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
        from botocore.config import Config

        from auditwire.rules_bucket import S3RulesBucket

        with in_one_sentence(self):
            session, name, endpoint_url = self._session()
            config = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 4, "mode": "standard"})
            cloudformation = session.client("cloudformation", endpoint_url=endpoint_url, config=config)
            bucket = _output(cloudformation.describe_stacks(StackName=name), name, "RulesBucket")
            return S3RulesBucket(session.client("s3", endpoint_url=endpoint_url, config=config), bucket)

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


def _output(answer: Any, stack: str, name: str) -> str:
    for output in answer["Stacks"][0].get("Outputs", ()):
        if output["OutputKey"] == name:
            return str(output["OutputValue"])
    raise CommandError(f"the stack {stack} has no output {name}", "is it a stack of auditwire, deployed to its end?")


@contextmanager
def in_one_sentence(stack: Stack) -> Iterator[None]:
    """Whatever AWS will not do becomes a CommandError that says so in one sentence."""
    from botocore.exceptions import BotoCoreError, ClientError

    from auditwire.rules_bucket import RulesBucketError

    try:
        yield
    except RulesBucketError as error:
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
        service = "cloudformation" if error.operation_name == "DescribeStacks" else "s3"
        action = {"ListObjectsV2": "ListBucket", "HeadObject": "GetObject"}.get(
            error.operation_name, error.operation_name
        )
        return CommandError(
            f"you may not {service}:{action}{f' on {place}' if place else ''}",
            "ask for that permission, or another role",
        )
    if code in ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidAccessKeyId"):
        return CommandError("the AWS credentials are not valid, or not any longer", "sign in again")
    if code == "NoSuchBucket":
        return CommandError(f"the rules bucket of the stack {stack.name} is gone", "deploy the stack again")
    return CommandError(f"AWS refused {error.operation_name}: {message or code}")
