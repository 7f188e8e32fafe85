"""A cold start of ingest: what is not needed for a first request is not imported, and nobody is asked for anything."""

import json
import os
import subprocess
import sys

import cold_start
import pytest

from template import ROOT, source

# What a first request has no use for: parsers and readers of documents, what only other functions and people need.
NEVER = (
    "auditwire.alerts.alertmanager",
    "auditwire.alerts.dead_letters",
    "auditwire.alerts.delivery",
    "auditwire.alerts.peers",
    "auditwire.alerts.queued",
    "auditwire.alerts.redrive",
    "auditwire.alerts.relay",
    "auditwire.archive.quarantine",
    "auditwire.archive.search",
    "auditwire.bundles.compile_rules",
    "auditwire.condition.compile",
    "auditwire.condition.lint",
    "auditwire.condition.parse",
    "auditwire.documents.document_source",
    "auditwire.evidence",
    "auditwire.policy.check",
    "auditwire.policy.load",
    "auditwire.policy.validate",
    "auditwire.ingest.retry",
    "auditwire.rules.lint",
    "auditwire.rules.load",
    "auditwire.rules.reader",
    "auditwire_cli",
    "auditwire_local",
    "lark",
    "moto",
    "rich",
    "samtranslator",
    "typer",
    "yaml",
)

# The first answer makes every client; a request of any of them would need an address.
PROGRAM = """
import json, socket, sys

def refuse(*given, **named):
    raise AssertionError(f"asked the network: {given}")

socket.getaddrinfo = socket.socket.connect = refuse
import app
event = {"requestContext": {"http": {"method": "GET"}, "timeEpoch": 0}, "rawPath": "/healthz"}
print(json.dumps([app.handler(event, None), sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def started() -> tuple[dict[str, object], list[str]]:
    """The first answer of a fresh process, and the modules it has then."""
    document = source()
    parts = (document["Globals"]["Function"], document["Resources"]["IngestFunction"]["Properties"])
    names = [name for part in parts for name in part.get("Environment", {}).get("Variables", {})]
    own = {"PYTHONPATH": str(ROOT / "functions" / "ingest"), "POWERTOOLS_LOG_LEVEL": "INFO", "AWS_ENDPOINT_URL": ""}
    own["EVIDENCE_LOCK"] = "none"
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "none") | {"AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | dict.fromkeys(names, "1") | keys | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer, modules = json.loads(done.stdout.splitlines()[-1])
    return answer, modules


def test_the_first_answer_asks_nobody(started: tuple[dict[str, object], list[str]]) -> None:
    assert started[0] == {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "ok"}


def test_nothing_is_imported_that_a_first_request_does_not_need(
    started: tuple[dict[str, object], list[str]],
) -> None:
    modules = started[1]

    assert "auditwire.ingest.ingest" in modules
    assert [name for name in modules if name.startswith(tuple(f"{never}." for never in NEVER)) or name in NEVER] == []


@pytest.mark.slow
def test_the_benchmark_of_cold_starts_measures_both_sides() -> None:
    least = cold_start.milliseconds(starts=1)

    assert least["ingest"] > 0
    assert least["boto3"] > 0
