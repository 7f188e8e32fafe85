"""The in-process AWS: moto for this process, and the same state behind an HTTP address for others.

While it is open, every AWS variable in the environment is replaced by a made-up one, so that neither a mistake here nor
one in a function can reach a real account.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock, Thread
from typing import Any

from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from auditwire_local.athena import mended_athena
from auditwire_local.buckets import mended_buckets
from auditwire_local.embedded_metrics import mended_metrics
from auditwire_local.errors import AlreadyRunningError
from auditwire_local.forgetting import forgetting
from auditwire_local.queues import mended_queues

ACCOUNT: str = DEFAULT_ACCOUNT_ID

_ANY = {"0.0.0.0", ""}  # noqa: S104 - compared with, not listened on
_running = Lock()


@contextmanager
def sandbox(region: str, host: str, port: int) -> Iterator[str]:
    """Open the in-process AWS, and yield its address for other processes. Raises AlreadyRunningError when it is
    open."""
    if not _running.acquire(blocking=False):
        msg = "a local system is already running in this process"
        raise AlreadyRunningError(msg)
    with ExitStack() as stack:
        stack.callback(_running.release)
        stack.enter_context(_made_up_environment(region))
        # Without Docker: moto runs no function here, and must not look for an engine.
        stack.enter_context(mock_aws(config={"lambda": {"use_docker": False}}))
        stack.enter_context(forgetting())
        stack.enter_context(mended_queues())
        stack.enter_context(mended_buckets())
        stack.enter_context(mended_athena())
        stack.enter_context(mended_metrics())
        yield stack.enter_context(_server(host, port))


@contextmanager
def _made_up_environment(region: str) -> Iterator[None]:
    taken = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    try:
        for name in taken:
            del os.environ[name]
        os.environ.update(
            AWS_ACCESS_KEY_ID="local",
            AWS_SECRET_ACCESS_KEY="local",  # noqa: S106 - made up on purpose
            AWS_REGION=region,
            AWS_DEFAULT_REGION=region,
            AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull,
            AWS_EC2_METADATA_DISABLED="true",
        )
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(taken)


class _QuietHandler(MotoRequestHandler):
    """moto's request handler, without werkzeug's line for every request."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's signature
        """Say nothing."""


@contextmanager
def _server(host: str, port: int) -> Iterator[str]:
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server(host, port, application, threaded=True, request_handler=_QuietHandler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="aws", daemon=True)
    thread.start()
    try:
        # A server that listens on every address is reached on this one.
        yield f"http://{'127.0.0.1' if host in _ANY else host}:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
