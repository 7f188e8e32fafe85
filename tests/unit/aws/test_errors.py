import pytest
from botocore.exceptions import ClientError

from auditwire.aws.errors import code_of, status_of


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}, 404, "NoSuchKey"),
        ({"Error": {"Code": "Throttling"}}, 0, "Throttling"),
        ({"ResponseMetadata": {"HTTPStatusCode": 500}}, 500, ""),
        ({"Error": {}}, 0, ""),
    ],
    ids=["both", "code", "status", "neither"],
)
def test_status_and_code_are_found_where_they_are_named(answer: dict[str, object], status: int, code: str) -> None:
    error = ClientError(answer, "GetObject")  # type: ignore[arg-type]

    assert (status_of(error), code_of(error)) == (status, code)
