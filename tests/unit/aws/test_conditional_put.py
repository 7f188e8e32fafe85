"""A conditional put: done, not done because the condition does not hold, or repeated while another writer is busy."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from auditwire.aws.conditional_put import conditional_put


def refused(status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": "x", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "PutObject",
    )


class Bucket:
    """A client whose put_object fails as told, one time after the other, and then succeeds."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    def put_object(self, **request: Any) -> dict[str, Any]:
        if self.failures:
            raise self.failures.pop(0)
        return {"ETag": "v", "Key": request["Key"]}


def put(bucket: Any, waits: list[float], **condition: Any) -> Any:
    return conditional_put(bucket, {"Bucket": "b", "Key": "k", **condition}, waits.append)


@pytest.mark.parametrize("condition", [{"IfNoneMatch": "*"}, {"IfMatch": "v"}], ids=["new", "replace"])
@pytest.mark.parametrize(
    ("statuses", "waits"), [([], []), ([409], [0.05]), ([409, 409, 409], [0.05, 0.1, 0.2])], ids=str
)
def test_a_put_is_repeated_while_another_writer_is_busy(
    condition: dict[str, Any], statuses: list[int], waits: list[float]
) -> None:
    waited: list[float] = []

    answer = put(Bucket(*map(refused, statuses)), waited, **condition)

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
    assert put(Bucket(*map(refused, statuses)), [], **condition) is None


@pytest.mark.parametrize(
    ("condition", "failures"),
    [
        ({"IfNoneMatch": "*"}, [refused(404)]),
        ({"IfMatch": "v"}, [refused(403)]),
        ({"IfMatch": "v"}, [refused(503)]),
        ({"IfMatch": "v"}, [refused(409), ReadTimeoutError(endpoint_url="x")]),
        ({"IfNoneMatch": "*"}, [refused(409)] * 4),
    ],
    ids=["no bucket", "forbidden", "down", "slow", "always busy"],
)
def test_anything_else_is_raised(condition: dict[str, Any], failures: list[Exception]) -> None:
    with pytest.raises(type(failures[-1])) as raised:
        put(Bucket(*failures), [], **condition)

    assert raised.value is failures[-1]
