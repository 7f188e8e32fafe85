"""Which objects seals name, on disk: an archive may have more than a memory holds."""

import sqlite3
from typing import Literal, Self

Claim = Literal["new", "same", "other"]
"""Whether a key is named for the first time, once more with the same bytes, or with others than before."""


class Named:
    """Keys of objects, each with the SHA-256 of its bytes, in a file without a name that goes with the process."""

    def __init__(self) -> None:
        # An empty name is SQLite's for a temporary database on disk (https://sqlite.org/inmemorydb.html).
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("CREATE TABLE named (key TEXT PRIMARY KEY, sha256 BLOB) WITHOUT ROWID")
        self._database.execute("CREATE INDEX by_sha256 ON named (sha256)")
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self._database.close()

    def claim(self, key: str, sha256: str) -> Claim:
        """Notes that a seal names an object. What was noted first stays."""
        digest = bytes.fromhex(sha256)
        if self._database.execute("INSERT OR IGNORE INTO named VALUES (?, ?)", (key, digest)).rowcount:
            return "new"
        return "same" if self._one("SELECT sha256 FROM named WHERE key = ?", key) == digest else "other"

    def __contains__(self, key: str) -> bool:
        return self._one("SELECT 1 FROM named WHERE key = ?", key) is not None

    def key_of(self, sha256: str) -> str | None:
        """The key of an object with these bytes; None where there is none."""
        found = self._one("SELECT key FROM named WHERE sha256 = ?", bytes.fromhex(sha256))
        return None if found is None else str(found)

    def _one(self, query: str, value: str | bytes) -> object:
        row = self._database.execute(query, (value,)).fetchone()
        return row[0] if row else None
