"""Does what CloudWatch Logs does with a subscription filter whose destination is a function of the stack.

moto keeps the filters, and would run the function in a container. As on AWS a filter is only made where a permission
lets CloudWatch Logs call the function for that log group.
"""

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import patch

from moto.awslambda.models import LambdaBackend
from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogsBackend

Call = Callable[[str, Mapping[str, Any]], None]
"""Calls the function with an ARN for an event, some time."""


def delivery(account: str, group: str, stream: str, filter_name: str, events: Iterable[Mapping[str, Any]]) -> Any:
    """The event of a function for log events of one stream."""
    message = {
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [filter_name],
        "logEvents": list(events),
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()}}


@contextmanager
def delivered_logs(permissions: Iterable[Mapping[str, Any]], call: Call) -> Iterator[None]:
    """Inside, what is put into a log group goes to the functions that are subscribed to it. ``permissions`` are those
    of the template."""
    allowed = [
        (one["FunctionName"], one["SourceArn"]) for one in permissions if one["Principal"] == "logs.amazonaws.com"
    ]
    moto_put = LogsBackend.put_subscription_filter

    def put(
        self: Any, log_group_name: str, filter_name: str, filter_pattern: str, destination_arn: str, role: str
    ) -> None:
        source = f"arn:aws:logs:{self.region_name}:{self.account_id}:log-group:{log_group_name}:*"
        if not any(
            destination_arn in (function, f"{function}:$LATEST") and fnmatchcase(source, pattern)
            for function, pattern in allowed
        ):
            raise InvalidParameterException(
                "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute "
                "your function."
            )
        moto_put(self, log_group_name, filter_name, filter_pattern, destination_arn, role)

    def send(
        self: Any, function_arn: str, filter_name: str, log_group_name: str, log_stream_name: str, log_events: Any
    ) -> None:
        call(function_arn, delivery(self.account_id, log_group_name, log_stream_name, filter_name, log_events))

    with ExitStack() as stack:
        stack.enter_context(patch.object(LogsBackend, "put_subscription_filter", put))
        stack.enter_context(patch.object(LambdaBackend, "send_log_event", send))
        yield
