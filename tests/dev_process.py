"""`auditwire dev` in a process of its own: what its functions print is not the commands' output."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from typer.testing import CliRunner

from auditwire_cli.main import app
from auditwire_local.archive import archive_lines
from local_road import EVENT_PATH
from waiting import HANG_SECONDS, until

AUDITWIRE = (sys.executable, str(Path(__file__).with_name("roles") / "command.py"))
"""The beginning of a command that runs the command line as a process."""


@dataclass(frozen=True)
class Dev:
    """A running system, known by its state file, and somebody at a terminal with it."""

    state: Path
    running: dict[str, Any]

    @property
    def outputs(self) -> dict[str, str]:
        return dict(self.running["outputs"])

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.running["aws_endpoint_url"],
            region_name=self.running["region"],
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )

    def run(self, *words: object) -> Any:
        """Runs a command of the command line on this system; the result has exit_code, stdout and stderr."""
        return CliRunner().invoke(app, [*map(str, words), "--state", str(self.state)], catch_exceptions=False)

    def json(self, *words: object) -> Any:
        return json.loads(self.run(*words, "--format", "json").stdout)

    def send(self, body: bytes, cluster: str = "demo") -> None:
        """Posts a body, which must be taken."""
        connection = HTTPConnection(urlsplit(self.running["url"]).netloc, timeout=HANG_SECONDS)
        credential = self.running["clusters"][cluster]["credential"]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {credential}"}
        try:
            connection.request("POST", EVENT_PATH, body, headers)
            assert connection.getresponse().status == 200
        finally:
            connection.close()

    def archived(self) -> list[dict[str, Any]]:
        """Every archived event."""
        return [json.loads(line) for line in archive_lines(self.client("s3"), self.outputs["ArchiveBucket"])]


@contextmanager
def dev(folder: Path, *words: object) -> Iterator[Dev]:
    """Runs it in that folder until the block is left; then it must end well."""
    state = folder / ".auditwire/dev.json"
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [*AUDITWIRE, "dev", *map(str, words)]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:

        def is_ready() -> bool:
            assert process.poll() is None
            return state.exists()

        try:
            until(is_ready)
            yield Dev(state, json.loads(state.read_text()))
        finally:
            process.terminate()
            assert process.wait(timeout=HANG_SECONDS) == 0
