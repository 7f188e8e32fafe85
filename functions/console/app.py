"""The console function: wires the console to AWS. An event of an HTTP API in (payload format 2.0), its answer out."""

import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from auditwire.aws.environment import ConsoleConfig
from auditwire_console.deployed import Clients, answer, make_console
from auditwire_console.guard import Guard

logger = Logger()
logger.setLevel(min(logger.log_level, logging.INFO))  # whatever LogLevel is: who looked at what is always written down
for name in ("auditwire.console", "auditwire_console"):  # what the console says itself, above all who signed in
    own = logging.getLogger(name)
    own.handlers, own.propagate = [logger.registered_handler], False
    own.setLevel(logger.log_level)
_clients = Clients.of_requests()


@cache
def _console() -> Guard:
    return make_console(ConsoleConfig.from_env(os.environ), _clients, _log)


def _log(record: Mapping[str, Any]) -> None:
    logger.info("search", extra=dict(record))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers one request. What goes wrong is answered 5xx, which an alarm counts."""
    return answer(_console(), event, context)
