"""Files in a bucket of one's own, or in a foreign one under a role that is assumed anew before its rights end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from auditwire.ocsf.destination import AssumedRole, DestinationError, S3Destination

ROLE = "arn:aws:iam::123456789012:role/lake"


class Sts:
    """STS, whose rights last an hour."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 22, tzinfo=UTC)
        self.asked: list[dict[str, Any]] = []

    def assume_role(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"Credentials": {"AccessKeyId": str(len(self.asked)), "Expiration": self.now + timedelta(hours=1)}}

    def role(self, external_id: str = "") -> AssumedRole:
        def make(credentials: Any) -> Any:
            return credentials["AccessKeyId"]

        return AssumedRole(self.assume_role, ROLE, external_id, make, clock=lambda: self.now)


def test_a_role_is_assumed_with_its_external_id_and_anew_before_it_ends() -> None:
    sts = Sts()
    role = sts.role("secret-id")
    clients: list[Any] = []
    for minutes in (0, 54, 2, 58):
        sts.now += timedelta(minutes=minutes)
        clients.append(role())

    assert clients == ["1", "1", "2", "3"]
    assert sts.asked[0] == {
        "RoleArn": ROLE,
        "RoleSessionName": "auditwire-ocsf",
        "DurationSeconds": 3600,
        "ExternalId": "secret-id",
    }


def test_without_an_external_id_none_is_sent() -> None:
    sts = Sts()
    sts.role()()
    assert "ExternalId" not in sts.asked[0]


def test_a_role_that_refuses_is_told() -> None:
    def refuse() -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")

    with pytest.raises(DestinationError, match=r"s3://lake/k: could not be stored: .*AccessDenied.*AssumeRole"):
        S3Destination(refuse, "lake").put("k", Path(__file__))


def test_a_file_replaces_what_was_there_and_a_foreign_bucket_is_refused(tmp_path: Path) -> None:
    with mock_aws():
        s3 = boto3.client("s3", "us-east-1")
        s3.create_bucket(Bucket="lake")
        for content in (b"first", b"second"):
            (tmp_path / "file").write_bytes(content)
            S3Destination(lambda: s3, "lake", owner="123456789012").put("k", tmp_path / "file")
        assert s3.get_object(Bucket="lake", Key="k")["Body"].read() == b"second"
        with pytest.raises(DestinationError, match="s3://gone/k"):
            S3Destination(lambda: s3, "gone").put("k", tmp_path / "file")
