"""Kubeconfig files as text in a body, such as KubeSphere's ConfigMaps have them: their tokens, keys and passwords."""

import re
from typing import Final

from auditwire.events.redact_uri import MARK

_IS_ONE: Final = re.compile(
    r"""(?m)^[ \t]*(?:users|["']?users["']?)[ \t]*:|["']users["'][ \t]*:|[{,][ \t]*users[ \t]*:"""
)
_SECRET: Final = re.compile(
    r"""(?P<name>(?:^|[{,])[ \t]*(?:- +)?["']?"""
    r"""(?:token|id-token|access-token|refresh-token|client-key-data|client-secret|password)["']?[ \t]*:)"""
    r"""[ \t]*(?P<value>[^\n]*)""",
    re.MULTILINE,
)
_WORDS: Final = ("clusters", "current-context", "kind: Config", '"Config"')
_ON_MORE_LINES: Final = ("|", ">", "&", "!", "#")


def redact_kubeconfig(text: str) -> str:
    """The text of a kubeconfig without its secrets; the whole is hidden where their values are not on their own line.
    Any other text stays as it is."""
    if not any(word in text for word in _WORDS) or not _IS_ONE.search(text):
        return text
    values = [found["value"].strip() for found in _SECRET.finditer(text)]
    if any(not value or value.startswith(_ON_MORE_LINES) for value in values):
        return MARK
    return _SECRET.sub(lambda found: f"{found['name']} {MARK}", text)
