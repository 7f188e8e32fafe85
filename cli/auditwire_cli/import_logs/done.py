"""What an import has done already, in a file, so that it can be gone on with."""

import json
from pathlib import Path
from typing import Any

from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_text
from auditwire_cli.import_logs.found import Found

_WHOLE = -1


class Done:
    """How many pieces of each file or object are stored."""

    def __init__(self, path: Path, cluster: str) -> None:
        """Reads the file, if there is one. Raises UsageError for another file, and for that of another cluster."""
        self._path = path
        self._cluster = cluster
        self._pieces: dict[str, int] = {}
        if not path.exists():
            return
        try:
            content: Any = json.loads(read_text(path, "the progress file"))
            self._pieces = {str(name): int(count) for name, count in content["pieces"].items()}
            of = content["cluster"]
        except (ValueError, LookupError, TypeError, AttributeError):
            raise UsageError(f"{path} is no progress file of an import", "give another --progress FILE") from None
        if of != cluster:
            raise UsageError(f"{path} is about the cluster {of}", "give another --progress FILE")

    def of(self, found: Found) -> int | None:
        """How many pieces are stored; None for all of them."""
        count = self._pieces.get(_name(found), 0)
        return None if count == _WHOLE else count

    def note(self, found: Found, pieces: int, *, is_whole: bool) -> None:
        """Writes down how far it is."""
        self._pieces[_name(found)] = _WHOLE if is_whole else pieces
        waiting = self._path.with_name(f"{self._path.name}.new")
        waiting.write_text(json.dumps({"cluster": self._cluster, "pieces": self._pieces}, indent=1) + "\n")
        waiting.replace(self._path)


def _name(found: Found) -> str:
    return f"{found.name}#{found.state}"
