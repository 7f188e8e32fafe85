"""Reading the errors that AWS answers with."""

from botocore.exceptions import ClientError


def status_of(error: ClientError) -> int:
    """The HTTP status of the answer, or 0 if it has none."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def code_of(error: ClientError) -> str:
    """The service's error code, such as ``NoSuchKey``, or an empty string if there is none."""
    return error.response.get("Error", {}).get("Code", "")
