"""Text that a sender chose, made safe to show: in a message, in a label, on a terminal."""

from typing import Final

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def one_line(text: str) -> str:
    """The text with every character that is not printable written as an escape: ``\\n``, ``\\t``, ``\\u202e``.

    Not printable are control and format characters, separators other than the plain space, surrogates, and code points
    that are private or unassigned (``str.isprintable``). So the result breaks no line, steers no terminal and hides
    nothing from its reader.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return _SHORT.get(character) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
