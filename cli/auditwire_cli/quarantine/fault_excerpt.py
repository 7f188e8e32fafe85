"""Where the fault in a body is, and what may be shown of the bytes around it.

Only an event that decodes can be redacted, so these bytes cannot. Where they may have a secret, only their structure
is shown: keys stay, every value is masked, and nothing after the fault is shown.
"""

import codecs
import re
from dataclasses import dataclass

from auditwire_cli.terminal.escaping import printable

HERE = "⟨here⟩"
MASKED = "…"

_BEFORE = 160
_AFTER = 80
# Lexing reads everything before the fault, which takes about a second for this many bytes.
_MAX_LEXED = 8 << 20
# What redaction looks for: kinds and resources, keys, and the marks of tokens in URIs; letters may be escaped.
_SIGNS = re.compile(
    rb"secret|token|stringdata|last-applied|bearer|authorization=|eyj|jwt|%[4-7]|\\u00[4-7]", re.IGNORECASE
)
_BYTE = re.compile(r"\(byte (\d+)\)")
_TOKENS = re.compile(
    rb'(?P<key>"(?:[^"\\]|\\.)*"(?=[ \t\r\n]*:))|(?P<text>"(?:[^"\\]|\\.)*(?:"|\\?\Z))'
    rb"|(?P<structure>[\[\]{},:]|[ \t\r\n]+|true|false|null)|(?P<number>-?[0-9][0-9.eE+-]*)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """``text`` is one line, safe for a terminal; ``masked`` says whether values were withheld."""

    text: str
    masked: bool


def place_of(reason: str, detail: str, body: bytes) -> int | None:
    """The offset in bytes at which decoding found the fault; None where it names a member, or nothing."""
    if reason == "invalid_utf8":
        try:
            body.decode()
        except UnicodeDecodeError as error:
            return error.start
    if reason == "truncated":
        return len(body)
    found = _BYTE.search(detail)
    if found is None:
        return None
    # The decoder never sees a byte-order mark.
    skipped = len(codecs.BOM_UTF8) if body.startswith(codecs.BOM_UTF8) else 0
    return min(int(found[1]) + skipped, len(body))


def excerpt(body: bytes, place: int | None) -> Excerpt:
    """What may be shown around a place, or of the beginning where there is no place."""
    # Some senders write two bytes a letter (UTF-16); without the zeros it reads as it is meant.
    if _SIGNS.search(body.replace(b"\0", b"")):
        return Excerpt(_masked(body, _AFTER if place is None else place, place is not None), masked=True)
    if place is None:
        return Excerpt(
            _shown(body[: _BEFORE + _AFTER]) + (MASKED if len(body) > _BEFORE + _AFTER else ""), masked=False
        )
    start = max(0, place - _BEFORE)
    before, after = _shown(body[start:place]), _shown(body[place : place + _AFTER])
    return Excerpt(
        f"{MASKED if start else ''}{before}{HERE}{after}{MASKED if place + _AFTER < len(body) else ''}", masked=False
    )


def _masked(body: bytes, end: int, marked: bool) -> str:
    mark = HERE if marked else MASKED
    if end > _MAX_LEXED:
        return MASKED + mark
    parts: list[str] = []
    at = 0
    while at < end:
        token = _TOKENS.match(body, at, end)
        if token is None:
            # From here on it is not JSON, so it is unknown where strings begin and end.
            parts.append(MASKED)
            break
        kind, text = token.lastgroup, _shown(token[0])
        parts.append({"key": text, "text": f'"{MASKED}"', "number": MASKED}.get(str(kind), text))
        at = token.end()
    line = "".join(parts)
    return (MASKED + line[-_BEFORE:] if len(line) > _BEFORE else line) + mark


def _shown(piece: bytes) -> str:
    return printable(piece.decode(errors="backslashreplace"))
