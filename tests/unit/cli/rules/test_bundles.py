"""Which bundle a word on the command line means, and which one was before."""

from pathlib import Path

import pytest

from auditwire.bundles.rules_bucket import bundle_key
from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.rules.bundles import (
    active_snapshot,
    find_digest,
    folder_sources,
    list_bundles,
    previous_digest,
    read_active,
    read_bundle,
)
from rules_publishing import World, rule


def published(*names: str) -> tuple[World, list[str]]:
    """A world in which these came into force one after the other, and their digests."""
    world = World()
    digests = []
    for name in names:
        world.bucket.write("rules/a.yaml", rule(name))
        digests.append(world.compile().digest or "")
        world.later(60)
    return world, digests


def test_bundles_are_listed_the_latest_first() -> None:
    world, digests = published("one", "two")
    world.bucket.write("bundles/readme.txt", b"")

    assert [one.digest for one in list_bundles(world.bucket)] == [digests[1], digests[0]]


def test_a_digest_may_be_cut_as_long_as_it_is_unique() -> None:
    world, digests = published("one", "two")

    assert find_digest(world.bucket, digests[0]) == digests[0]
    assert find_digest(world.bucket, digests[0][:8]) == digests[0]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("xyz", "'xyz' is not a digest"),
        ("abc", "'abc' is not a digest"),
        ("0123456789", "no bundle begins with 0123456789"),
        ("ffff", "2 bundles begin with ffff"),
    ],
)
def test_a_word_that_means_no_bundle_is_named(word: str, message: str) -> None:
    world = World()
    for end in "01":
        world.bucket.write(bundle_key("f" * 63 + end), b"")

    with pytest.raises(UsageError) as caught:
        find_digest(world.bucket, word)
    assert caught.value.message == message
    assert caught.value.hint


def test_the_bundle_before_is_the_one_that_was_in_force_before() -> None:
    world, digests = published("one", "two")
    assert previous_digest(world.bucket, read_active(world.bucket)) == digests[0]

    again, digests = published("one", "bad", "one", "worse")
    assert previous_digest(again.bucket, read_active(again.bucket)) == digests[0]


def test_nothing_was_before() -> None:
    fresh = World()
    with pytest.raises(CommandError, match="there is no bundle before the active one") as caught:
        previous_digest(fresh.bucket, read_active(fresh.bucket))
    assert caught.value.hint == "nothing has been published to this stack yet"

    world, digests = published("one")
    with pytest.raises(CommandError) as caught:
        previous_digest(world.bucket, read_active(world.bucket))
    assert caught.value.hint.startswith(f"there are {digests[0][:12]} (")


def test_a_bundle_that_is_gone_or_damaged_is_named() -> None:
    world, digests = published("one")
    world.bucket.write(bundle_key(digests[0]), b"{")
    with pytest.raises(CommandError, match=r"the bundle [0-9a-f]{12} cannot be read: .*cut off"):
        read_bundle(world.bucket, digests[0])

    world.bucket.delete(bundle_key(digests[0]))
    with pytest.raises(CommandError, match=r"the bundle .* is no longer in the bucket"):
        read_bundle(world.bucket, digests[0])

    world.bucket.write("active.json", b"[]")
    with pytest.raises(CommandError, match=r"active\.json is damaged"):
        read_active(world.bucket)


def test_what_is_in_force_is_the_active_bundle_or_the_shipped_rules() -> None:
    world, _ = published("one")
    active = active_snapshot(world.bucket, read_active(world.bucket))
    shipped = active_snapshot(world.bucket, None)

    assert [rule.qualified for rule in active.rule_set.alerting] == ["one.r"]
    assert "alerting-rule" in [document.name for document in shipped.documents]


def test_documents_of_a_folder_are_called_by_their_paths_in_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.yml").write_bytes(rule("b"))
    (tmp_path / "a.yaml").write_bytes(rule("a"))

    assert [source.path for source in folder_sources(tmp_path)] == ["a.yaml", "sub/b.yml"]
    assert [source.path for source in folder_sources(tmp_path / "sub/b.yml")] == ["b.yml"]
