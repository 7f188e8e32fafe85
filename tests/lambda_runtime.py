"""A built function in the real Lambda runtime client, on this machine.

The platform's half is a small server with the Lambda runtime API; the function's half is `python -m awslambdaric` in
a process of its own, which sees the built artefact, the built layer and what the Lambda base image brings, and nothing
of the test's environment: a package that the layer lacks is an import error here as it is on AWS.
"""

import json
import os
import queue
import resource
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HOST_BUILD = ROOT / "build" / "host"
API = "/2018-06-01/runtime"
# The layers of a function beside the shared one.
_LAYERS = {"seal": ("search/python",), "console": ("search/python", "console-layer/python")}


class FunctionFailed(Exception):  # noqa: N818 - what happened, in the platform's word
    """The function raised, or did not start; the text is the runtime client's report and the function's output."""


@dataclass(frozen=True, slots=True)
class _Invocation:
    event: bytes
    deadline_ms: int
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))


class _RuntimeApi(ThreadingHTTPServer):
    """Hands out invocations and takes their results."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeApiHandler)
        self.waiting: queue.Queue[_Invocation] = queue.Queue()
        self.results: queue.Queue[tuple[str, bytes]] = queue.Queue()


class _RuntimeApiHandler(BaseHTTPRequestHandler):
    server: _RuntimeApi
    protocol_version = "HTTP/1.1"
    # Without these two each answer waits for the client's delayed acknowledgement: 89 ms instead of 3.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        if self.path != f"{API}/invocation/next":
            self._answer(404, b"")
            return
        invocation = self.server.waiting.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.identity,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:auditwire",
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000",
            "Content-Type": "application/json",
        }
        self._answer(200, invocation.event, headers)

    def do_POST(self) -> None:
        body = self._body()
        kind = self.path.rsplit("/", 1)[-1]
        self.server.results.put(("init error" if self.path == f"{API}/init/error" else kind, body))
        self._answer(202, b'{"status":"OK"}')

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        chunks = []
        while size := int(self.rfile.readline().strip(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""


@dataclass(slots=True)
class Environment:
    """One execution environment: the first invocation is the cold one."""

    api: _RuntimeApi
    process: subprocess.Popen[bytes]
    output: Path

    def invoke(self, event: object, *, timeout: float = 30.0) -> Any:
        """The handler's result as decoded JSON; FunctionFailed when it raised, ended or took longer."""
        deadline = time.time() + timeout
        self.api.waiting.put(_Invocation(json.dumps(event).encode(), int(deadline * 1000)))
        while True:
            try:
                kind, body = self.api.results.get(timeout=0.2)
            except queue.Empty:
                if self.process.poll() is not None or time.time() > deadline:
                    raise FunctionFailed(f"no answer\n{self.log()}") from None
                continue
            if kind == "response":
                return json.loads(body)
            raise FunctionFailed(f"{kind}: {body.decode()}\n{self.log()}")

    def limit_memory(self, more: int) -> None:
        """Leave the process so many bytes of address space beyond what it has now; -1 leaves it as many as it likes.

        It is the limit that an unprivileged process has on Linux, and a narrower one than Lambda's: what is asked for
        counts, not only what is used.
        """
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[0])
        most = resource.RLIM_INFINITY if more < 0 else pages * resource.getpagesize() + more
        resource.prlimit(self.process.pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))

    def log(self) -> str:
        """Everything the function has written."""
        return self.output.read_text(encoding="utf-8", errors="replace")


def interpreter() -> str:
    """The Python that `make build-host` built for."""
    return (HOST_BUILD / "python").read_text(encoding="utf-8").strip()


def isolated(function: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment of an interpreter that sees what the function sees on AWS, in that order.

    `-S` leaves out every site-packages; the current folder has to be the function's.
    """
    extra = _LAYERS.get(function, ())
    path = os.pathsep.join(str(HOST_BUILD / part) for part in (function, "layer/python", *extra, "base"))
    return [interpreter(), "-S"], {"PYTHONPATH": path, "PATH": os.defpath, "LANG": "en_US.UTF-8", "TZ": ":UTC"}


@contextmanager
def environment(function: str, variables: Mapping[str, str], scratch: Path) -> Iterator[Environment]:
    """Start the built function (`ingest`, `relay`) with these environment variables; end it afterwards."""
    api = _RuntimeApi()
    server = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    server.start()
    task = HOST_BUILD / function
    command, base = isolated(function)
    platform = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_address[1]}",
        "LAMBDA_TASK_ROOT": str(task),
        "_HANDLER": "app.handler",
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    }
    output = scratch / f"{function}-{uuid.uuid4().hex}.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [*command, "-m", "awslambdaric", "app.handler"],
            cwd=task,
            env={**base, **platform, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Environment(api, process, output)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        api.shutdown()
        server.join()
        api.server_close()
