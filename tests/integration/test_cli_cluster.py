"""The cluster commands against a running local system: from the registration to the first batch, and to the end."""

import json
import re
import stat
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from auditwire.clusters import credential_digest
from auditwire_cli.main import app
from auditwire_local import LocalSystem, Options
from local_road import EVENT_PATH, body_of, exec_event, post
from roles.calls import Recorder
from roles.permissions import allowed, statements_of

VERSION = "kube-apiserver/v1.33.4 (linux/amd64) kubernetes/74cdb42"


@dataclass(frozen=True)
class Done:
    stdout: str
    stderr: str


class Desk:
    """Somebody at a terminal, in an empty folder, with a running system."""

    def __init__(self, system: LocalSystem, state: Path, recorder: Recorder) -> None:
        self.system, self.state, self.recorder = system, state, recorder

    def run(self, *words: object, code: int = 0) -> Done:
        done = CliRunner().invoke(app, ["cluster", *map(str, words), "--state", str(self.state)])
        assert done.exit_code == code, done.output
        # The functions run in this process, and so do their metrics.
        own = (line for line in done.stdout.splitlines(keepends=True) if not line.startswith('{"_aws"'))
        return Done("".join(own), done.stderr)

    def rows(self, name: str) -> list[dict[str, Any]]:
        rows = json.loads(self.run("list", "--format", "json").stdout)
        return [row for row in rows if row["cluster"] == name]

    def post(self, credential: str, *events: dict[str, Any]) -> int:
        return post(self.system, body_of(*(events or (exec_event(1),))), credential)[0]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    state = tmp_path_factory.mktemp("state") / "dev.json"
    with LocalSystem.start(options=Options(environments=1)) as system, Recorder() as recorder:
        system.write_state(state)
        yield Desk(system, state, recorder)


@pytest.fixture
def desk(running: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return running


def test_a_new_cluster_sends_with_the_credential_that_only_its_owner_can_read(desk: Desk) -> None:
    done = desk.run("add", "prod", "--sender", "kubernetes", "--label", "team=shop", "--expires", "90d")
    file = Path("prod.credential")
    credential = file.read_text().strip()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert credential not in done.stdout + done.stderr
    assert (
        desk.post(credential, exec_event(1), exec_event(2, userAgent=VERSION, user={"username": "system:apiserver"}))
        == 200
    )

    [row] = desk.rows("prod")
    end = datetime.fromisoformat(row["expires"])
    assert timedelta(days=89, hours=23) < end - datetime.now(UTC) <= timedelta(days=90)
    assert (row["sender"], row["state"], row["labels"], row["events"]) == ("kubernetes", "ok", {"team": "shop"}, 2)
    assert (row["version"], row["kind"]) == ("kube-apiserver v1.33.4", "token")
    assert datetime.now(UTC) - datetime.fromisoformat(row["last_seen"]) < timedelta(minutes=1)
    assert credential_digest(credential).startswith(row["credential"])
    assert any(b'"cluster":"prod"' in line for line in desk.system.archive_lines())

    again = desk.run("add", "prod", "--output", "other", code=1)
    assert "the cluster prod exists already" in again.stderr
    assert not Path("other").exists()


def test_a_rotation_has_no_gap_and_locks_nobody_out(desk: Desk) -> None:
    desk.run("add", "shift", "--expires", "30d", "--silence", "30m")
    old = Path("shift.credential").read_text().strip()
    assert desk.post(old) == 200

    shown = desk.run("rotate", "shift", "--show")
    new = shown.stdout.strip()
    assert new not in shown.stderr
    assert "last seen" in shown.stderr.lower()
    first, second = desk.rows("shift")
    assert second["expires"] >= first["expires"] > "2026", "for as long as the old one"
    assert first["silence_seconds"] == second["silence_seconds"] == 1_800
    too_many = desk.run("rotate", "shift", "--show", code=1)
    assert "shift has 2 credentials already" in too_many.stderr
    too_early = desk.run("rotate", "shift", "--drop-old", code=1)
    assert f"the newest credential, {second['credential']}, was never used" in too_early.stderr

    assert desk.post(old) == desk.post(new) == 200
    dropped = desk.run("rotate", "shift", "--drop-old")
    assert f"ended {first['credential']}" in dropped.stderr
    assert [row["credential"] for row in desk.rows("shift")] == [second["credential"]]
    only = desk.run("rotate", "shift", "--drop-old", code=1)
    assert "shift has only one credential" in only.stderr


def test_the_silence_of_a_cluster_is_that_of_all_its_credentials(desk: Desk) -> None:
    desk.run("add", "calm")
    desk.run("rotate", "calm", "--show")
    assert desk.run("silence", "calm", "2h").stdout == "calm counts as silent after 2h\n"
    assert [row["silence_seconds"] for row in desk.rows("calm")] == [7_200, 7_200]
    assert desk.run("silence", "calm", "off").stdout == "calm is not watched for silence\n"
    assert [row["silence_seconds"] for row in desk.rows("calm")] == [None, None]
    assert "there is no cluster nobody" in desk.run("silence", "nobody", "2h", code=1).stderr


def test_a_revoked_cluster_is_refused_and_not_brought_back(desk: Desk) -> None:
    credential = desk.run("add", "gone", "--show").stdout.strip()
    asked = desk.run("revoke", "gone", code=2)
    assert "nobody can answer: Revoke 1 credential of gone?" in asked.stderr
    wrong = desk.run("revoke", "gone", "--credential", "00000000", "--yes", code=1)
    assert "gone has no credential 00000000" in wrong.stderr
    [row] = desk.rows("gone")
    desk.run("revoke", "gone", "--credential", row["credential"], "--yes")

    assert desk.rows("gone") == []
    assert desk.post(credential) == 401
    assert desk.rows("gone") == []
    unknown = desk.run("revoke", "gone", "--yes", code=1)
    assert "there is no cluster gone" in unknown.stderr


def test_the_kubeconfig_is_what_the_sender_needs(desk: Desk) -> None:
    desk.run("add", "kube", "--sender", "kubernetes")
    text = desk.run("kubeconfig", "kube").stdout
    config = yaml.safe_load(text)
    assert config["clusters"][0]["cluster"]["server"] == desk.system.url + EVENT_PATH
    assert config["users"][0]["user"] == {"tokenFile": "/etc/kubernetes/audit/kube.credential"}
    assert "--audit-webhook-batch-max-size=25 " in text

    desk.run("kubeconfig", "kube", "--credential-file", "kube.credential", "--output", "kube.kubeconfig")
    inside = yaml.safe_load(Path("kube.kubeconfig").read_text())
    assert stat.S_IMODE(Path("kube.kubeconfig").stat().st_mode) == 0o600
    assert desk.post(inside["users"][0]["user"]["token"]) == 200

    mutual = yaml.safe_load(desk.run("kubeconfig", "kube", "--mtls", "--url", "https://audit.example.com").stdout)
    assert mutual["clusters"][0]["cluster"]["server"] == "https://audit.example.com/audit/webhook/event"
    assert set(mutual["users"][0]["user"]) == {"client-certificate", "client-key"}


def test_kubesphere_gets_a_url_that_is_taken(desk: Desk) -> None:
    desk.run("add", "ks", "--sender", "kubesphere")
    refused = desk.run("kubeconfig", "ks", code=2)
    assert "only a URL" in refused.stderr

    desk.run("kubeconfig", "ks", "--credential-file", "ks.credential", "--output", "values.yaml")
    values = yaml.safe_load(Path("values.yaml").read_text())
    path = urlsplit(values["auditing"]["webhookOptions"]["webhookUrl"]).path
    assert post(desk.system, body_of(exec_event(3)), None, path) == (200, b"")
    desk.run("kubeconfig", "ks", "--kubesphere", 3, "--credential-file", "ks.credential", "--output", "ks.sed")
    assert path in Path("ks.sed").read_text()


def test_a_credential_of_another_cluster_is_not_put_into_a_file(desk: Desk) -> None:
    desk.run("add", "one")
    desk.run("add", "two")
    done = desk.run("kubeconfig", "one", "--credential-file", "two.credential", "--output", "one.kubeconfig", code=1)
    assert "this credential is not one of one" in done.stderr
    assert not Path("one.kubeconfig").exists()


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edge")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_a_client_certificate_identifies_and_a_credential_beside_it_must_agree(desk: Desk) -> None:
    pem = certificate()
    Path("edge.pem").write_text(pem)
    desk.run("add", "edge", "--certificate", "edge.pem")
    assert "registered already" in desk.run("add", "edge-2", "--certificate", "edge.pem", code=1).stderr
    of_edge = desk.run("rotate", "edge", "--show").stdout.strip()
    of_other = desk.run("add", "other", "--show").stdout.strip()
    assert sorted(row["kind"] for row in desk.rows("edge")) == ["certificate", "token"]

    def status(pem: str, authorization: str = "") -> int:
        """What the function answers to the event of a domain with mutual TLS, which one machine does not have."""
        event = {
            "headers": {"authorization": authorization, "content-type": "application/json"},
            "rawPath": EVENT_PATH,
            "body": body_of(exec_event(4)).decode(),
            "isBase64Encoded": False,
            "requestContext": {
                "http": {"method": "POST"},
                "timeEpoch": int(datetime.now(UTC).timestamp() * 1000),
                "authentication": {"clientCert": {"clientCertPem": pem, "subjectDN": "CN=edge"}},
            },
        }
        answer: int = desk.system.function("ingest").invoke(event)["statusCode"]
        return answer

    basic = b64encode(f"edge:{of_edge}".encode()).decode()
    assert status(pem) == status(pem, f"Bearer {of_edge}") == status(pem, f"Basic {basic}") == 200
    assert status(pem, f"Bearer {of_other}") == 401
    assert status(pem, "Bearer wrong") == 401
    assert status(certificate()) == status(certificate(), f"Bearer {of_edge}") == 401
    assert status("", f"Bearer {of_edge}") == 401


def test_the_use_is_written_within_the_role_and_no_log_holds_a_credential(desk: Desk) -> None:
    credential = desk.run("add", "quiet", "--show").stdout.strip()
    agent = {"User-Agent": "kube-apiserver/v1.34.1 (linux/amd64) kubernetes/0000000"}
    assert post(desk.system, body_of(exec_event(4)), credential, **agent)[0] == 200
    assert post(desk.system, body_of(exec_event(5)), None, f"{EVENT_PATH}/{credential}")[0] == 200

    calls, statements = desk.recorder.calls("ingest"), statements_of(desk.system, "ingest")
    updates = [call for call in calls if call.action == "dynamodb:UpdateItem"]
    assert all(allowed(statements, update.action, update.resource, update.context) for update in updates)
    assert any("user_agent" in update.context["dynamodb:Attributes"].split(",") for update in updates)
    update = updates[0]
    forged = {"dynamodb:Attributes": "credential,cluster"}
    assert not allowed(statements, update.action, update.resource, forged), "ingest may not say whose a credential is"
    logs = "\n".join(desk.system.logs())
    assert credential not in logs
    assert credential_digest(credential) not in logs


def test_what_the_page_of_senders_shows_can_be_done(desk: Desk) -> None:
    page = (Path(__file__).parents[2] / "docs/senders.md").read_text()
    Path("edge.pem").write_text(certificate())
    for name in {row["cluster"] for row in json.loads(desk.run("list", "--format", "json").stdout)} - {"demo"}:
        desk.run("revoke", name, "--yes")
    shown = re.findall(r"^\$ auditwire cluster (.*) --state .auditwire/dev.json\n(.*)$", page, re.MULTILINE)
    made_anew = re.compile(r"[0-9a-f]{8}|\d{4}-\d\d-\d\d \d\d:\d\d")
    assert len(shown) >= 10
    for words, answer in shown:
        newest = desk.rows("prod")[-1:] or [{"credential": ""}]
        done = desk.run(*words.replace("93ba250b", newest[0]["credential"]).split(), code=int("auditwire: " in answer))
        # A line is as shown, but for what is made anew each time.
        lines = [made_anew.sub("~", line).split() for line in (done.stdout + done.stderr).split("\n")]
        expected = answer.replace(".auditwire/dev.json", str(desk.state))
        assert made_anew.sub("~", expected).split() in lines
