"""A conditional put: done, not done because the condition does not hold, or repeated while another writer is busy."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from auditwire.aws.conditional_put import conditional_put
from aws_errors import client_error


class Bucket:
    """A client whose put_object fails as told, one time after the other, and then succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    def put_object(self, **request: Any) -> dict[str, Any]:
        if self.failures:
            raise self.failures.pop(0)
        return {"ETag": "v", "Key": request["Key"]}


def put(bucket: Any, waits: list[float], **condition: Any) -> Any:
    request: Any = {"Bucket": "b", "Key": "k", **condition}
    return conditional_put(bucket, request, waits.append)


@pytest.mark.parametrize("condition", [{"IfNoneMatch": "*"}, {"IfMatch": "v"}], ids=["new", "replace"])
@pytest.mark.parametrize(
    ("statuses", "waits"), [([], []), ([409], [0.05]), ([409, 409, 409], [0.05, 0.1, 0.2])], ids=str
)
def test_a_put_is_repeated_while_another_writer_is_busy(
    condition: dict[str, Any], statuses: list[int], waits: list[float]
) -> None:
    waited: list[float] = []

    answer = put(Bucket(*map(client_error, statuses)), waited, **condition)

    assert (answer, waited) == ({"ETag": "v", "Key": "k"}, waits)


@pytest.mark.parametrize(
    ("condition", "statuses"),
    [
        ({"IfNoneMatch": "*"}, [412]),
        ({"IfMatch": "v"}, [412]),
        ({"IfMatch": "v"}, [404]),
        ({"IfNoneMatch": "*"}, [409, 409, 412]),
    ],
    ids=str,
)
def test_a_condition_that_does_not_hold_writes_nothing(condition: dict[str, Any], statuses: list[int]) -> None:
    assert put(Bucket(*map(client_error, statuses)), [], **condition) is None


@pytest.mark.parametrize(
    ("condition", "failures"),
    [
        ({"IfNoneMatch": "*"}, [client_error(404)]),
        ({"IfMatch": "v"}, [client_error(403)]),
        ({"IfMatch": "v"}, [client_error(503)]),
        ({"IfMatch": "v"}, [client_error(409), ReadTimeoutError(endpoint_url="x")]),
        ({"IfNoneMatch": "*"}, [client_error(409)] * 4),
    ],
    ids=["no bucket", "forbidden", "down", "slow", "always busy"],
)
def test_anything_else_is_raised(condition: dict[str, Any], failures: list[Exception]) -> None:
    with pytest.raises(type(failures[-1])) as raised:
        put(Bucket(*failures), [], **condition)

    assert raised.value is failures[-1]
