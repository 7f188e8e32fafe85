"""Files in parts: every line is read once, wherever the parts are cut."""

import gzip
from pathlib import Path

import pytest

from auditwire_cli.errors import CommandError
from auditwire_cli.replay.chunks import Packed, PackedFiles, Part
from auditwire_cli.replay.files import chunks_of_files

LINES = [b'{"n":1}\n', b"\n", b'{"n":22}\n', b'{"n":333}\n', b'{"n":4}']


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_parts_of_any_size_have_every_line_once(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "audit.log"
    content = b"".join(LINES) + end
    path.write_bytes(content)

    for size in range(1, len(content) + 2):
        parts = [Part(path, start, min(start + size, len(content))) for start in range(0, len(content), size)]
        read = [line for part in parts for line in part.items(list[str]().append)]
        assert b"".join(read) == content


def test_a_file_of_lines_is_not_read_by_the_process_that_gives_out_the_work(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b"".join(LINES))

    (sized,) = chunks_of_files([str(path)])

    assert sized.chunk == Part(path, 0, len(b"".join(LINES)))


@pytest.mark.parametrize("content", [b"damaged", gzip.compress(b"x" * 99)[:-4]], ids=["no gzip", "cut gzip"])
def test_a_damaged_object_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(content)

    said: list[str] = []
    list(PackedFiles([path, tmp_path / "gone"]).items(said.append))
    list(Packed([("s3://bucket/key", content)]).items(said.append))

    assert [sentence.split(": ")[0] for sentence in said] == [str(path), str(tmp_path / "gone"), "s3://bucket/key"]


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot read .*gone"):
        list(Part(tmp_path / "gone", 0, 1).items(list[str]().append))
