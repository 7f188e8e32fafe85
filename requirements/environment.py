"""Make a virtual environment and fill it with what lock files name: by uv, or by pip where uv cannot.

    environment.py DIR LOCK… [--project FOLDER]     --project: install the project there too, as editable

uv is a tenth of pip's work, mostly because it compiles no bytecode ahead. pip installs it, with hashes, and it is
told where packages come from by pip's own settings, so a machine that pip works on needs nothing more. Standard library
only: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = Path(__file__).resolve().parent
UV_LOCK = FOLDER / "uv.txt"
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "-qq")

# https://docs.astral.sh/uv/reference/environment/ ; lists are separated by spaces there, find-links by commas.
_UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}


def uv_settings(pip_config: str, env: Mapping[str, str]) -> dict[str, str]:
    """The environment that makes uv ask where pip would ask.

    ``pip_config`` is what ``pip config list`` prints: lines ``global.cert='/etc/ca.pem'``, those of the environment
    (``:env:``) winning over ``install`` and ``global``. What ``env`` says of uv itself stands.
    """
    ranks = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in pip_config.splitlines():
        name, _, quoted = line.partition("=")
        section, _, key = name.rpartition(".")
        if key not in _UV_NAMES or section not in ranks:
            continue
        value = " ".join(str(ast.literal_eval(quoted)).split())
        if value and ranks[section] >= found.get(key, (-1, ""))[0]:
            found[key] = ranks[section], value
    settings = {_UV_NAMES[key]: value for key, (_, value) in found.items()}
    if "UV_FIND_LINKS" in settings:
        settings["UV_FIND_LINKS"] = settings["UV_FIND_LINKS"].replace(" ", ",")
    # As pip looks at all indexes; the hashes say which file is meant, whichever of them has it.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **settings, **env}


def make(directory: Path, locks: Iterable[Path], project: Path | None) -> None:
    """Make the environment, or add what is missing to it. Raises CalledProcessError; pip has said why by then."""
    python = directory / "bin" / "python"
    if not python.exists():
        _say(f"1/3 an empty environment in {directory}")
        _run([sys.executable, "-m", "venv", str(directory)])
    _say("2/3 the packages of the lock files")
    uv = _uv(python)
    for lock in locks:
        _install(python, uv, ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(lock)])
    if project:
        _say("3/3 the project itself")
        _install(python, uv, ["--no-build-isolation", "--no-deps", "--editable", str(project)])


def _uv(python: Path) -> dict[str, str] | None:
    """The environment to call uv with, once it is installed; None where this platform has no wheel of it."""
    wanted = [*PIP, "install", "--require-hashes", "--only-binary", ":all:", "-r", str(UV_LOCK)]
    if subprocess.run([str(python), *wanted], check=False).returncode:  # noqa: S603 - our own pip
        _say("no uv for this machine: pip does it, which takes a minute longer")
        return None
    config = subprocess.run([str(python), "-m", "pip", "config", "list"], check=False, capture_output=True, text=True)  # noqa: S603
    return uv_settings(config.stdout, os.environ)


def _install(python: Path, uv: Mapping[str, str] | None, wanted: list[str]) -> None:
    if uv is not None:
        command = [str(python.with_name("uv")), "pip", "install", "--quiet", "--python", str(python), *wanted]
        if not subprocess.run(command, check=False, env=dict(uv)).returncode:  # noqa: S603 - the uv of the lock file
            return
        _say("uv could not install that: pip tries")
    _run([str(python), *PIP, "install", *wanted])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - built here


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("locks", type=Path, nargs="+")
    parser.add_argument("--project", type=Path)
    given = parser.parse_args()
    try:
        make(given.directory, given.locks, given.project)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
