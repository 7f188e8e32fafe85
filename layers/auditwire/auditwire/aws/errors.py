"""What an error of AWS says."""

from botocore.exceptions import ClientError


def status_of(error: ClientError) -> int:
    """The HTTP status of the answer, 0 where it names none."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def code_of(error: ClientError) -> str:
    """The service's word for the error, such as ``NoSuchKey``; empty where it names none."""
    return error.response.get("Error", {}).get("Code", "")
