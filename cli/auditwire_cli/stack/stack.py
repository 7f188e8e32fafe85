"""A stack as the options name it, and as it is found.

A stack on AWS is found by its name, profile and region. The stack of a running `auditwire dev` is found by its state
file, which also says where its AWS is. In both cases CloudFormation knows the names of buckets, queues and tables.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.stack.state import DEFAULT_STATE, read_state
from auditwire_cli.terminal.output import tell

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket

DEFAULT_STACK = "auditwire"

WITHOUT_STACK = frozenset(
    {
        "dev",
        "send",
        "policy check",
        "policy eval",
        "policy init",
        "rules check",
        "rules eval",
        "rules fix",
        "rules export kubesphere",
        "rules import falco",
        "rules import kubesphere",
        "rules import sigma",
        "rules reach",
        "rules schema",
        "rules test",
        "rules update",
    }
)
"""The commands, and groups of them, that do not take the options of a stack."""

_OF_RELAY = frozenset({"AlertsQueueUrl", "DeadLetterQueueUrl"})
_NAMED_COMMAND = re.compile(r"`auditwire ([^`]+)`")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack that was found: its name, its outputs and parameters, and clients for its AWS."""

    name: str
    outputs: Mapping[str, str]
    client: Callable[[str], Any] = field(repr=False)
    """Makes a client of a service, given its name. It waits and tries again as work does that is not urgent."""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def output(self, name: str) -> str:
        """The value of an output. Raises CommandError where the stack has none of that name."""
        if name not in self.outputs and self.parameters.get("Alertmanager") == "off" and name in _OF_RELAY:
            raise CommandError(
                f"the stack {self.name} has no relay and no queues",
                "it was deployed with Alertmanager=off; alerts go to the subscribers of the alerts topic",
            )
        if name not in self.outputs:
            raise CommandError(
                f"the stack {self.name} has no output {name}", "is it a stack of auditwire, and fully deployed?"
            )
        return self.outputs[name]


@dataclass(frozen=True, slots=True)
class Stack:
    """Where a stack is, as the five options say it. Without any of them it is that of the `auditwire dev` which runs
    in this folder, and else the stack `auditwire` on AWS."""

    name: str | None = None
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    state: Path | None = None

    @property
    def shown_name(self) -> str:
        """The name of the stack on AWS."""
        return self.name or DEFAULT_STACK

    @property
    def state_file(self) -> Path | None:
        """The state file that says where the stack is; None for one on AWS."""
        if self.state is None and not self._on_aws and DEFAULT_STATE.exists():
            return DEFAULT_STATE
        return self.state

    @property
    def hint_when_silent(self) -> str:
        """What to do when nothing answers."""
        if self.state_file is None:
            return ""
        return f"{self.state_file} says so: is `auditwire dev` still running? --stack NAME is for a stack on AWS"

    def rules_bucket(self) -> "RulesBucket":
        """The rules bucket. Raises as ``find`` does."""
        from auditwire.bundles.rules_bucket import S3RulesBucket

        found = self.find()
        return S3RulesBucket(found.client("s3"), found.output("RulesBucket"))

    def find(self) -> Deployment:
        """The stack as it is deployed. Raises UsageError for options that exclude each other and for a state file that
        is something else, and errors of botocore."""
        from botocore.config import Config

        session, name, endpoint_url = self._session()
        # No proxy stands between this process and an `auditwire dev` of the same machine.
        direct: Any = {"proxies": {}} if self.state_file else {}
        retries: Any = {"total_max_attempts": 4, "mode": "standard"}
        config = Config(connect_timeout=5, read_timeout=30, retries=retries, **direct)

        def client(service: str) -> Any:
            return session.client(service, endpoint_url=endpoint_url, config=config)

        described = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        outputs = {each["OutputKey"]: str(each["OutputValue"]) for each in described.get("Outputs", ())}
        parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", ())}
        return Deployment(name, outputs, client, parameters)

    def completed(self, text: str) -> str:
        """The text with the options of this stack at every command in backticks that takes them, ready to be run."""
        return _NAMED_COMMAND.sub(lambda found: f"`auditwire {found[1]}{self._options_for(found[1])}`", text)

    @property
    def _on_aws(self) -> bool:
        return any(option is not None for option in (self.name, self.profile, self.region, self.endpoint_url))

    def _options_for(self, command: str) -> str:
        """The options that have to be given to this command again."""
        words = command.split()
        if not {words[0], " ".join(words[:2])}.isdisjoint(WITHOUT_STACK):
            return ""
        given = (
            ("--stack", self.name),
            ("--profile", self.profile),
            ("--region", self.region),
            ("--endpoint-url", self.endpoint_url),
            ("--state", self.state),
        )
        return "".join(
            f" {option} {shlex.quote(str(value))}" for option, value in given if value and option not in words
        )

    def _session(self) -> tuple[Any, str, str | None]:
        """The AWS session, the stack's name, and the address of its AWS where that is not Amazon's."""
        from boto3.session import Session

        if self.state is not None and self._on_aws:
            raise UsageError("--state says already which stack and where", "leave the other options out")
        if self.state_file is None:
            return Session(profile_name=self.profile, region_name=self.region), self.shown_name, self.endpoint_url
        if self.state is None:
            tell(f"using the local system of {self.state_file}; --stack NAME is for a stack on AWS")
        state = read_state(self.state_file).needs("aws_endpoint_url", "region", "stack")
        from botocore.session import Session as Core

        # Made-up credentials, and nothing of the user's configuration: it is not AWS that will see them.
        core = Core(session_vars={"profile": (None, None, None, None), "config_file": (None, None, "", None)})
        session = Session(
            aws_access_key_id="local", aws_secret_access_key="local",  # noqa: S106 - made up on purpose
            region_name=state.region, botocore_session=core,
        )  # fmt: skip
        return session, state.stack, state.aws_endpoint_url
