"""What is kept of a local system from run to run: the credentials of its clusters, and its certificate authority.

So a cluster that was pointed at it once can send to its next run too.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditwire_local.certificate import Authority
from auditwire_local.state import write_private


@dataclass(frozen=True, slots=True)
class Kept:
    """The credential of each cluster by its name, and the authority."""

    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    authority: Authority = field(default_factory=Authority.new)

    @classmethod
    def read(cls, path: Path) -> "Kept":
        """What is kept in a file. New where there is no such file, or where it cannot be used."""
        try:
            found: Any = json.loads(path.read_text(encoding="utf-8"))
            credentials = {str(name): str(text) for name, text in found["credentials"].items() if text}
            authority = Authority.of_pem(found["authority"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()
        return cls(credentials, authority or Authority.new())

    def write(self, path: Path) -> None:
        """Keep it in a file that only its owner can read. Raises OSError."""
        write_private(path, {"credentials": self.credentials, "authority": self.authority.as_pem()})


def kept_path(state: Path) -> Path:
    """The path of the file beside a state file: ``run.json`` → ``run.kept.json``."""
    return state.with_name(f"{state.stem}.kept.json")
