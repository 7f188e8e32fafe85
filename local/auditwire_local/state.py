"""The files by which other programs find a running system."""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CONTAINER_HOST = "host.docker.internal"
"""The name by which a container of ``sam local invoke`` reaches this machine."""

_LOOPBACK = re.compile(r"(https?://)(?:127\.0\.0\.1|localhost)(?![\w.-])")


def write_private(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file that only its owner can read, completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        # mkstemp made it with mode 0600.
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def env_vars_path(state: Path) -> Path:
    """The path of the env-vars file that belongs to a state file: ``run.json`` → ``run.env-vars.json``."""
    return state.with_name(f"{state.stem}.env-vars.json")


def issuer_path(state: Path) -> Path:
    """The path of the file with the key that signs tokens: ``run.json`` → ``run.issuer.json``."""
    return state.with_name(f"{state.stem}.issuer.json")


def env_vars(variables: Mapping[str, Mapping[str, str]], aws_endpoint_url: str) -> dict[str, dict[str, str]]:
    """The document for ``sam local invoke --env-vars``: logical id of a function → its variables.

    Addresses on loopback become ``host.docker.internal``, which Docker Desktop maps to this machine's loopback. On
    Linux a container reaches the machine only on the address of Docker's bridge, so the in-process AWS must be told to
    listen there (``Options.aws_host``). SAM passes on only the variables that the template declares.
    """
    port = urlsplit(aws_endpoint_url).port
    endpoint = {"AWS_ENDPOINT_URL": f"http://{CONTAINER_HOST}:{port}"}
    return {
        logical_id: {name: _LOOPBACK.sub(rf"\1{CONTAINER_HOST}", value) for name, value in values.items()} | endpoint
        for logical_id, values in variables.items()
    }
