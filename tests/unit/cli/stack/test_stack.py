"""How a command finds its stack, and what it says when AWS will not."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from botocore import exceptions
from typer.testing import CliRunner

from auditwire.alerts import DeadLetterError
from auditwire.archive.errors import QuarantineError
from auditwire.bundles.rules_bucket import RulesBucketError
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.main import app
from auditwire_cli.stack import DEFAULT_STATE, Stack, in_one_sentence, on_stack
from auditwire_cli.stack.stack import WITHOUT_STACK

Run = Callable[..., Any]
STATE = {
    "url": "http://127.0.0.1:9",
    "ca_file": None,
    "aws_endpoint_url": "http://127.0.0.1:9",
    "region": "us-east-1",
    "stack": "auditwire",
    "clusters": {"demo": {"credential": "x", "sender": "kubernetes"}},
}


def client_error(operation: str, code: str, message: str = "no") -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "message", "exit_code"),
    [
        (client_error("DescribeStacks", "ValidationError", "Stack with id s does not exist"), "there is no stack s", 1),
        (client_error("ListMetrics", "AccessDenied"), "you are not allowed to call cloudwatch:ListMetrics", 1),
        (client_error("PutObject", "ExpiredToken"), "the AWS credentials are invalid or have expired", 1),
        (client_error("PutObject", "NoSuchBucket"), "the bucket of the stack s no longer exists", 1),
        (client_error("PutObject", "SlowDown", "Reduce it"), "AWS refused PutObject: Reduce it", 1),
        (exceptions.NoRegionError(), "no AWS region is set", 2),
        (exceptions.NoCredentialsError(), "there are no AWS credentials", 1),
        (exceptions.ProfileNotFound(profile="p"), "there is no AWS profile p", 2),
        (exceptions.EndpointConnectionError(endpoint_url="http://192.0.2.1"), "nothing answers at http://192.0.2.1", 1),
        (exceptions.ReadTimeoutError(endpoint_url="u"), 'AWS cannot be reached: Read timeout on endpoint URL: "u"', 1),
        (ValueError("Invalid endpoint: x"), "this is not an address of AWS: x", 2),
        (RulesBucketError("bundles/ is odd"), "bundles/ is odd", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_aws_will_not_do_is_one_sentence(error: Exception, message: str, exit_code: int) -> None:
    with (
        pytest.raises(CommandError) as caught,
        in_one_sentence(Stack("s", "p", endpoint_url="x")),
    ):
        raise error

    assert (caught.value.message, caught.value.exit_code) == (message, exit_code)


@pytest.mark.parametrize(
    ("operation", "action"), [("PutObject", "PutObject"), ("ListObjectsV2", "ListBucket"), ("GetObject", "GetObject")]
)
def test_a_missing_permission_is_named_with_its_object(operation: str, action: str) -> None:
    cause = client_error(operation, "AccessDenied")

    with pytest.raises(CommandError) as caught, in_one_sentence(Stack()):
        raise RulesBucketError(f"s3://bucket/rules/a.yaml: {cause}") from cause

    assert caught.value.message == f"you are not allowed to call s3:{action} on s3://bucket/rules/a.yaml"
    assert caught.value.hint == "ask for this permission, or use another role"


def test_a_missing_permission_on_quarantine_and_queue_is_named() -> None:
    denied, unreadable = client_error("HeadObject", "403"), client_error("ReceiveMessage", "AccessDenied")

    with pytest.raises(CommandError) as quarantine, in_one_sentence(Stack()):
        raise QuarantineError(f"s3://bucket/quarantine/x.gz: could not be read: {denied}") from denied
    with pytest.raises(CommandError) as queue, in_one_sentence(Stack()):
        raise DeadLetterError(f"the dead-letter queue cannot be read: {unreadable}") from unreadable

    assert quarantine.value.message == "you are not allowed to call s3:GetObject on s3://bucket/quarantine/x.gz"
    assert queue.value.message == "you are not allowed to call sqs:ReceiveMessage"


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(ValueError, match="ours"), in_one_sentence(Stack()):
        raise ValueError("ours")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--state", "missing.json"], "auditwire: there is no state file missing.json\n"),
        (["--state", "odd.json"], "auditwire: odd.json is not a state file of `auditwire dev`\n"),
        (["--state", "."], "auditwire: cannot read the state file .: Is a directory\n"),
        (["--state", "dev.json", "--stack", "other"], "auditwire: --state says already which stack and where\n"),
        (["--state", "dev.json", "--region", "x"], "auditwire: --state says already which stack and where\n"),
        (["--profile", "nobody"], "auditwire: there is no AWS profile nobody\n"),
        (["--region", "us-east-1", "--endpoint-url", "x"], "auditwire: this is not an address of AWS: x\n"),
        ([], "auditwire: no AWS region is set\n"),
    ],
)
def test_options_that_cannot_be(
    auditwire: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    Path("odd.json").write_text("{}")
    Path("dev.json").write_text(json.dumps(STATE))

    result = auditwire("rules", "status", *arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith(message)


def test_a_system_that_has_ended_is_named(auditwire: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is set for AWS is not asked where the state file says everything.
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    state = tmp_path / "dev.json"
    state.write_text(json.dumps(STATE))

    result = auditwire("rules", "status", "--state", state)

    assert result.exit_code == 1
    assert result.stderr == (
        f"auditwire: nothing answers at http://127.0.0.1:9/\n  hint: {state} says so: is `auditwire dev` still running?"
        " --stack NAME is for a stack on AWS\n"
    )


def test_a_call_error_stays_what_it_is() -> None:
    with pytest.raises(UsageError, match="mine"), in_one_sentence(Stack()):
        raise UsageError("mine")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which `auditwire dev` seems to run."""
    monkeypatch.chdir(tmp_path)
    DEFAULT_STATE.parent.mkdir()
    DEFAULT_STATE.write_text(json.dumps(STATE))
    return tmp_path


def test_the_system_that_runs_in_this_folder_is_found_and_named(auditwire: Run, folder: Path) -> None:
    result = auditwire("rules", "status")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[:2] == [
        "using the local system of .auditwire/dev.json; --stack NAME is for a stack on AWS",
        "auditwire: nothing answers at http://127.0.0.1:9/",
    ]


@pytest.mark.parametrize("stack", [Stack("x"), Stack(profile="x"), Stack(region="x"), Stack(endpoint_url="x")])
def test_an_option_of_aws_means_aws(folder: Path, stack: Stack) -> None:
    assert Stack().state_file == DEFAULT_STATE
    assert stack.state_file is None


def test_elsewhere_the_stack_on_aws_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert Stack().state_file is None
    assert Stack().shown_name == "auditwire"


@pytest.mark.parametrize(
    ("stack", "text", "completed"),
    [
        (Stack(), "see `auditwire rules status`", "see `auditwire rules status`"),
        (
            Stack(state=Path("a b.json")),
            "`auditwire cluster list` or `auditwire cluster add x`",
            "`auditwire cluster list --state 'a b.json'` or `auditwire cluster add x --state 'a b.json'`",
        ),
        (
            Stack("s", "p", "r", "http://192.0.2.1"),
            "`auditwire dlq redrive --all`",
            "`auditwire dlq redrive --all --stack s --profile p --region r --endpoint-url http://192.0.2.1`",
        ),
        (Stack("s"), "see `auditwire rules check`", "see `auditwire rules check`"),
        (Stack("s"), "start `auditwire dev --tls`", "start `auditwire dev --tls`"),
        (Stack("s"), "`aws configure` and auditwire rules", "`aws configure` and auditwire rules"),
    ],
)
def test_commands_that_are_named_can_be_run_as_they_are(stack: Stack, text: str, completed: str) -> None:
    assert stack.completed(text) == completed
    assert stack.completed(completed) == completed


def test_hints_name_the_stack_again(auditwire: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught, in_one_sentence(Stack(state=tmp_path)):
        raise CommandError("no", "see `auditwire cluster list`")

    assert caught.value.hint == f"see `auditwire cluster list --state {tmp_path}`"


def commands(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, child in getattr(node, "commands", {}).items():
        if hasattr(child, "commands"):
            yield from commands(child, f"{path}{name} ")
        else:
            yield f"{path}{name}", child


def test_every_command_has_all_options_of_a_stack_or_is_known_to_have_none() -> None:
    options = {"--stack", "--profile", "--region", "--endpoint-url", "--state"}
    for name, command in commands(typer.main.get_command(app)):
        has = options & {one for option in command.params for one in option.opts}
        if {name, name.split()[0]}.isdisjoint(WITHOUT_STACK):
            assert has == options, name
        else:
            assert has <= {"--state"}, name


def test_a_command_gets_its_stack_in_place_of_the_options(tmp_path: Path) -> None:
    given: list[Any] = []

    @on_stack
    def look(name: str, *, limit: int = 3, where: Stack) -> None:
        """Look."""
        given.append((name, limit, where))

    app = typer.Typer()
    app.command()(look)
    result = CliRunner().invoke(app, ["x", "--stack", "s", "--state", str(tmp_path)])

    assert result.exit_code == 0
    assert given == [("x", 3, Stack(name="s", state=tmp_path))]


def test_only_a_command_that_takes_a_stack_gets_one() -> None:
    def look(*, where: str) -> None:
        pass

    with pytest.raises(TypeError, match="look takes no Stack"):
        on_stack(look)
