"""What a cold start of ingest costs, against importing boto3 and making the clients it needs.

    .venv/bin/python benchmarks/cold_start.py

CPU time in fresh interpreters with bytecode, as the layer has it: from the first import to the first answer (GET
/healthz, which makes everything ready), and for boto3 with the same clients. The least of several starts of each, taken
in turn. Nothing here asks AWS for anything.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from auditwire_local.deploy import read_template

ROOT: Final = Path(__file__).resolve().parents[1]
STARTS: Final = 7

_TIMED: Final = "import time\nstart = time.process_time()\n{}\nprint(time.process_time() - start)"
_INGEST: Final = _TIMED.format(
    "import app\n"
    "event = {'requestContext': {'http': {'method': 'GET'}, 'timeEpoch': 0}, 'rawPath': '/healthz'}\n"
    "assert app.handler(event, None)['body'] == 'ok'"
)
# How much of that falls into the first request, when everything before was done at import or is in a snapshot.
_FIRST: Final = (
    "import time\nimport app\nstart = time.process_time()\n"
    "event = {'requestContext': {'http': {'method': 'GET'}, 'timeEpoch': 0}, 'rawPath': '/healthz'}\n"
    "assert app.handler(event, None)['body'] == 'ok'\nprint(time.process_time() - start)"
)
_BOTO3: Final = _TIMED.format(
    "from auditwire.aws import clients\n"
    "clients.s3_client(), clients.rules_client(), clients.dynamodb_client(), clients.sns_client()"
)


def milliseconds(starts: int = STARTS) -> dict[str, float]:
    """The least CPU time of ``ingest``, of its ``first`` request alone, and of ``boto3``, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(folder)
        programs = {"ingest": _INGEST, "first": _FIRST, "boto3": _BOTO3}
        for program in programs.values():  # what they import is compiled now
            _seconds(program, environment)
        times: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(starts):
            for name, program in programs.items():
                times[name].append(_seconds(program, environment))
    return {name: min(seconds) * 1000 for name, seconds in times.items()}


def ratio() -> float:
    """Ingest over boto3."""
    least = milliseconds()
    return least["ingest"] / least["boto3"]


def _environment(bytecode: str) -> dict[str, str]:
    """That of this process, with every variable of the function; what they say does not matter before a request."""
    template = read_template(ROOT / "template.yaml")
    parts = (template["Globals"]["Function"], template["Resources"]["IngestFunction"]["Properties"])
    names = [name for part in parts for name in part.get("Environment", {}).get("Variables", {})]
    own = {
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "EVIDENCE_LOCK": "none",
        "AWS_ENDPOINT_URL": "",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "PYTHONPATH": str(ROOT / "functions" / "ingest"),
        "PYTHONPYCACHEPREFIX": bytecode,
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return os.environ | dict.fromkeys(names, "1") | own


def _seconds(program: str, environment: dict[str, str]) -> float:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    least = milliseconds()
    print("| ingest, ms | of that in the first request, ms | boto3 and its clients, ms | ratio |")
    print("| ---: | ---: | ---: | ---: |")
    ingest, first, boto3 = least["ingest"], least["first"], least["boto3"]
    print(f"| {ingest:.0f} | {first:.1f} | {boto3:.0f} | {ingest / boto3:.2f} |")


if __name__ == "__main__":
    main()
