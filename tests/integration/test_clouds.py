"""The roads of managed clouds through the deployed template."""

import gzip
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from auditwire.clusters import Cluster, ClustersTable, Registration, account_key
from auditwire_local import LocalSystem, Options
from auditwire_local.authorizer import Issuer
from envelopes import cloudwatch, firehose, log_entry, push, text_of
from local_road import exec_event
from waiting import HANG_SECONDS

GOOGLE = "https://accounts.google.com"
EMAIL = "auditwire@p.iam.gserviceaccount.com"
CLAIMS = {"iss": GOOGLE, "aud": "auditwire-dev", "email": EMAIL, "email_verified": True}
ENTRY = text_of(log_entry("io.k8s.core.v1.pods.delete", "core/v1/namespaces/shop/pods/web"))


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    with LocalSystem.start(options=Options(schedules=False)) as system:
        table = ClustersTable(system.client("dynamodb"), system.outputs["ClustersTable"])
        table.add(Registration(credential=account_key(GOOGLE, EMAIL), cluster=Cluster("gke-prod")))
        yield system


def post(system: LocalSystem, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any] | str]:
    connection = HTTPConnection(urlsplit(system.url).netloc, timeout=HANG_SECONDS)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, body, {"Content-Type": "application/json"} | given)
        response = connection.getresponse()
        text = response.read().decode()
        is_json = response.headers["Content-Type"] == "application/json"
        return response.status, json.loads(text) if is_json else text
    finally:
        connection.close()


def archived(system: LocalSystem, cluster: str) -> list[str]:
    lines = map(json.loads, system.archive_lines())
    return [line["auditID"] for line in lines if line["cluster"] == cluster]


class TestFirehose:
    BODY = text_of(firehose([gzip.compress(text_of(cloudwatch([json.dumps(exec_event(1))])))]))

    def test_records_are_stored(self, system: LocalSystem) -> None:
        key = system.clusters["demo"].credential
        status, said = post(system, "/audit/firehose", self.BODY, X_Amz_Firehose_Access_Key=key)

        assert status == 200
        assert isinstance(said, dict)
        assert said.keys() == {"requestId", "timestamp"}
        assert archived(system, "demo") == [exec_event(1)["auditID"]]

    def test_a_wrong_key_is_refused_in_the_same_form(self, system: LocalSystem) -> None:
        status, said = post(system, "/audit/firehose", self.BODY, X_Amz_Firehose_Access_Key="wrong")

        assert status == 401
        assert isinstance(said, dict)
        assert said["requestId"] == json.loads(self.BODY)["requestId"]


class TestGke:
    def test_a_push_with_a_token_is_stored(self, system: LocalSystem) -> None:
        token = system.issuer.token(CLAIMS)

        assert post(system, "/audit/gke", text_of(push(ENTRY)), Authorization=f"Bearer {token}") == (200, "")
        assert archived(system, "gke-prod") == ["9c1f8a52-0000-4000-8000-000000000001"]

    @pytest.mark.parametrize(
        ("changes", "seconds"),
        [
            ({"email": "another@p.iam.gserviceaccount.com"}, 60),
            ({"email_verified": False}, 60),
            ({"email": None}, 60),
            ({"aud": "another"}, 60),
            ({"iss": "https://example.com"}, 60),
            ({}, -60),
        ],
        ids=["another account", "not verified", "no account", "another audience", "another issuer", "expired"],
    )
    def test_a_token_that_does_not_hold_is_refused(
        self, system: LocalSystem, changes: dict[str, Any], seconds: float
    ) -> None:
        token = system.issuer.token(CLAIMS | changes, seconds=seconds)

        assert post(system, "/audit/gke", ENTRY, Authorization=f"Bearer {token}")[0] == 401

    def test_a_forged_token_and_a_credential_are_refused(self, system: LocalSystem) -> None:
        forged, credential = Issuer().token(CLAIMS), system.clusters["demo"].credential

        assert post(system, "/audit/gke", ENTRY, Authorization=f"Bearer {forged}")[0] == 401
        assert post(system, "/audit/gke", ENTRY, Authorization=f"Bearer {credential}")[0] == 401

    def test_a_token_is_no_credential_elsewhere(self, system: LocalSystem) -> None:
        token = system.issuer.token(CLAIMS)

        assert post(system, "/audit/webhook/event", ENTRY, Authorization=f"Bearer {token}")[0] == 401
