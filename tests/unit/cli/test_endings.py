"""Whatever the operating system refuses, a command ends with one sentence and never with a traceback."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from auditwire_cli.errors import ExitCode
from auditwire_cli.main import app
from waiting import until

AUDITWIRE = Path(sys.executable).with_name("auditwire")
RULE = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {name: mine}
spec:
  rules:
    - {name: all, type: rule, condition: Verb = "get", priority: INFO, output: "${User.Username}"}
"""
POLICY = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
REQUEST = '{"user": "u", "verb": "get", "resource_request": false, "path": "/healthz", "stage": "ResponseComplete"}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("rule.yaml").write_text(RULE)
    Path("policy.yaml").write_text(POLICY)
    Path("requests.jsonl").write_text(REQUEST)
    Path("audit.log").write_text(REQUEST)
    return tmp_path


def shell(command: str) -> "subprocess.CompletedProcess[bytes]":
    """Runs a command line in which ``auditwire`` is that of this environment."""
    command = command.replace("auditwire", str(AUDITWIRE))
    return subprocess.run(["sh", "-c", command], capture_output=True, timeout=300, check=False)


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "--version",
        "rules --help",
        "rules check rule.yaml",
        "rules check rule.yaml --format json",
        "rules schema",
        "policy check policy.yaml",
        "policy eval --policy policy.yaml --requests requests.jsonl",
        "rules check --explain-dialect",
    ],
)
def test_a_full_disk_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    # What is left in its buffer cannot be written when it is closed, either.
    with suppress(OSError), Path("/dev/full").open("w") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as ended:
            app(words.split())

    assert ended.value.code == ExitCode.FINDINGS
    assert capsys.readouterr().err == "auditwire: standard output: No space left on device\n"


def test_a_full_disk_is_all_that_is_told(folder: Path) -> None:
    done = shell("auditwire rules check rule.yaml > /dev/full")

    assert done.stderr == b"auditwire: standard output: No space left on device\n"
    assert done.returncode == ExitCode.FINDINGS


def test_a_full_disk_where_even_that_cannot_be_told(folder: Path) -> None:
    assert shell("auditwire rules check rule.yaml > /dev/full 2> /dev/full").returncode == ExitCode.FINDINGS


def test_a_closed_output_is_like_none(folder: Path) -> None:
    assert shell("auditwire rules check rule.yaml >&- 2>&-").returncode == ExitCode.OK


def test_a_reader_that_has_seen_enough_is_no_error(folder: Path) -> None:
    done = shell("auditwire rules schema | head -n 1")

    assert (done.stdout, done.stderr) == (b"{\n", b"")


@pytest.mark.parametrize(
    "words",
    [
        "rules check /dev/zero",
        "rules check endless.yaml",
        "rules fix /dev/zero --check",
        "rules diff /dev/zero rule.yaml",
        "rules eval --rules /dev/zero --events audit.log",
        "rules eval --rules rule.yaml --events /dev/zero",
        "policy check /dev/zero",
        "policy eval --policy /dev/zero --requests requests.jsonl",
        "policy eval --policy policy.yaml --requests /dev/zero",
        "rules status --state /dev/zero",
        "send audit.log --state /dev/zero",
        "send audit.log --url https://192.0.2.1 --credential-file /dev/zero",
        "cluster add x --certificate /dev/zero",
    ],
)
def test_an_endless_file_is_refused(auditwire: Callable[..., Any], folder: Path, words: str) -> None:
    Path("endless.yaml").symlink_to("/dev/zero")

    done = auditwire(*words.split())

    assert done.stderr.startswith("auditwire: ")
    assert done.exit_code in (ExitCode.FINDINGS, ExitCode.USAGE)


def test_names_of_files_that_are_not_text_are_escaped(auditwire: Callable[..., Any], folder: Path) -> None:
    name = os.fsdecode(b"\xff\x1b[2J.yaml")
    Path(name).write_text("kind: [")

    assert auditwire("rules", "check", name).stdout.startswith(r"\udcff\u001b[2J.yaml:")
    assert json.loads(auditwire("rules", "check", name, "--format", "json").stdout)[0]["path"] == name


def test_an_encoding_that_lacks_a_character_gets_its_escape(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("rule.yaml").write_text(RULE.replace("mine", "größe"))
    with Path("printed").open("w", encoding="ascii") as printed:
        monkeypatch.setattr(sys, "stdout", printed)
        with pytest.raises(SystemExit):
            app(["rules", "check", "rule.yaml"])

    assert Path("printed").read_text(encoding="ascii")


def test_ctrl_c_ends_in_one_line(folder: Path) -> None:
    os.mkfifo("pipe")
    command = [str(AUDITWIRE), "policy", "eval", "--policy", "policy.yaml", "--requests", "pipe"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # Opening it to write returns when the command opens it to read.
        with Path("pipe").open("w") as opened:
            opened.write(REQUEST)
            opened.flush()
            assert process.stdout
            assert process.stdout.readline()
            process.send_signal(signal.SIGINT)
            until(lambda: process.poll() is not None)
        assert process.stderr
        assert process.stderr.read() == "auditwire: interrupted\n"
    assert process.returncode == ExitCode.INTERRUPTED
