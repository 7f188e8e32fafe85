"""Has every local system of this process leave what its functions did with their roles."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditwire_local import LocalSystem
from auditwire_local.assembly import configurations
from roles.calls import Recorder, hang_in
from roles.permissions import statements_of
from roles.service_calls import with_service_calls
from roles.use import FOLDER, role_use, write_role_use


def attach() -> None:
    """Observe every local system that this process starts from now on; call it before there is any AWS client."""
    hang_in()
    if observe_roles not in LocalSystem.observers:
        LocalSystem.observers.append(observe_roles)


@contextmanager
def observe_roles(system: LocalSystem) -> Iterator[None]:
    """Record what the system's functions call; at its end, hold that against their roles and write the result."""
    with Recorder() as recorder:
        yield
    functions = list(configurations(system.deployed, system.client("lambda")))
    calls = with_service_calls(recorder.calls(), functions, system.deployed)
    roles = {function.name: statements_of(system, function.name) for function in functions}
    write_role_use(role_use(roles, calls, system.deployed.arns()), Path(os.environ[FOLDER]))
