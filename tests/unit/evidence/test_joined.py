"""Several copies are one archive: what any of them has is found and proven, and of equal keys the first counts."""

from pathlib import Path

import pytest

from auditwire.evidence.errors import NotThereError
from auditwire.evidence.folder import FolderReader
from auditwire.evidence.joined import JoinedReader
from auditwire.evidence.store import Reader, read_whole
from auditwire.evidence.verify import Question, verify
from auditwire.search import Query
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire.search.scan import Scan
from auditwire_cli.console.sources import source_of_folders
from auditwire_cli.errors import UsageError
from sealed import World, outcome
from searched import ask
from tampering import intact


def split(world: World, folder: Path) -> list[Path]:
    """The archive in two folders, every other object in the first, seals in both."""
    folders = [folder / "one", folder / "two"]
    for number, (key, content) in enumerate(sorted(world.store.objects.items())):
        for place in folders if key.startswith("seals/") else folders[number % 2 :][:1]:
            (place / key).parent.mkdir(parents=True, exist_ok=True)
            (place / key).write_bytes(content)
    return folders


def test_copies_of_parts_are_listed_read_and_verified_as_one(tmp_path: Path) -> None:
    world = intact()
    joined: Reader = JoinedReader([FolderReader(each) for each in split(world, tmp_path)])

    for prefix in ("", "events/", "events/cluster=prod/", "seals/cluster=prod/0000000001"):
        assert [(one.key, one.size) for one in joined.listing(prefix)] == [
            (one.key, one.size) for one in world.store.listing(prefix)
        ]
    assert joined.folders("events/").prefixes == world.store.folders("events/").prefixes
    for key, content in world.store.objects.items():
        assert (read_whole(joined, key), joined.read_range(key, 2, 9)) == (content, content[2:9])
        assert joined.name(key).endswith(key)
    keys = {world.key.fingerprint: world.key}
    question = Question(now=world.now, live=False)
    assert outcome(list(verify(joined, keys, question, lambda what: None))) == 0
    for reader in (Scan(joined), DuckDBEngine(joined)):
        assert len(ask(reader, Query())[0]) == len(ask(Scan(world.store), Query())[0]) > 0


def test_of_equal_keys_the_first_copy_counts(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "events").mkdir(parents=True)
        (tmp_path / name / "events" / "x").write_text(name)
    joined = JoinedReader([FolderReader(tmp_path / "two"), FolderReader(tmp_path / "one")])

    assert read_whole(joined, "events/x") == b"two"
    assert [one.key for one in joined.folders("events/").objects] == ["events/x"]
    with pytest.raises(NotThereError):
        read_whole(joined, "events/y")


def test_the_console_takes_several_folders(tmp_path: Path) -> None:
    folders = split(intact(), tmp_path)

    source = source_of_folders(folders, {})

    assert source.title.startswith("2 folders: ")
    assert len(ask(source.engine, Query())[0]) == 20
    with pytest.raises(UsageError, match="there is no folder"):
        source_of_folders([*folders, tmp_path / "three"], {})
