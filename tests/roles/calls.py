"""The AWS calls that functions of a local system make, in IAM's terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, Final

from botocore.handlers import BUILTIN_HANDLERS

from auditwire_local.runtime import running
from auditwire_local.sandbox import ACCOUNT


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS call of a function in IAM's terms."""

    function: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


class Recorder:
    """Every AWS call that functions made while it listened, each kind once.

    Made before the functions start, which is when they make their clients.
    """

    def __init__(self) -> None:
        self._calls: dict[tuple[object, ...], Call] = {}
        self._lock = Lock()
        hang_in()

    def calls(self, function: str | None = None) -> list[Call]:
        """The calls of one function, or of all."""
        with self._lock:
            return [call for call in self._calls.values() if function in {None, call.function}]

    def record(self, call: Call) -> None:
        """Put down one call."""
        with self._lock:
            kind = call.function, call.action, call.resource, *sorted(call.context.items())
            self._calls.setdefault(kind, call)

    def __enter__(self) -> "Recorder":
        _listeners.append(self)
        return self

    def __exit__(self, *args: object) -> None:
        _listeners.remove(self)


_listeners: list[Recorder] = []
_workgroups: dict[str, str] = {}
"""Of Athena's queries, by their identifiers."""
_LOCKS: Final = f"{__name__}.locks"
_TEMPORARY: Final = "ASIA"
"""What the access keys begin with that STS gives for a role."""


def _on_call(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
    """botocore's hook before each call; only calls from inside a handler count."""
    function = running.get()
    if function is not None and _listeners:
        made = {**params, "Region": context["client_region"]}
        call = iam_call(function, model.service_model.service_name, model.name, made)
        context[__name__] = call
        context[_LOCKS] = model.name == "PutObject" and "ObjectLockMode" in params


def _on_signing(request_signer: Any, context: dict[str, Any], **_: object) -> None:
    """botocore's hook behind that one, which knows with whose rights the call is made: calls under a role that the
    function has assumed are none of its own."""
    credentials = request_signer._credentials
    if credentials is not None and credentials.access_key.startswith(_TEMPORARY):
        context.pop(__name__, None)
    call = context.get(__name__)
    if call is not None:
        _tell(call)
        if context[_LOCKS]:
            # Retaining an object is a permission of its own.
            _tell(Call(call.function, "s3:PutObjectRetention", call.resource))


def _on_answer(
    http_response: Any, parsed: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: object
) -> None:
    """botocore's hook after each call.

    S3 says 404 only to callers who may list the bucket, with the object's key as the prefix; to others it says 403.
    """
    call = context.get(__name__)
    if call is not None and model.name == "StartQueryExecution" and "QueryExecutionId" in parsed:
        _workgroups[parsed["QueryExecutionId"]] = call.resource
    if call is not None and model.name in {"GetObject", "HeadObject"} and http_response.status_code == 404:
        bucket, _, key = call.resource.partition("/")
        _tell(Call(call.function, "s3:ListBucket", bucket, {"s3:prefix": key}))


def _tell(call: Call) -> None:
    for listener in _listeners:
        listener.record(call)


@cache
def hang_in() -> None:
    """Give every session that is made from now on the hooks, which is how moto gets at every client too."""
    BUILTIN_HANDLERS.append(("before-parameter-build", _on_call))
    BUILTIN_HANDLERS.append(("before-call", _on_signing))
    BUILTIN_HANDLERS.append(("after-call", _on_answer))


def iam_call(function: str, service: str, operation: str, params: Mapping[str, Any]) -> Call:
    """A botocore call as IAM sees it; ``params`` are the operation's, with the client's ``Region`` added.

    An operation that is not in the table becomes ``service:Operation`` on ``*``, which least privilege never allows:
    so a test that holds calls against roles fails until the table knows it.
    """
    try:
        action, resource = _IAM[service, operation]
    except KeyError:
        return Call(function, f"{service}:{operation}", "*")
    return Call(function, action, resource(params), _context(operation, params))


def _context(operation: str, params: Mapping[str, Any]) -> dict[str, str]:
    """The condition keys of a call that the template's policies ask for; of several values, joined by commas."""
    if operation.startswith("ListObject") and "Prefix" in params:
        return {"s3:prefix": params["Prefix"]}
    if operation == "PutObject" and "IfNoneMatch" in params:
        return {"s3:if-none-match": params["IfNoneMatch"]}
    if operation == "UpdateItem":
        return {"dynamodb:Attributes": ",".join({*params["Key"], *params["ExpressionAttributeNames"].values()})}
    return {}


def _object_arn(params: Mapping[str, Any]) -> str:
    return f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"


def _bucket_arn(params: Mapping[str, Any]) -> str:
    return f"arn:aws:s3:::{params['Bucket']}"


def _topic_arn(params: Mapping[str, Any]) -> str:
    return str(params["TopicArn"])


def _queue_arn(params: Mapping[str, Any]) -> str:
    # The address ends in /ACCOUNT/NAME.
    account, name = params["QueueUrl"].split("/")[-2:]
    return f"arn:aws:sqs:{params['Region']}:{account}:{name}"


def _table_arn(params: Mapping[str, Any]) -> str:
    return f"arn:aws:dynamodb:{params['Region']}:{ACCOUNT}:table/{params['TableName']}"


def _batch_table_arn(params: Mapping[str, Any]) -> str:
    # Ours name one table; of several, one that no statement allows would be passed over.
    [table] = params["RequestItems"]
    return _table_arn({**params, "TableName": table})


def _workgroup_arn(params: Mapping[str, Any]) -> str:
    if "QueryExecutionId" in params:
        # The other calls name the query alone.
        return _workgroups[params["QueryExecutionId"]]
    return f"arn:aws:athena:{params['Region']}:{ACCOUNT}:workgroup/{params['WorkGroup']}"


def _key_arn(params: Mapping[str, Any]) -> str:
    return str(params["KeyId"])


def _secret_arn(params: Mapping[str, Any]) -> str:
    return str(params["SecretId"])


_IAM: dict[tuple[str, str], tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    ("s3", "GetObject"): ("s3:GetObject", _object_arn),
    ("s3", "HeadObject"): ("s3:GetObject", _object_arn),
    ("s3", "PutObject"): ("s3:PutObject", _object_arn),
    ("s3", "DeleteObject"): ("s3:DeleteObject", _object_arn),
    ("s3", "ListObjectsV2"): ("s3:ListBucket", _bucket_arn),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions", _bucket_arn),
    ("sts", "AssumeRole"): ("sts:AssumeRole", lambda params: str(params["RoleArn"])),
    ("kms", "Sign"): ("kms:Sign", _key_arn),
    ("kms", "Verify"): ("kms:Verify", _key_arn),
    ("kms", "GetPublicKey"): ("kms:GetPublicKey", _key_arn),
    ("cloudwatch", "GetMetricData"): ("cloudwatch:GetMetricData", lambda params: "*"),
    ("cloudwatch", "ListMetrics"): ("cloudwatch:ListMetrics", lambda params: "*"),
    ("athena", "StartQueryExecution"): ("athena:StartQueryExecution", _workgroup_arn),
    ("athena", "StopQueryExecution"): ("athena:StopQueryExecution", _workgroup_arn),
    ("athena", "GetQueryExecution"): ("athena:GetQueryExecution", _workgroup_arn),
    ("athena", "GetQueryResults"): ("athena:GetQueryResults", _workgroup_arn),
    ("sns", "Publish"): ("sns:Publish", _topic_arn),
    ("sns", "PublishBatch"): ("sns:Publish", _topic_arn),
    ("sqs", "SendMessage"): ("sqs:SendMessage", _queue_arn),
    ("sqs", "SendMessageBatch"): ("sqs:SendMessage", _queue_arn),
    ("sqs", "ReceiveMessage"): ("sqs:ReceiveMessage", _queue_arn),
    ("sqs", "DeleteMessage"): ("sqs:DeleteMessage", _queue_arn),
    ("sqs", "DeleteMessageBatch"): ("sqs:DeleteMessage", _queue_arn),
    ("sqs", "ChangeMessageVisibilityBatch"): ("sqs:ChangeMessageVisibility", _queue_arn),
    ("sqs", "GetQueueAttributes"): ("sqs:GetQueueAttributes", _queue_arn),
    ("dynamodb", "GetItem"): ("dynamodb:GetItem", _table_arn),
    ("dynamodb", "PutItem"): ("dynamodb:PutItem", _table_arn),
    ("dynamodb", "DeleteItem"): ("dynamodb:DeleteItem", _table_arn),
    ("dynamodb", "UpdateItem"): ("dynamodb:UpdateItem", _table_arn),
    ("dynamodb", "Scan"): ("dynamodb:Scan", _table_arn),
    ("dynamodb", "BatchGetItem"): ("dynamodb:BatchGetItem", _batch_table_arn),
    ("dynamodb", "BatchWriteItem"): ("dynamodb:BatchWriteItem", _batch_table_arn),
    ("secretsmanager", "GetSecretValue"): ("secretsmanager:GetSecretValue", _secret_arn),
}
