"""A document's text with the path that findings name, and the digest of a set of documents."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

TEST_SUFFIXES: Final = (".test.yaml", ".test.yml")
"""How the names of files end that hold tests of rules. No reader of rule documents takes them for documents."""


@dataclass(frozen=True, slots=True)
class Source:
    """One rules or policy file. ``path`` is how findings name it. In a set of rules it is relative to their folder."""

    path: str
    text: str


def is_test_file(path: str) -> bool:
    """Whether a file holds tests of rules, by its name."""
    return path.endswith(TEST_SUFFIXES)


def digest_of(sources: Iterable[Source]) -> str:
    """The SHA-256, in hex, of the sources by path. Everything that their rules decide is stamped with it."""
    digest = hashlib.sha256()
    for source in sorted(sources, key=lambda source: source.path):
        for part in (source.path, source.text):
            encoded = part.encode(errors="surrogatepass")
            digest.update(len(encoded).to_bytes(8, "big"))
            digest.update(encoded)
    return digest.hexdigest()
