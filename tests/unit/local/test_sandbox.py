"""The in-process AWS never meets the user's credentials, and answers other processes."""

import os

import boto3
import pytest

from auditwire_local.errors import AlreadyRunningError
from auditwire_local.sandbox import sandbox


def test_the_users_aws_environment_is_gone_while_it_is_open_and_back_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = {
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL_S3": "https://real.example.com",
    }
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)

    with sandbox("eu-central-1", "127.0.0.1", 0):
        inside = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        credentials = boto3.Session().get_credentials()

    assert not set(inside.values()) & set(theirs.values())
    assert inside["AWS_REGION"] == inside["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert credentials is not None
    assert credentials.access_key != "AKIAREAL"
    assert dict(os.environ) == before


def test_its_address_shows_the_same_state_to_others() -> None:
    with sandbox("us-east-1", "127.0.0.1", 0) as url:
        boto3.client("sns").create_topic(Name="from-inside")
        from_outside = boto3.client("sns", endpoint_url=url)
        from_outside.create_topic(Name="from-outside")
        topics = boto3.client("sns").list_topics()["Topics"]

    assert [topic["TopicArn"].rpartition(":")[2] for topic in topics] == ["from-inside", "from-outside"]


def test_a_process_has_only_one() -> None:
    with (
        sandbox("us-east-1", "127.0.0.1", 0),
        pytest.raises(AlreadyRunningError, match=r"^a local system is already running in this process$"),
        sandbox("us-east-1", "127.0.0.1", 0),
    ):
        pass


def test_nothing_is_left_for_the_next_one() -> None:
    with sandbox("us-east-1", "127.0.0.1", 0):
        boto3.client("sqs").create_queue(QueueName="left")
    with sandbox("us-east-1", "127.0.0.1", 0):
        assert "QueueUrls" not in boto3.client("sqs").list_queues()
