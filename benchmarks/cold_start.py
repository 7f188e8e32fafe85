"""What a cold start of ingest costs, against importing boto3 and making the clients it needs; and one of the console.

    .venv/bin/python benchmarks/cold_start.py

CPU time in fresh interpreters with bytecode, as the layer has it: from the first import to the first answer (GET
/healthz, which makes everything ready; of the console its page), and for boto3 with the same clients. The least of
several starts of each, taken in turn. Nothing here asks AWS for anything.
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
_FUNCTIONS: Final = (("IngestFunction", "ingest"), ("ConsoleFunction", "console"))

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
_CONSOLE: Final = _TIMED.format(
    "import app, json, pathlib\n"
    f"event = json.loads(pathlib.Path({str(ROOT / 'events/console/page.json')!r}).read_text())\n"
    "assert app.handler(event, None)['statusCode'] == 200"
)
_BOTO3: Final = _TIMED.format(
    "from auditwire.aws import clients\n"
    "clients.s3_client(), clients.rules_client(), clients.dynamodb_client(), clients.sns_client()"
)


def milliseconds(starts: int = STARTS) -> dict[str, float]:
    """The least CPU time of ``ingest``, of its ``first`` request alone, of ``boto3``, and of the ``console``, in
    milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        ingest, console = (_environment(folder, *names) for names in _FUNCTIONS)
        programs = {
            "ingest": (_INGEST, ingest),
            "first": (_FIRST, ingest),
            "boto3": (_BOTO3, ingest),
            "console": (_CONSOLE, console),
        }
        for program, environment in programs.values():  # what they import is compiled now
            _seconds(program, environment)
        times: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(starts):
            for name, (program, environment) in programs.items():
                times[name].append(_seconds(program, environment))
    return {name: min(seconds) * 1000 for name, seconds in times.items()}


def ratio() -> float:
    """Ingest over boto3."""
    least = milliseconds()
    return least["ingest"] / least["boto3"]


def _environment(bytecode: str, function: str, folder: str) -> dict[str, str]:
    """That of this process, with every variable of the function; what they say does not matter before a request."""
    template = read_template(ROOT / "template.yaml")
    parts = (template["Globals"]["Function"], template["Resources"][function]["Properties"])
    names = [name for part in parts for name in part.get("Environment", {}).get("Variables", {})]
    own = {
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "EVIDENCE_LOCK": "none",
        "AWS_ENDPOINT_URL": "",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "CONSOLE_ISSUER": "https://login.example.com",
        "CONSOLE_SCOPES": "openid",
        "PYTHONPATH": str(ROOT / "functions" / folder),
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
    print("| ingest, ms | of that in the first request, ms | boto3 and its clients, ms | ratio | console / ingest |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    ingest, first, boto3 = least["ingest"], least["first"], least["boto3"]
    print(f"| {ingest:.0f} | {first:.1f} | {boto3:.0f} | {ingest / boto3:.2f} | {least['console'] / ingest:.2f} |")


if __name__ == "__main__":
    main()
