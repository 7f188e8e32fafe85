"""Text that somebody else wrote, made safe for a terminal, in all the forms in which commands print it.

Names, messages and bodies come from callers of an API server. Control characters (C0 and C1) can steer a terminal,
bidirectional marks can turn a line around, and a line break can fake a second line.
"""


def printable(text: str) -> str:
    """The text on one line, with an escape such as ``\\u001b`` for each character that is not safe to print."""
    if text.isprintable():
        return text
    from auditwire.events.one_line import one_line

    return one_line(text)


def printable_block(text: str) -> str:
    """The same for text of several lines: line breaks and tabs stay."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def printable_json(text: str) -> str:
    """A JSON text with the same value, in which each character that is not safe to print has a JSON escape."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\n" else _as_json(sign) for sign in text)


def _as_json(sign: str) -> str:
    # JSON escapes are UTF-16 code units: two for a character beyond the first 65,536.
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
