"""Which addresses an issuer may have: https, or http on this machine for tests and trials."""

from typing import Final
from urllib.parse import SplitResult, urlsplit

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_MAX_LENGTH: Final = 2000


def is_address(text: object, *, loopback: bool) -> bool:
    """Whether this is an address that the console may ask, or send a browser to: https without credentials and without
    a fragment. With ``loopback``, http on this machine is one too."""
    return _parts_of(text, loopback=loopback) is not None


def is_issuer(text: str) -> bool:
    """Whether this is the address of an issuer: it has no query, and http is for issuers on this machine."""
    return _parts_of(text, loopback=True) is not None and "?" not in text


def is_on_loopback(issuer: str) -> bool:
    """Whether an issuer is asked by http, so that its endpoints may be too."""
    return issuer.startswith("http:")


def _parts_of(text: object, *, loopback: bool) -> SplitResult | None:
    if not isinstance(text, str) or len(text) > _MAX_LENGTH:
        return None
    # Browsers read a backslash as a slash and leave out tabs and line ends: what they ask must be what was looked at.
    if not text.isascii() or not text.isprintable() or any(letter in text for letter in ' \\"<>#@'):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or port == 0:
        return None
    if text.startswith("https://"):
        return parts
    return parts if loopback and text.startswith("http://") and parts.hostname in _LOOPBACK else None
