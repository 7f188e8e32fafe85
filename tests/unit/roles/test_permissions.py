"""Calls in IAM's terms, and whether statements allow them."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from auditwire_local.runtime import running
from auditwire_local.sandbox import sandbox
from roles.calls import Call, Recorder, iam_call
from roles.permissions import UnknownElementError, allowed, parse_statements

BUCKET = "arn:aws:s3:::bucket"
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:Get*", "sns:Publish"], "Resource": f"{BUCKET}/rules/*"},
        {
            "Sid": "List",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": BUCKET,
            "Condition": {"StringLike": {"s3:prefix": "rules/*"}},
        },
        {"Effect": "Deny", "Action": "s3:*", "Resource": [f"{BUCKET}/rules/secret?"]},
    ],
}


@pytest.mark.parametrize(
    ("action", "resource", "context", "expected"),
    [
        ("s3:GetObject", f"{BUCKET}/rules/a.yaml", {}, True),
        ("S3:getobject", f"{BUCKET}/rules/a/b", {}, True),
        ("s3:PutObject", f"{BUCKET}/rules/a.yaml", {}, False),
        ("s3:GetObject", f"{BUCKET}/events/a", {}, False),
        ("s3:GetObject", f"{BUCKET}/rules/secret1", {}, False),
        ("s3:GetObject", f"{BUCKET}/rules/secret12", {}, True),
        ("s3:ListBucket", BUCKET, {"s3:prefix": "rules/"}, True),
        ("s3:ListBucket", BUCKET, {"s3:prefix": "events/"}, False),
        ("s3:ListBucket", BUCKET, {}, False),
    ],
)
def test_what_statements_allow(action: str, resource: str, context: dict[str, str], expected: bool) -> None:
    assert allowed(parse_statements(DOCUMENT), action, resource, context) is expected


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ({"Effect": "Allow", "NotAction": "*", "Resource": "*"}, "NotAction"),
        (
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {}}},
            "the condition IpAddress",
        ),
    ],
)
def test_what_the_evaluator_does_not_know_is_refused(statement: dict[str, Any], what: str) -> None:
    with pytest.raises(UnknownElementError) as caught:
        parse_statements({"Statement": statement})

    assert str(caught.value) == f"the evaluator does not know {what} of an IAM statement"


@pytest.mark.parametrize(
    ("service", "operation", "params", "action", "resource"),
    [
        ("s3", "HeadObject", {"Bucket": "bucket", "Key": "k"}, "s3:GetObject", f"{BUCKET}/k"),
        ("sns", "PublishBatch", {"TopicArn": "t"}, "sns:Publish", "t"),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/q", "Region": "eu-west-1"},
            "sqs:SendMessage",
            "arn:aws:sqs:eu-west-1:123456789012:q",
        ),
        (
            "dynamodb",
            "GetItem",
            {"TableName": "t", "Region": "eu-west-1"},
            "dynamodb:GetItem",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/t",
        ),
        (
            "dynamodb",
            "BatchWriteItem",
            {"RequestItems": {"t": []}, "Region": "eu-west-1"},
            "dynamodb:BatchWriteItem",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/t",
        ),
        ("kinesis", "PutRecord", {}, "kinesis:PutRecord", "*"),
    ],
)
def test_a_call_in_iams_terms(service: str, operation: str, params: dict[str, Any], action: str, resource: str) -> None:
    assert iam_call("f", service, operation, params) == Call("f", action, resource)


def test_only_calls_from_inside_a_handler_are_recorded() -> None:
    with sandbox("us-east-1", "127.0.0.1", 0), Recorder() as recorder:
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="bucket")
        token = running.set("ingest")
        s3.put_object(Bucket="bucket", Key="events/x", Body=b"")
        s3.put_object(Bucket="bucket", Key="events/x", Body=b"")
        s3.list_objects_v2(Bucket="bucket", Prefix="rules/")
        running.reset(token)

    assert recorder.calls() == recorder.calls("ingest")
    assert recorder.calls("ingest") == [
        Call("ingest", "s3:PutObject", f"{BUCKET}/events/x"),
        Call("ingest", "s3:ListBucket", BUCKET, {"s3:prefix": "rules/"}),
    ]
    assert recorder.calls("relay") == []


def test_a_missing_object_is_told_to_those_who_may_list_it() -> None:
    with sandbox("us-east-1", "127.0.0.1", 0), Recorder() as recorder:
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="rules/a", Body=b"")
        token = running.set("ingest")
        s3.get_object(Bucket="bucket", Key="rules/a")
        for ask in (s3.get_object, s3.head_object):
            with pytest.raises(ClientError):
                ask(Bucket="bucket", Key="rules/b")
        running.reset(token)

    assert recorder.calls() == [
        Call("ingest", "s3:GetObject", f"{BUCKET}/rules/a"),
        Call("ingest", "s3:GetObject", f"{BUCKET}/rules/b"),
        Call("ingest", "s3:ListBucket", BUCKET, {"s3:prefix": "rules/b"}),
    ]
    assert [call.context for call in recorder.calls()] == [{}, {}, {"s3:prefix": "rules/b"}]


def test_a_condition_on_a_key_being_there() -> None:
    condition = {"Null": {"s3:if-none-match": "false"}}
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{BUCKET}/*", "Condition": condition}
    statements = parse_statements({"Statement": statement})
    call = iam_call("f", "s3", "PutObject", {"Bucket": "bucket", "Key": "k", "IfNoneMatch": "*"})

    assert allowed(statements, call.action, call.resource, call.context)
    assert not allowed(statements, call.action, call.resource, {})
