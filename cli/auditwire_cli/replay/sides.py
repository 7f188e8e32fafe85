"""The two sets of rules of a replay: what a word on the command line means, as a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING

from auditwire.bundles.rules_bucket import bundle_key
from auditwire.documents.source import is_test_file
from auditwire.rules import Source, load_sources
from auditwire.rules.bundle import encode_bundle
from auditwire.rules.files import default_rules
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.replay.report import Side
from auditwire_cli.rules.bundles import check_digest, find_digest, folder_sources, read_active, read_bundle
from auditwire_cli.rules.documents import short
from auditwire_cli.terminal.output import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditwire.bundles.rules_bucket import RulesBucket
    from auditwire.rules import RuleSet

ACTIVE = "active"
"""The word for what is in force."""


def side_of(word: str, bucket: "Callable[[], RulesBucket]") -> tuple[Side, bytes]:
    """The rules that a word means, as in ``rules diff``: a path that exists, the digest of a bundle, or ``active``.

    ``bucket`` finds the rules bucket, where one is needed. Raises UsageError for what is not there, and for rules with
    errors.
    """
    if word != ACTIVE and ("/" in word or "." in word or Path(word).exists()):
        return side_of_sources(folder_sources(Path(word)), word)
    if word != ACTIVE:
        check_digest(word)
    found = bucket()
    if word != ACTIVE:
        return _stored(found, find_digest(found, word))
    active = read_active(found)
    return shipped_side() if active is None else _stored(found, active.digest)


def shipped_side() -> tuple[Side, bytes]:
    """The rules that decide before anything is published."""
    return side_of_sources(default_rules(), "the shipped rules")


def side_of_sources(sources: "Sequence[Source]", name: str) -> tuple[Side, bytes]:
    """The rules of documents. Raises UsageError after showing their errors."""
    loaded = load_sources(sources)
    if loaded.rule_set is None:
        for found in loaded.diagnostics:
            if found.is_error:
                tell(found.as_text())
        raise UsageError(f"{name} have errors, so nothing was replayed", "see `auditwire rules check`")
    # Tests lie beside the documents, and are no part of what they decide.
    documents = [source for source in sources if not is_test_file(source.path)]
    return _side(name, loaded.rule_set), encode_bundle(loaded.rule_set, documents)


def _stored(bucket: "RulesBucket", digest: str) -> tuple[Side, bytes]:
    bundle = read_bundle(bucket, digest)  # whatever is wrong with it is said here, not by a worker
    stored = bucket.read(bundle_key(digest))
    if stored is None:
        raise CommandError(f"the bundle {short(digest)} is no longer in the bucket")
    return _side(short(digest), bundle.rule_set), stored.data


def _side(name: str, rules: "RuleSet") -> Side:
    return Side(name, rules.digest, tuple(one.text.name for one in rules.exceptions))
