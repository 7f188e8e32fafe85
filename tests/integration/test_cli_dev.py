"""``auditwire dev`` and ``auditwire send`` as a user runs them: processes, signals, files."""

import contextlib
import json
import os
import pty
import re
import signal
import ssl
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from auditwire.events import decode
from auditwire_cli.samples.clouds import everything
from auditwire_cli.samples.traffic import story
from auditwire_cli.send.audit_log import split
from auditwire_cli.send.bodies import body
from auditwire_cli.send.shape import Shape
from dev_process import AUDITWIRE
from waiting import HANG_SECONDS, until

BALANCE = re.compile(r"balance received=(\d+) ignored=(\d+) archived=(\d+) alerted=(\d+) quarantined=(\d+)")
ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "ignore"}


Done = subprocess.CompletedProcess[str]
ALL = ("--all-clusters", "--everything")


def auditwire(*arguments: object, cwd: Path) -> Done:
    command = [*AUDITWIRE, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )


@contextmanager
def running(cwd: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """``auditwire dev`` in a folder of its own, once its state file is there."""
    command = [*AUDITWIRE, "dev", *map(str, arguments)]
    process = subprocess.Popen(
        command, cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:

        def is_ready() -> bool:
            assert process.poll() is None, process.communicate()
            return (cwd / ".auditwire/dev.json").exists()

        until(is_ready)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[str, str]:
    process.send_signal(number)
    return process.communicate(timeout=HANG_SECONDS)


def balance(stdout: str) -> tuple[int, ...]:
    found = BALANCE.fullmatch(stdout.splitlines()[-1])
    assert found, stdout
    return tuple(map(int, found.groups()))


def write_sample(path: Path) -> Path:
    """The events of the sample traffic as an audit.log, without what is none on purpose."""
    bodies = [each.body for each in story(datetime.now(UTC)) if not each.body.startswith(b"<")]
    path.write_bytes(body([item for each in bodies for item in split(each) if decode(item).events], Shape.JSONL))
    return path


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "audit.log")


@dataclass(frozen=True)
class Run:
    """One run of ``auditwire dev`` from its start to SIGTERM, and what was done meanwhile."""

    events: int
    """In the sample."""
    state_text: str
    mode: int
    sent: tuple[Done, Done]
    as_kubesphere: Done
    by_way: dict[str, Done]
    refused: Done
    nobody: Done
    healthz: int
    second: Done
    state_after: str
    untracked: str
    """What git would take of the folder."""
    keys: list[str]
    stdout: str
    stderr: str
    code: int

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads(self.state_text))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    sample, path = write_sample(folder / "audit.log"), folder / ".auditwire/dev.json"
    wrong = folder / "token"
    wrong.write_text("not-a-credential")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    with running(folder) as process:
        state_text, mode = path.read_text(), stat.S_IMODE(path.stat().st_mode)
        state = json.loads(state_text)
        sent = (
            auditwire("send", sample, "--format", "json", cwd=folder),
            auditwire("send", sample, "--batch-size", 25, "--format", "json", cwd=folder),
        )
        as_kubesphere = auditwire("send", sample, "--shape", "ks4", "--gzip", cwd=folder)
        by_way = {way: auditwire("send", sample, "--auth", way, cwd=folder) for way in ("bearer", "basic", "path")}
        refused = auditwire("send", sample, "--url", state["url"], "--credential-file", wrong, cwd=folder)
        nobody = auditwire("send", "-", "--cluster", "nobody", cwd=folder)
        with urllib.request.urlopen(f"{state['url']}/healthz") as answer:
            healthz = answer.status
        second = auditwire("dev", cwd=folder)
        state_after = path.read_text()
        untracked = subprocess.run(
            ["git", "ls-files", "--others", "--exclude-standard"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        s3 = boto3.client(
            "s3",
            endpoint_url=state["aws_endpoint_url"],
            region_name=state["region"],
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        listed = s3.list_objects_v2(Bucket=state["outputs"]["ArchiveBucket"], Prefix="events/")
        stdout, stderr = end(process)
    return Run(
        events=len(sample.read_bytes().splitlines()),
        state_text=state_text,
        mode=mode,
        sent=sent,
        as_kubesphere=as_kubesphere,
        by_way=by_way,
        refused=refused,
        nobody=nobody,
        healthz=healthz,
        second=second,
        state_after=state_after,
        untracked=untracked,
        keys=[item["Key"] for item in listed.get("Contents", [])],
        stdout=stdout,
        stderr=stderr,
        code=process.returncode,
    )


def test_the_demo_shows_the_whole_road_and_ends_by_itself_whatever_an_earlier_run_left(tmp_path: Path) -> None:
    state = tmp_path / ".auditwire/dev.json"
    state.parent.mkdir()
    state.write_text(json.dumps({"url": "http://127.0.0.1:1", "ca_file": None, "clusters": {}}))
    done = auditwire("dev", "--demo", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    received, ignored, archived, alerted, quarantined = balance(done.stdout)
    assert received == ignored + archived + quarantined
    assert received == sum(delivery.count for delivery in everything(datetime.now(UTC)))
    assert min(ignored, archived, alerted) > 0
    assert quarantined == 2
    for rule in ("CreateHostnetworkPod", "CreateHostportPod", "CreateNodeportService", "AttachOrExecPod"):
        assert f"alerting-rule.{rule}" in done.stdout
    assert "-- a shell in a running pod\n" in done.stdout
    assert not state.exists(), "what it points to has ended"


def test_on_a_terminal_the_demo_stays_until_it_is_told_to_end(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "160", "LINES": "50"}
    environment.pop("CI", None)
    process = subprocess.Popen(
        [*AUDITWIRE, "dev", "--demo"], cwd=tmp_path, env=environment, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = ""
    with contextlib.suppress(OSError):  # how Linux says that the other side is closed
        while text := os.read(ours, 65536).decode(errors="replace"):
            seen += text
            if "The sample traffic has been sent." in seen and "Ctrl-C ends." in seen and process.poll() is None:
                process.send_signal(signal.SIGINT)
                seen = seen.replace("Ctrl-C ends.", "")
    os.close(ours)

    assert process.wait(timeout=HANG_SECONDS) == 0
    received, ignored, archived, _, quarantined = balance(seen)
    assert received == ignored + archived + quarantined
    assert "latest alerts, newest first" in seen


def test_a_running_system_takes_an_audit_log_and_ends_on_sigterm(run: Run) -> None:
    assert run.code == 0, run.stderr
    for done in run.sent:
        totals = json.loads(done.stdout)
        assert (totals["events"], totals["delivered"], totals["cluster"]) == (run.events, run.events, "demo")
    assert run.as_kubesphere.returncode == 0
    assert {key.split("/")[1] for key in run.keys} == {"cluster=demo", "cluster=demo-ks"}
    received, ignored, archived, _, quarantined = balance(run.stdout)
    sends = len(run.sent) + 1 + len(run.by_way)
    assert received == sends * run.events == ignored + archived + quarantined
    assert re.search(r"^alert  demo: WARNING alerting-rule\.", run.stdout, re.MULTILINE)


def test_the_state_file_and_what_is_beside_it_stay_out_of_git(run: Run) -> None:
    assert "dev." not in run.untracked
    assert "audit.log" in run.untracked


def test_the_state_file_is_for_its_owner_and_nothing_printed_holds_a_credential(run: Run) -> None:
    state = run.state

    assert run.mode == 0o600
    assert {"url", "ca_file", "aws_endpoint_url", "region", "stack", "outputs", "clusters"} <= set(state)
    assert {name: cluster["sender"] for name, cluster in state["clusters"].items()} == {
        "demo": "kubernetes",
        "demo-ks": "kubesphere",
    }
    others = [run.nobody, run.refused, run.second, run.as_kubesphere, *run.sent, *run.by_way.values()]
    printed = run.stdout + run.stderr + "".join(done.stdout + done.stderr for done in others)
    assert run.nobody.returncode != 0
    assert not any(cluster["credential"] in printed for cluster in state["clusters"].values())
    assert "kube-apiserver  sends no token over plain HTTP: start with --tls" in run.stdout
    assert f"webhookUrl: {state['url']}/audit/webhook/event/CREDENTIAL" in run.stdout


def test_with_tls_the_guide_names_the_ca_file_and_send_trusts_it(tmp_path: Path, sample: Path) -> None:
    with running(tmp_path, "--tls", "--archive", "dynamodb") as process:
        state = json.loads((tmp_path / ".auditwire/dev.json").read_text())
        sent = auditwire("send", sample, cwd=tmp_path)
        credential = tmp_path / "token"
        credential.write_text(state["clusters"]["demo"]["credential"])
        to_url = ("send", sample, "--url", state["url"], "--credential-file", credential, "--retries", 0)
        trusted = auditwire(*to_url, "--ca-file", state["ca_file"], cwd=tmp_path)
        untrusted = auditwire(*to_url, cwd=tmp_path)
        stdout, _ = end(process)

    assert state["url"].startswith("https://127.0.0.1:")
    assert f"archive      DynamoDB table {state['outputs']['ArchiveTable']} (in the AWS of this process" in stdout
    assert sent.returncode == trusted.returncode == 0, sent.stderr + trusted.stderr
    assert untrusted.returncode == 1
    assert "TLS failed: " in untrusted.stdout
    assert f"certificate-authority: {state['ca_file']}" in stdout


def test_the_next_run_accepts_the_same_senders(tmp_path: Path) -> None:
    state = tmp_path / ".auditwire/dev.json"
    found = []
    issuer = ("ConsoleIssuer=https://login.example.com", "ConsoleClientId=auditwire")
    deployed = [word for one in ("Console=on", *issuer) for word in ("--parameter", one)]
    for words in ([], deployed):
        with running(tmp_path, "--tls", "--port", 0, *words) as process:
            read = json.loads(state.read_text())
            if words:
                # The same template with the console, which people can be let into.
                console = read["console_url"]
                granted = auditwire("viewer", "add", "--email", "jane@example.com", *ALL, cwd=tmp_path)
                context = ssl.create_default_context(cafile=read["console_ca_file"])
                with urllib.request.urlopen(console, context=context) as answer:
                    page = answer.read()
            found.append((read["clusters"], read["ca_file"], Path(read["ca_file"]).read_bytes()))
            stdout, _ = end(process)
    assert found[0] == found[1]
    assert Path(found[0][1]).parent == state.parent.resolve()
    assert stat.S_IMODE((state.parent / "dev.kept.json").stat().st_mode) == 0o600
    assert "it ends with this process; credentials are kept for the next run" in stdout
    assert granted.returncode == 0, granted.stderr
    assert b"<title>" in page
    assert f"redirect URI for its issuer: {console}/callback" in stdout


def test_every_way_of_presenting_a_credential_is_taken_and_a_wrong_one_ends_the_run(run: Run) -> None:
    assert run.healthz == 200
    assert {way: done.returncode for way, done in run.by_way.items()} == {"bearer": 0, "basic": 0, "path": 0}
    assert run.refused.returncode == 1
    assert "stopped early: the endpoint does not accept this credential" in run.refused.stdout


def test_a_second_system_does_not_take_the_state_file_away(run: Run) -> None:
    assert run.second.returncode == 1
    assert "belongs to a system that is running at http://127.0.0.1:" in run.second.stderr
    assert run.state_after == run.state_text


def test_rules_with_errors_are_named_and_the_shipped_ones_decide(tmp_path: Path, sample: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    shipped = Path(__file__).parents[2] / "rules/archiving-rule.yaml"
    (rules / "own.yaml").write_text(shipped.read_text().replace("Verb not in", "Vreb not in"))

    with running(tmp_path, "--rules", rules) as process:
        sent = auditwire("send", sample, cwd=tmp_path)
        stdout, stderr = end(process, signal.SIGINT)

    assert (sent.returncode, process.returncode) == (0, 0)
    assert re.search(r"own\.yaml:\d+:\d+: error AW102: there is no field 'Vreb'", stderr)
    assert "auditwire: these rules are refused, so the shipped ones decide\n" in stderr
    assert balance(stdout)[3] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--rules", "none"], 2, "auditwire: none is not a folder of rule documents\n"),
        (["--port", "70000"], 2, "'--port'"),
        (["--parameter", "Console"], 2, "auditwire: --parameter 'Console' is not NAME=VALUE\n"),
        (["--port", "PORT"], 1, "cannot be listened on: Address already in use\n"),
        (["--state", "/dev/null/dev.json"], 1, "auditwire: cannot write the state file /dev/null/dev.json: "),
    ],
)
def test_what_keeps_it_from_starting_is_one_clear_sentence(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = auditwire("dev", *(port if word == "PORT" else word for word in arguments), cwd=tmp_path)

    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
