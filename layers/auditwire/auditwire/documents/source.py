"""A document's text under the path it is reported by, and the digest of a set of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """One rules or policy file. ``path`` is how findings name it; for a set of rules, relative to its folder."""

    path: str
    text: str


def digest_of(sources: Iterable[Source]) -> str:
    """The SHA-256, in hex, of the sources by path: what is stamped on everything their rules decide."""
    digest = hashlib.sha256()
    for source in sorted(sources, key=lambda source: source.path):
        for part in (source.path, source.text):
            encoded = part.encode(errors="surrogatepass")
            digest.update(len(encoded).to_bytes(8, "big"))
            digest.update(encoded)
    return digest.hexdigest()
