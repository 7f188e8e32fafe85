"""How a command finds its stack, and what it says when AWS will not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions

from auditwire.alerts import DeadLetterError
from auditwire.archive.errors import QuarantineError
from auditwire.bundles.rules_bucket import RulesBucketError
from auditwire_cli.errors import CallError, CommandError
from auditwire_cli.stack import Stack, in_one_sentence

Run = Callable[..., Any]
STATE = {"region": "us-east-1", "stack": "auditwire", "aws_endpoint_url": "http://127.0.0.1:9"}


def client_error(operation: str, code: str, message: str = "no") -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "message", "exit_code"),
    [
        (client_error("DescribeStacks", "ValidationError", "Stack with id s does not exist"), "there is no stack s", 1),
        (client_error("DescribeStacks", "AccessDenied"), "you may not cloudformation:DescribeStacks", 1),
        (client_error("PutObject", "InvalidAccessKeyId"), "the AWS credentials are not valid, or not any longer", 1),
        (client_error("PutObject", "NoSuchBucket"), "the bucket of the stack s is gone", 1),
        (client_error("PutObject", "SlowDown", "Reduce it"), "AWS refused PutObject: Reduce it", 1),
        (exceptions.NoRegionError(), "no AWS region is set", 2),
        (exceptions.NoCredentialsError(), "there are no AWS credentials", 1),
        (exceptions.ProfileNotFound(profile="p"), "there is no AWS profile p", 2),
        (exceptions.EndpointConnectionError(endpoint_url="http://192.0.2.1"), "nothing answers at http://192.0.2.1", 1),
        (exceptions.ReadTimeoutError(endpoint_url="u"), 'AWS cannot be asked: Read timeout on endpoint URL: "u"', 1),
        (ValueError("Invalid endpoint: x"), "not an address of AWS: x", 2),
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

    assert caught.value.message == f"you may not s3:{action} on s3://bucket/rules/a.yaml"
    assert caught.value.hint == "ask for that permission, or another role"


def test_a_missing_permission_on_quarantine_and_queue_is_named() -> None:
    denied, unreadable = client_error("HeadObject", "403"), client_error("ReceiveMessage", "AccessDenied")

    with pytest.raises(CommandError) as quarantine, in_one_sentence(Stack()):
        raise QuarantineError(f"s3://bucket/quarantine/x.gz: could not be read: {denied}") from denied
    with pytest.raises(CommandError) as queue, in_one_sentence(Stack()):
        raise DeadLetterError(f"the dead-letter queue cannot be read: {unreadable}") from unreadable

    assert quarantine.value.message == "you may not s3:GetObject on s3://bucket/quarantine/x.gz"
    assert queue.value.message == "you may not sqs:ReceiveMessage"


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(ValueError, match="ours"), in_one_sentence(Stack()):
        raise ValueError("ours")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--state", "missing.json"], "auditwire: no state file at missing.json\n"),
        (["--state", "odd.json"], "auditwire: odd.json is not a state file of `auditwire dev`\n"),
        (["--state", "."], "auditwire: cannot read the state file .: Is a directory\n"),
        (["--state", "dev.json", "--stack", "other"], "auditwire: --state says already which stack and where\n"),
        (["--state", "dev.json", "--region", "x"], "auditwire: --state says already which stack and where\n"),
        (["--profile", "nobody"], "auditwire: there is no AWS profile nobody\n"),
        (["--region", "us-east-1", "--endpoint-url", "x"], "auditwire: not an address of AWS: x\n"),
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
        "auditwire: nothing answers at http://127.0.0.1:9/\n  hint: is `auditwire dev` still running?\n"
    )


def test_a_call_error_stays_what_it_is() -> None:
    with pytest.raises(CallError, match="mine"), in_one_sentence(Stack()):
        raise CallError("mine")
