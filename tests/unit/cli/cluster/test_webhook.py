"""What a sender is told: files that its own programs can read, and numbers that fit behind the endpoint."""

import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from auditwire_cli.cluster.webhook_kubernetes import (
    MAX_BATCH_BYTES,
    MAX_EVENT_BYTES,
    AuditLevel,
    Login,
    Sizes,
    Webhook,
)
from auditwire_cli.cluster.webhook_kubesphere import config_script, helm_values
from template import source

URL = "https://audit.example.com"
TARGET = f"{URL}/audit/webhook/event"
TOKEN = "-Ab_9.~+/=="

# As ks-installer writes it, with a line end that makes kubectl print the document quoted.
INSTALLED = """\
authentication:
  jwtSecret: "x"
gpu:
  kinds: \n  - resourceName: nvidia.com/gpu
auditing:
  enable: true
  webhookURL: https://kube-auditing-webhook-svc.kubesphere-logging-system.svc:6443/audit/webhook/event
  host: http://elasticsearch-logging-data.kubesphere-logging-system.svc:9200
"""


def webhook(login: Login, ca_file: Path | None = None) -> Webhook:
    return Webhook("prod", URL, ca_file, login)


def flags(size: int | None, level: AuditLevel = AuditLevel.REQUEST) -> dict[str, str]:
    lines = webhook(Login(TOKEN)).flags(Sizes.of(level, size))
    pairs = (line.split()[0].partition("=") for line in lines)
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize(
    ("login", "user"),
    [
        (Login(TOKEN), {"token": TOKEN}),
        (Login(None, "/etc/kubernetes/audit/prod.credential"), {"tokenFile": "/etc/kubernetes/audit/prod.credential"}),
        (
            Login(None),
            {
                "client-certificate": "/etc/kubernetes/audit/prod.crt",
                "client-key": "/etc/kubernetes/audit/prod.key",
            },
        ),
    ],
    ids=["credential inside", "credential in a file", "certificate"],
)
def test_the_kubeconfig_says_where_and_who(login: Login, user: dict[str, str]) -> None:
    config = yaml.safe_load(webhook(login).text(Sizes.of(AuditLevel.REQUEST)))
    assert (config["apiVersion"], config["kind"]) == ("v1", "Config")
    assert config["clusters"] == [{"name": "auditwire", "cluster": {"server": TARGET}}]
    assert config["users"] == [{"name": "prod", "user": user}]
    (context,) = config["contexts"]
    assert context == {"name": config["current-context"], "context": {"cluster": "auditwire", "user": "prod"}}


def test_a_private_authority_stands_in_the_file(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("PEM")
    config = yaml.safe_load(webhook(Login(TOKEN), ca_file).text(Sizes.of(AuditLevel.REQUEST)))
    assert b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]) == b"PEM"


@given(st.integers(10_000, MAX_EVENT_BYTES))
def test_a_batch_always_fits_into_a_request_of_lambda(size: int) -> None:
    found = flags(size)
    events, limit = (
        int(found["--audit-webhook-batch-max-size"]),
        int(found["--audit-webhook-truncate-max-event-size"]),
    )
    assert limit == size
    assert events >= 1
    assert events * limit <= 3_000_000
    assert int(found["--audit-webhook-batch-throttle-qps"]) <= int(found["--audit-webhook-batch-throttle-burst"])


def test_the_flags_are_those_recommended() -> None:
    found = flags(102_400)
    assert found["--audit-webhook-batch-max-size"] == "25"
    assert found["--audit-webhook-batch-throttle-qps"] == "40"
    assert found["--audit-webhook-truncate-enabled"] == "true"
    assert found["--audit-webhook-mode"] == "batch"
    assert all("  # " in line for line in webhook(Login(TOKEN)).flags(Sizes.of(AuditLevel.REQUEST)))


def test_nothing_shows_the_credential_by_accident() -> None:
    assert TOKEN not in repr(webhook(Login(TOKEN)))
    assert TOKEN not in webhook(Login(None, "/x")).text(Sizes.of(AuditLevel.REQUEST))


def sed(script: Path, text: str) -> str:
    return subprocess.run(
        ["sed", "-E", "-f", str(script)], input=text, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("key", ["webhookURL", "webhookUrl"])
def test_the_script_for_kubesphere_3_changes_the_address_and_the_batch_size_alone(key: str, tmp_path: Path) -> None:
    script = tmp_path / "prod.sed"
    script.write_text(config_script("prod", URL, TOKEN, "prod.sed"))
    before: Any = yaml.safe_load(INSTALLED)

    once = sed(script, INSTALLED.replace("webhookURL", key))
    after = yaml.safe_load(once)

    assert after["auditing"].pop(key) == f"{TARGET}/-Ab_9.~%2B%2F%3D%3D"
    assert after["auditing"].pop("eventBatchSize") == 20
    del before["auditing"]["webhookURL"]
    assert after == before
    assert sed(script, once) == once, "again is no harm"


def test_the_values_for_kubesphere_4_are_those_of_its_chart() -> None:
    values = yaml.safe_load(helm_values("prod", URL, TOKEN, "prod.yaml"))
    assert values == {
        "auditing": {
            "enable": True,
            "auditLevel": "Metadata",
            "eventBatchSize": 20,
            "webhookOptions": {"webhookUrl": f"{TARGET}/-Ab_9.~%2B%2F%3D%3D"},
        }
    }


@pytest.mark.parametrize(
    ("level", "size", "events", "event_bytes"),
    [
        (AuditLevel.REQUEST, None, 25, 102_400),
        (AuditLevel.METADATA, None, 400, 7_500),
        (AuditLevel.METADATA, 30_000, 100, 30_000),
        (AuditLevel.METADATA, MAX_EVENT_BYTES, 1, MAX_EVENT_BYTES),
        (AuditLevel.REQUEST, 7_500, 25, 7_500),
    ],
)
def test_a_level_has_the_right_pair_of_batch_and_event(
    level: AuditLevel, size: int | None, events: int, event_bytes: int
) -> None:
    found = flags(size, level)
    assert found["--audit-webhook-batch-max-size"] == str(events)
    assert found["--audit-webhook-truncate-max-event-size"] == str(event_bytes)
    assert events * event_bytes <= MAX_BATCH_BYTES


def test_the_throttle_of_the_api_lets_ten_api_servers_through_with_these_flags() -> None:
    found = flags(None)
    parameters = source()["Parameters"]
    assert found["--audit-webhook-batch-throttle-qps"] in parameters["ThrottleRatePerSecond"]["Description"].split()
    assert parameters["ThrottleRatePerSecond"]["Default"] >= 10 * int(found["--audit-webhook-batch-throttle-qps"])
    assert parameters["ThrottleBurst"]["Default"] >= 10 * int(found["--audit-webhook-batch-throttle-burst"])
