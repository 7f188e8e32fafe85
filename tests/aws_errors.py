"""Answers of AWS that say no, as botocore raises them."""

from typing import Any

from botocore.exceptions import ClientError


def client_error(status: int, code: str = "x", operation: str = "x") -> ClientError:
    """A refusal with this HTTP status and error code."""
    response: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)
