"""A file of viewers: who else may look, at what, and by the digest of which token.

viewers:
  - name: shop
    tokenSHA256: 9f86d081…
    clusters: [prod]
    namespaces: [shop, shop-test]
    workspaces: []
    everything: false
    hostCluster: prod
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_text

if TYPE_CHECKING:
    from auditwire_console.viewer import Viewer

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LISTS: Final = ("clusters", "namespaces", "workspaces")
_KNOWN: Final = {"name", "tokenSHA256", "everything", "hostCluster", *_LISTS}


def read_viewers(path: Path) -> "dict[str, Viewer]":
    """The viewers of a file, by the digests of their tokens. Raises UsageError, which says which entry is wrong."""
    import yaml

    try:
        document = yaml.safe_load(read_text(path, "the viewers"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UsageError(f"{path}{place}: is no YAML: {getattr(error, 'problem', error)}") from None
    entries = document.get("viewers") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise UsageError(f"{path}: has no list `viewers`", "docs/console.md shows such a file")
    found: dict[str, Viewer] = {}
    for number, entry in enumerate(entries, 1):
        digest, viewer = _viewer(path, number, entry)
        if digest in found:
            raise UsageError(f"{path}: viewer {number} has the token of {found[digest].name}", "give each its own")
        found[digest] = viewer
    return found


def _viewer(path: Path, number: int, entry: Any) -> "tuple[str, Viewer]":
    from auditwire_console.viewer import Grant, Viewer

    place = f"{path}: viewer {number}"
    if not isinstance(entry, dict):
        raise UsageError(f"{place} is no mapping", "docs/console.md shows such a file")
    unknown = sorted(str(name) for name in entry.keys() - _KNOWN)
    if unknown:
        raise UsageError(f"{place} has the unknown key {unknown[0][:80]}", f"known are {', '.join(sorted(_KNOWN))}")
    digest, name = entry.get("tokenSHA256"), entry.get("name")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise UsageError(f"{place}: tokenSHA256 is the SHA-256 of the token, 64 digits in lower case")
    if not isinstance(name, str) or not name:
        raise UsageError(f"{place} has no name")
    lists = {key: entry.get(key) or [] for key in _LISTS}
    for key, values in lists.items():
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise UsageError(f"{place}: {key} is a list of names")
    everything, host = entry.get("everything", False), entry.get("hostCluster", "")
    if not isinstance(everything, bool):
        raise UsageError(f"{place}: everything is true or false")
    if not isinstance(host, str):
        raise UsageError(f"{place}: hostCluster is the name of a cluster")
    clusters = None if lists["clusters"] == ["*"] else frozenset(lists["clusters"])
    namespaces, workspaces = frozenset(lists["namespaces"]), frozenset(lists["workspaces"])
    return digest, Viewer(name, (Grant(clusters, namespaces, workspaces, everything),), host)
