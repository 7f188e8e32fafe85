"""Files in UTF-16, as PowerShell writes them: recognised, so that they are refused with a sentence that helps."""

from typing import Final

UTF16_HINT: Final = "save it as UTF-8; PowerShell writes UTF-16 with >, so use: … | Set-Content -Encoding utf8 FILE"

_LOOKED_AT: Final = 200


def is_utf16(text: str) -> bool:
    """Whether a text that was decoded as UTF-8 is UTF-16: then every other character of a document is a NUL."""
    return text.count("\0", 0, _LOOKED_AT) > min(len(text), _LOOKED_AT) // 4 > 0
