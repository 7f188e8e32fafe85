"""The bundles in a rules bucket: the active one, the earlier ones, and what a word on the command line means."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from auditwire.bundles.rules_bucket import ACTIVE_KEY, bundle_key
from auditwire.bundles.rules_state import Active, StateError
from auditwire.rules import Source, load_sources
from auditwire.rules.bundle import BundleError, decode_bundle
from auditwire.rules.files import default_rules
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.rules.documents import read_documents, short
from auditwire_cli.times import to_the_minute

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket
    from auditwire.rules.bundle import Bundle
    from auditwire.rules.difference import Snapshot

_KEY = re.compile(r"bundles/([0-9a-f]{64})\.json")
_SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Listed:
    """A bundle in the bucket: the digest of its documents, and when it was written."""

    digest: str
    written: datetime


def read_active(bucket: "RulesBucket") -> Active | None:
    """What active.json says; None for a stack whose shipped rules decide. Raises CommandError for a damaged one."""
    stored = bucket.read(ACTIVE_KEY)
    try:
        return Active.decode(stored.data) if stored else None
    except StateError as error:
        raise CommandError(f"active.json is damaged: {error}", "publish the rules again") from None


def list_bundles(bucket: "RulesBucket") -> list[Listed]:
    """The bundles in the bucket, the newest first."""
    found = [
        Listed(match[1], entry.modified) for entry in bucket.entries("bundles/") if (match := _KEY.fullmatch(entry.key))
    ]
    return sorted(found, key=lambda one: (one.written, one.digest), reverse=True)


def read_bundle(bucket: "RulesBucket", digest: str) -> "Bundle":
    """The bundle with that digest. Raises CommandError where it is missing or cannot be read."""
    stored = bucket.read(bundle_key(digest))
    if stored is None:
        raise CommandError(f"the bundle {short(digest)} is no longer in the bucket")
    try:
        return decode_bundle(stored.data)
    except BundleError as error:
        raise CommandError(f"the bundle {short(digest)} cannot be read: {error}", error.diagnostic.hint) from None


def check_digest(word: str) -> None:
    """Raises UsageError for a word that names no folder and cannot be the beginning of a digest either."""
    if not _is_prefix(word):
        raise UsageError(f"{word[:80]} is neither a folder of rule documents nor the digest of a bundle")


def _is_prefix(text: str) -> bool:
    return len(text) >= _SHORTEST_PREFIX and re.fullmatch(r"[0-9a-f]+", text) is not None


def find_digest(bucket: "RulesBucket", prefix: str) -> str:
    """The digest that begins like this. Raises UsageError unless exactly one bundle has such a digest."""
    if not _is_prefix(prefix):
        raise UsageError(
            f"{prefix[:80]!r} is not a digest", f"give at least {_SHORTEST_PREFIX} of its hexadecimal digits"
        )
    matching = [one.digest for one in list_bundles(bucket) if one.digest.startswith(prefix)]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        raise UsageError(f"no bundle begins with {prefix}", _known(bucket))
    raise UsageError(f"{len(matching)} bundles begin with {prefix}", "give more of its digits")


def previous_digest(bucket: "RulesBucket", active: Active | None) -> str:
    """The digest of the bundle that was written before the active one. Raises CommandError where there is none."""
    bundles = list_bundles(bucket)
    position = next((at for at, one in enumerate(bundles) if active and one.digest == active.digest), -1)
    if active is None or position < 0 or position + 1 == len(bundles):
        raise CommandError("there is no bundle before the active one", _known(bucket))
    return bundles[position + 1].digest


def snapshot_of(bundle: "Bundle") -> "Snapshot":
    """The rules of a bundle as they decide, with the documents that they come from."""
    from auditwire.rules.difference import Snapshot

    return Snapshot(bundle.rule_set, load_sources(bundle.sources).documents)


def active_snapshot(bucket: "RulesBucket", active: Active | None) -> "Snapshot":
    """The rules in force: those of the active bundle, or the shipped ones."""
    if active is not None:
        return snapshot_of(read_bundle(bucket, active.digest))
    return snapshot_of_sources(default_rules(), "the shipped rules")


def snapshot_of_sources(sources: list[Source], what: str) -> "Snapshot":
    """The rules of documents. Raises CommandError when they have errors."""
    from auditwire.rules.difference import Snapshot

    loaded = load_sources(sources)
    if loaded.rule_set is None:
        raise CommandError(f"{what} have errors, so they cannot be compared", "see `auditwire rules check`")
    return Snapshot(loaded.rule_set, loaded.documents)


def folder_sources(path: Path) -> list[Source]:
    """The documents of a folder by their paths in it, or one document. Raises UsageError as ``read_documents`` does."""
    root = path if path.is_dir() else path.parent
    return [Source(Path(source.path).relative_to(root).as_posix(), source.text) for source in read_documents([path])]


def _known(bucket: "RulesBucket") -> str:
    bundles = list_bundles(bucket)
    shown = ", ".join(f"{short(one.digest)} ({to_the_minute(one.written)})" for one in bundles[:5])
    return f"there are {shown}" if bundles else "nothing has been published to this stack yet"
