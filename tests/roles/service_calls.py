"""What AWS itself does with a function's role.

Nobody makes these calls on one machine, so they are read off what was deployed. Sources: Lambda's developer guide
(execution role, SQS, VPC) and the KMS chapters of the S3, SNS, SQS and DynamoDB guides.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import boto3

from auditwire_local.deploy import Stack
from auditwire_local.runtime import Configuration
from roles.calls import Call

_POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")
_NETWORKING = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
_KEY_USE = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
    "sns:Publish": ("kms:Decrypt", "kms:GenerateDataKey"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "sqs:SendMessage": ("kms:Decrypt", "kms:GenerateDataKey"),
}
_READING = frozenset(("s3:GetObject", "sqs:ReceiveMessage"))


def with_service_calls(calls: Iterable[Call], functions: Iterable[Configuration], stack: Stack) -> list[Call]:
    """The calls of these functions, and those that AWS makes on their account."""
    made = list(calls)
    for function in functions:
        made += _of_environment(function, stack)
    for call in list(made):
        if call.action == "athena:StartQueryExecution":
            made += _of_query(call, stack)
    return made + list(_with_keys(made, stack)) + list(_with_keys_of_others(made, stack))


def _of_environment(function: Configuration, stack: Stack) -> Iterator[Call]:
    """What Lambda does to take a function's messages, to pass on what failed, to write its log and to join its
    network."""
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping"):
        if function.function_name in mapping.properties["FunctionName"].split(":"):
            queue = mapping.properties["EventSourceArn"]
            yield from (Call(function.name, action, queue) for action in _POLLING)
    for config in stack.of_type("AWS::Lambda::EventInvokeConfig"):
        destination = config.properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if destination and config.properties["FunctionName"] == function.function_name:
            yield Call(function.name, "sqs:SendMessage", destination)
    properties = stack.resources[function.logical_id].properties
    group = properties.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{function.function_name}")
    account = function.arn.split(":")[4]
    stream = f"arn:aws:logs:{stack.region}:{account}:log-group:{group}:log-stream:any"
    yield from (Call(function.name, action, stream) for action in _LOGGING)
    if "VpcConfig" in properties:
        yield from (Call(function.name, action, "*") for action in _NETWORKING)


def _of_query(call: Call, stack: Stack) -> Iterator[Call]:
    """What Athena does to run a query: it looks up the tables, reads where they lie, and writes the results."""
    account, region = call.resource.split(":")[4], stack.region
    catalog = f"arn:aws:glue:{region}:{account}"
    (database,) = (one.physical_id for one in stack.of_type("AWS::Glue::Database"))
    tables = [one.properties["TableInput"] for one in stack.of_type("AWS::Glue::Table")]
    (group,) = (one.properties["WorkGroupConfiguration"] for one in stack.of_type("AWS::Athena::WorkGroup"))
    of_glue = [f"{catalog}:catalog", f"{catalog}:database/{database}"]
    of_glue += [f"{catalog}:table/{database}/{table['Name']}" for table in tables]
    for action in ("glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"):
        yield from (Call(call.function, action, resource) for resource in of_glue)
    for table in tables:
        bucket, _, prefix = table["StorageDescriptor"]["Location"].removeprefix("s3://").partition("/")
        yield Call(call.function, "s3:GetBucketLocation", f"arn:aws:s3:::{bucket}")
        yield Call(call.function, "s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": f"{prefix}any"})
        yield Call(call.function, "s3:GetObject", f"arn:aws:s3:::{bucket}/{prefix}any")
    results = group["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")[0]
    yield Call(call.function, "s3:GetBucketLocation", f"arn:aws:s3:::{results}")
    for action in ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"):
        yield Call(call.function, action, f"arn:aws:s3:::{results}/any")


def _with_keys(calls: Iterable[Call], stack: Stack) -> Iterator[Call]:
    """What calls make S3, SNS, SQS and DynamoDB do, in the caller's name, with a key of the customer's own."""
    keys = dict(_keys(stack))
    previous = [key for key in stack.parameters.get("PreviousKmsKeyArns", "").split(",") if key]
    for call in calls:
        # An object's bucket, an index's table; a topic or a queue is itself.
        key = keys.get(call.resource.partition("/")[0]) or keys.get("/".join(call.resource.split("/")[:2]))
        if key is not None:
            uses = ("kms:Decrypt",) if call.action.startswith("dynamodb:") else _KEY_USE.get(call.action, ())
            yield from (Call(call.function, action, key) for action in uses)
            if call.action in _READING:
                # It may still be encrypted with a key of before.
                yield from (Call(call.function, "kms:Decrypt", one) for one in previous)


def _with_keys_of_others(calls: Iterable[Call], stack: Stack) -> Iterator[Call]:
    """Decrypting what is read from a bucket that is not the stack's."""
    own = {bucket.physical_id for bucket in stack.of_type("AWS::S3::Bucket")}
    s3 = boto3.client("s3", region_name=stack.region)
    for call in calls:
        bucket = call.resource.removeprefix("arn:aws:s3:::").partition("/")[0]
        if call.action == "s3:GetObject" and bucket not in own:
            with suppress(s3.exceptions.ClientError):
                rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
                key = rules[0]["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")
                if key:
                    yield Call(call.function, "kms:Decrypt", key)


def _keys(stack: Stack) -> Iterator[tuple[str, str]]:
    """The ARN of each encrypted resource and of its key, where that is none of AWS's own."""
    for resource in stack.resources.values():
        arn = resource.attributes.get("Arn") or resource.attributes.get("TopicArn", "")
        key = _key(resource.properties)
        if key.startswith("arn:"):
            yield arn, key


def _key(properties: Mapping[str, Any]) -> str:
    table = properties.get("SSESpecification", {}).get("KMSMasterKeyId", "")
    rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    bucket = [rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID", "") for rule in rules]
    return str(properties.get("KmsMasterKeyId") or table or "".join(bucket))
