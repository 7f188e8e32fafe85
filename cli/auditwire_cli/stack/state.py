"""The state file of ``auditwire dev``: where its endpoint and its AWS are, and the credentials of its clusters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_file

DEFAULT_STATE = Path(".auditwire/dev.json")


@dataclass(frozen=True, slots=True)
class State:
    """What a state file says. ``url`` is the endpoint without path; credentials are never shown."""

    path: Path
    url: str
    ca_file: str | None
    aws_endpoint_url: str
    region: str
    stack: str
    credentials: Mapping[str, str] = field(repr=False)
    """The credential of each cluster."""
    senders: Mapping[str, str]
    """What kind of sender each cluster is."""

    def needs(self, *members: str) -> "State":
        """This state, if it has these members. Raises UsageError where one is missing."""
        if not all(getattr(self, member) for member in members):
            raise _not_a_state_file(self.path)
        return self

    def credential_of(self, cluster: str) -> str:
        """The credential of a cluster. Raises UsageError for one that the file does not have."""
        if cluster not in self.credentials:
            known = ", ".join(sorted(self.credentials)) or "none"
            raise UsageError(f"the state file has no cluster {cluster!r}", f"it has: {known}")
        return self.credentials[cluster]

    def cluster_of(self, sender: str) -> str:
        """The first cluster of that kind of sender, or else the first of all; "" where there is none."""
        matching = [name for name, kind in self.senders.items() if kind == sender]
        return next(iter(matching or self.senders), "")


def read_state(path: Path) -> State:
    """The state file at ``path``; a text that it does not have is "". Raises UsageError where there is none, or
    something else."""
    if not path.exists():
        raise UsageError(f"there is no state file {path}", "start `auditwire dev` first")
    try:
        content: Any = json.loads(read_file(path, "the state file"))
        clusters = content.get("clusters", {}).items()
        return State(
            path=path,
            url=str(content.get("url", "")).rstrip("/"),
            ca_file=content.get("ca_file"),
            aws_endpoint_url=str(content.get("aws_endpoint_url", "")),
            region=str(content.get("region", "")),
            stack=str(content.get("stack", "")),
            credentials={name: str(entry["credential"]) for name, entry in clusters},
            senders={name: str(entry["sender"]) for name, entry in clusters},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _not_a_state_file(path) from None


def _not_a_state_file(path: Path) -> UsageError:
    return UsageError(f"{path} is not a state file of `auditwire dev`", "that is the file which it writes at its start")
