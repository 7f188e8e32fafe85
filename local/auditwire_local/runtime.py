"""Runs the functions of the deployed stack in this process, in the way Lambda runs them.

A function has a few execution environments. Each is a separate copy of the function's module. It is made when it is
needed (a cold start: the module is loaded with the environment variables of the deployed function, and gets its first
request). After that it serves one request at a time and is kept warm. Lambda ends a call that takes longer, or more
memory, than the function has; here it goes on to its end, and then fails like there.
"""

import importlib.util
import json
import os
import queue
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from auditwire_local.console import captured, log_to_stand_in
from auditwire_local.errors import InitError, InvocationError, LimitError
from auditwire_local.limits import Meter, Usage

Handler = Callable[[Mapping[str, Any], "Context"], object]
LogSink = Callable[[str, list[str]], None]
"""Called after each invocation, with the name of the function and the lines that it printed."""

running: ContextVar[str | None] = ContextVar("running function", default=None)
"""The function whose handler runs in this thread; AWS calls in it are attributed to that function."""


@contextmanager
def outside_of_functions() -> Iterator[None]:
    """Inside, this thread counts as running no function: it does what a service of AWS does."""
    token = running.set(None)
    try:
        yield
    finally:
        running.reset(token)


# The process has one set of environment variables, so there is one cold start at a time.
_cold_start = Lock()
_added: set[str] = set()
_serial = count(1)
_meter = Meter()

# It keeps the metrics of a request in its classes. That is right in Lambda, where each environment is a process.
_STATEFUL = "aws_lambda_powertools"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A deployed function, as Lambda describes it. ``name`` is short (``ingest``); ``arn`` is that of the resource."""

    name: str
    logical_id: str
    function_name: str
    arn: str
    role: str
    handler: str
    memory: int
    timeout: int
    variables: Mapping[str, str]
    code: Path


class Context:
    """What Lambda passes to a handler in addition to the event."""

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, configuration: Configuration) -> None:
        self.function_name = configuration.function_name
        self.invoked_function_arn = configuration.arn
        self.memory_limit_in_mb = str(configuration.memory)
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{configuration.function_name}"
        self.log_stream_name = "local"
        self._deadline = time.monotonic() + configuration.timeout

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until Lambda would end the function; never below 0."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class Function:
    """One deployed function. Any number of threads may call ``invoke``."""

    def __init__(self, configuration: Configuration, *, environments: int, log: LogSink, meter: Meter = _meter) -> None:
        self.configuration = configuration
        self._meter = meter
        self._log = log
        self._environments = environments
        # The places for environments; None is one that has not been started.
        self._places: queue.LifoQueue[Handler | None] = queue.LifoQueue()
        for _ in range(environments):
            self._places.put(None)

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """The handler's answer, as it is in JSON; waits for a free environment.

        Raises InitError or InvocationError, after the traceback has gone to the log as it does in CloudWatch, and
        LimitError. A handler that exits, or goes beyond a limit, takes its environment with it, as in Lambda.
        """
        handler = self._places.get()
        try:
            with self._observed():
                if handler is None:
                    with _cold_start, self._variables():
                        handler = self._load()
                        return self._call(handler, event)
                return self._call(handler, event)
        except LimitError:
            handler = None
            raise
        except SystemExit as error:
            handler = None
            msg = f"{self.configuration.name} exited"
            raise InvocationError(msg) from error
        finally:
            self._places.put(handler)

    def reconfigure(self, configuration: Configuration) -> None:
        """Run with another configuration from now on, in new environments. Waits for calls in progress."""
        places = [self._places.get() for _ in range(self._environments)]
        self.configuration = configuration
        for _ in places:
            self._places.put(None)

    def _call(self, handler: Handler, event: Mapping[str, Any]) -> Any:
        context = Context(self.configuration)
        with self._meter.call() as used:
            try:
                answer = json.loads(json.dumps(handler(event, context)))
            except Exception as error:
                traceback.print_exc()
                msg = f"{self.configuration.name} raised {type(error).__name__}"
                raise InvocationError(msg) from error
        self._keep_to_limits(used, context)
        return answer

    def _keep_to_limits(self, used: Usage, context: Context) -> None:
        """Raises LimitError where Lambda would have ended the call, after its line has gone to the log."""
        name, timeout, memory = self.configuration.name, self.configuration.timeout, self.configuration.memory
        if used.seconds > timeout:
            msg = f"{name} took {used.seconds:.1f} s, and its Timeout is {timeout} s: Lambda would have ended it"
            print(f"{context.aws_request_id} Task timed out after {timeout:.2f} seconds. {msg}")
            raise LimitError(msg)
        if used.megabytes > memory:
            msg = (
                f"{name} took {used.megabytes:.0f} MB more than before, and its MemorySize is {memory} MB: Lambda would"
                " have ended it"
            )
            print(f"{context.aws_request_id} Error: Runtime exited with error: signal: killed. {msg}")
            raise LimitError(msg)

    def _load(self) -> Handler:
        module_name, _, attribute = self.configuration.handler.rpartition(".")
        path = self.configuration.code / f"{module_name}.py"
        unique = f"auditwire_local_environment_{self.configuration.name}_{next(_serial)}"
        try:
            spec = importlib.util.spec_from_file_location(unique, path)
            if spec is None or spec.loader is None:
                raise ImportError(path)
            module = importlib.util.module_from_spec(spec)
            sys.modules[unique] = module
            with _own_copy(_STATEFUL):
                spec.loader.exec_module(module)
            log_to_stand_in(self.configuration.variables.get("POWERTOOLS_SERVICE_NAME", self.configuration.name))
            handler: Handler = getattr(module, attribute)
        except Exception as error:
            traceback.print_exc()
            msg = f"{self.configuration.name} does not load: {type(error).__name__}: {error}"
            raise InitError(msg) from error
        return handler

    @contextmanager
    def _observed(self) -> Iterator[None]:
        """Inside, what is printed is collected, and this thread counts as running the function."""
        printed: list[str] = []
        token = running.set(self.configuration.name)
        try:
            with captured(printed.append):
                yield
        finally:
            running.reset(token)
            self._log(self.configuration.name, "".join(printed).splitlines())

    @contextmanager
    def _variables(self) -> Iterator[None]:
        """Inside, the environment variables of the process are those of this function's environment."""
        own = {
            **self.configuration.variables,
            "AWS_LAMBDA_FUNCTION_NAME": self.configuration.function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.configuration.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "_HANDLER": self.configuration.handler,
        }
        before = {name: os.environ.get(name) for name in own}
        os.environ.update(own)
        try:
            yield
        finally:
            # A name that goes while another thread walks through the environment is a KeyError there, as in botocore
            # when it makes a client. So names stay, empty, until `forget_variables`.
            for name, value in before.items():
                if value is None:
                    _added.add(name)
                os.environ[name] = value or ""


def forget_variables() -> None:
    """Remove the names that cold starts have added to the environment of this process. No function may run."""
    while _added:
        os.environ.pop(_added.pop(), None)


@contextmanager
def _own_copy(package: str) -> Iterator[None]:
    """Inside, what is imported of a package is a separate copy; outside nothing has changed."""

    def take() -> dict[str, ModuleType]:
        names = [name for name in sys.modules if name == package or name.startswith(f"{package}.")]
        return {name: sys.modules.pop(name) for name in names}

    shared = take()
    try:
        yield
    finally:
        take()
        sys.modules.update(shared)
