"""What a role allows, what was used of it, what it refuses; and what AWS itself does with it."""

from pathlib import Path
from typing import Any

import pytest

from auditwire_local.deploy import Stack
from auditwire_local.resources import Deployed
from auditwire_local.runtime import Configuration
from roles.calls import Call
from roles.permissions import parse_statements
from roles.service_calls import with_service_calls
from roles.use import Grant, Refused, RoleUse, read_role_uses, role_use, write_role_use

BUCKET = "arn:aws:s3:::stack-bucket-x1"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/clusters"
KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
NAMES = {BUCKET: "Bucket", f"{BUCKET}-longer": "Other", TABLE: "Table"}
STATEMENTS = parse_statements(
    {
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{BUCKET}/a/*"},
            {
                "Sid": "List",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": BUCKET,
                "Condition": {"StringLike": {"s3:prefix": ["a/*", "b/*"]}},
            },
            {
                "Sid": "New",
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "Resource": f"{BUCKET}/new/*",
                "Condition": {"Null": {"s3:if-none-match": "false"}},
            },
            {
                "Sid": "Note",
                "Effect": "Allow",
                "Action": "dynamodb:UpdateItem",
                "Resource": TABLE,
                "Condition": {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["key", "seen"]}},
            },
        ]
    }
)


def used_by(*calls: Call) -> RoleUse:
    return role_use({"f": STATEMENTS}, calls, NAMES)


def test_every_combination_that_a_role_allows_is_one_permission() -> None:
    assert used_by().granted == {
        Grant("f", "Read", "s3:GetObject", "Bucket/a/*", ""),
        Grant("f", "Read", "s3:PutObject", "Bucket/a/*", ""),
        Grant("f", "List", "s3:ListBucket", "Bucket", "s3:prefix a/*"),
        Grant("f", "List", "s3:ListBucket", "Bucket", "s3:prefix b/*"),
        Grant("f", "New", "s3:PutObject", "Bucket/new/*", "s3:if-none-match false"),
        Grant("f", "Note", "dynamodb:UpdateItem", "Table", "dynamodb:Attributes key"),
        Grant("f", "Note", "dynamodb:UpdateItem", "Table", "dynamodb:Attributes seen"),
    }
    assert used_by().used == set()


@pytest.mark.parametrize(
    ("call", "used"),
    [
        (Call("f", "s3:GetObject", f"{BUCKET}/a/1"), {"s3:GetObject on Bucket/a/* (statement Read)"}),
        (
            Call("f", "s3:ListBucket", BUCKET, {"s3:prefix": "b/1"}),
            {"s3:ListBucket on Bucket with s3:prefix b/* (statement List)"},
        ),
        (
            Call("f", "s3:PutObject", f"{BUCKET}/new/1", {"s3:if-none-match": "*"}),
            {"s3:PutObject on Bucket/new/* with s3:if-none-match false (statement New)"},
        ),
        (
            Call("f", "dynamodb:UpdateItem", TABLE, {"dynamodb:Attributes": "key,seen"}),
            {
                "dynamodb:UpdateItem on Table with dynamodb:Attributes key (statement Note)",
                "dynamodb:UpdateItem on Table with dynamodb:Attributes seen (statement Note)",
            },
        ),
    ],
)
def test_a_call_uses_the_permission_that_allows_it_and_no_other(call: Call, used: set[str]) -> None:
    use = used_by(call)

    assert {str(grant).removeprefix("f: ") for grant in use.used} == used
    assert use.refused == set()


@pytest.mark.parametrize(
    ("call", "refused"),
    [
        (Call("f", "s3:GetObject", f"{BUCKET}/b/1"), "f: s3:GetObject on Bucket/b/1"),
        (Call("f", "s3:DeleteObject", f"{BUCKET}/a/1"), "f: s3:DeleteObject on Bucket/a/1"),
        (Call("f", "s3:GetObject", f"{BUCKET}-longer/a/1"), "f: s3:GetObject on Other/a/1"),
        (
            Call("f", "s3:ListBucket", BUCKET, {"s3:prefix": "c/"}),
            "f: s3:ListBucket on Bucket with s3:prefix c/",
        ),
        (Call("f", "s3:PutObject", f"{BUCKET}/new/1"), "f: s3:PutObject on Bucket/new/1"),
        (
            Call("f", "dynamodb:UpdateItem", TABLE, {"dynamodb:Attributes": "key,cluster"}),
            "f: dynamodb:UpdateItem on Table with dynamodb:Attributes key,cluster",
        ),
    ],
)
def test_a_call_that_nothing_allows_is_named(call: Call, refused: str) -> None:
    assert list(map(str, used_by(call).refused)) == [refused]


def test_what_several_systems_used_adds_up(tmp_path: Path) -> None:
    write_role_use(used_by(Call("f", "s3:GetObject", f"{BUCKET}/a/1")), tmp_path)
    write_role_use(used_by(Call("f", "s3:PutObject", f"{BUCKET}/a/1"), Call("f", "sns:Publish", "t")), tmp_path)

    both = read_role_uses(tmp_path)

    assert {grant.action for grant in both.used} == {"s3:GetObject", "s3:PutObject"}
    assert both.refused == {Refused("f", "sns:Publish", "t", "")}
    assert both.granted == used_by().granted


def stack(*resources: Deployed) -> Stack:
    return Stack("s", "us-east-1", {}, {resource.logical_id: resource for resource in resources}, {})


def function(**properties: Any) -> tuple[Configuration, Deployed]:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:s-Relay"
    configuration = Configuration("relay", "Relay", "s-Relay", arn, "role", "app.handler", 128, 30, {}, Path("relay"))
    return configuration, Deployed("Relay", "AWS::Lambda::Function", "s-Relay", {"Arn": arn}, properties)


def test_lambda_writes_the_log_and_takes_messages_with_the_role() -> None:
    configuration, deployed = function(LoggingConfig={"LogGroup": "group"})
    mapping = {"FunctionName": "s-Relay", "EventSourceArn": "queue"}
    other = {"FunctionName": "s-Relay-two", "EventSourceArn": "another"}
    everything = stack(
        deployed,
        Deployed("M", "AWS::Lambda::EventSourceMapping", "m", {}, mapping),
        Deployed("O", "AWS::Lambda::EventSourceMapping", "o", {}, other),
    )

    made = {(call.action, call.resource) for call in with_service_calls([], [configuration], everything)}

    group = "arn:aws:logs:us-east-1:123456789012:log-group:group:log-stream:any"
    assert made == {
        ("sqs:ReceiveMessage", "queue"),
        ("sqs:DeleteMessage", "queue"),
        ("sqs:GetQueueAttributes", "queue"),
        ("logs:CreateLogStream", group),
        ("logs:PutLogEvents", group),
    }


def test_lambda_joins_a_network_with_the_role() -> None:
    configuration, deployed = function(VpcConfig={"SubnetIds": ["subnet-1"]})

    made = {call.action for call in with_service_calls([], [configuration], stack(deployed)) if call.resource == "*"}

    assert {action.partition(":")[0] for action in made} == {"ec2"}


@pytest.mark.parametrize("key", [KEY, "alias/aws/s3", ""])
def test_a_key_of_the_customer_is_used_in_the_callers_name(key: str) -> None:
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    bucket = {"BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}}
    encrypted = stack(
        Deployed("B", "AWS::S3::Bucket", "b", {"Arn": BUCKET}, bucket),
        Deployed("T", "AWS::DynamoDB::Table", "t", {"Arn": TABLE}, {"SSESpecification": {"KMSMasterKeyId": key}}),
        Deployed("Q", "AWS::SQS::Queue", "q", {"Arn": "queue"}, {"KmsMasterKeyId": key}),
        Deployed("P", "AWS::SNS::Topic", "topic", {"TopicArn": "topic"}, {"KmsMasterKeyId": key}),
    )
    calls = [
        Call("f", "s3:PutObject", f"{BUCKET}/a/1"),
        Call("f", "dynamodb:Query", f"{TABLE}/index/by-user"),
        Call("f", "sqs:SendMessage", "queue"),
        Call("f", "sqs:DeleteMessage", "queue"),
        Call("f", "sns:Publish", "topic"),
    ]

    made = with_service_calls(calls, [], encrypted)[len(calls) :]

    both = [("kms:Decrypt", KEY), ("kms:GenerateDataKey", KEY)]
    expected = [("kms:GenerateDataKey", KEY), ("kms:Decrypt", KEY), *both, *both] if key == KEY else []
    assert [(call.action, call.resource) for call in made] == expected
