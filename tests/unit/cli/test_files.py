"""Files that commands read whole, and files that have a credential."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.files import keep_out_of_git, lines_of, read_file, read_text, write_private


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    return tmp_path


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"kind: Policy\n")

    assert (read_file(file), read_text(file)) == (b"kind: Policy\n", "kind: Policy\n")
    assert list(lines_of(str(file))) == [b"kind: Policy\n"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "cannot read the policy .*none: No such file or directory"),
        (".", "cannot read the policy .*: Is a directory"),
        ("/dev/zero", "the policy /dev/zero is too large"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_file(tmp_path / name, "the policy")


def test_other_bytes_are_not_text(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes("kind: Policy".encode("utf-16"))

    with pytest.raises(UsageError, match=r"cannot read .*x: it is not UTF-8 text"):
        read_text(file)


def test_a_line_without_an_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="/dev/zero:1: the line is too long"):
        list(lines_of("/dev/zero"))
    with pytest.raises(UsageError, match=r"cannot read .*none: No such file or directory"):
        list(lines_of(str(tmp_path / "none")))


def test_a_private_file_is_for_its_owner_and_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "prod.credential"
    before = os.umask(0)
    try:
        write_private(file, "secret\n")
    finally:
        os.umask(before)

    assert (stat.S_IMODE(file.stat().st_mode), file.read_text()) == (0o600, "secret\n")
    with pytest.raises(CommandError, match="exists"):
        write_private(file, "other\n")
    assert file.read_text() == "secret\n"


@pytest.mark.parametrize(
    ("name", "message"), [("none/x", "No such file or directory"), ("/dev/full", "exists"), ("/proc/x", "No such file")]
)
def test_a_private_file_that_cannot_be_written_is_named(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        write_private(tmp_path / name, "secret")


@pytest.mark.parametrize(
    "name",
    ["prod.credential", "a folder/prod.credential", "#x", "!x", "a*b[c]?", "-n", "über.credential", "x\\y", "x "],
)
def test_git_ignores_a_credential(clone: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    file = clone / name
    file.parent.mkdir(exist_ok=True)
    (file.parent / "other.txt").touch()

    write_private(file, "secret")

    told = capsys.readouterr().err
    assert told == f"git ignores {file} from now on: it was added to .git/info/exclude\n"
    listed = git(clone, "-c", "core.quotePath=off", "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    assert listed == [str((file.parent / "other.txt").relative_to(clone)), ""]
    keep_out_of_git(file)
    assert capsys.readouterr().err == ""


def test_other_excludes_stay(clone: Path) -> None:
    exclude = clone / ".git" / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.write_text("*.swp")

    write_private(clone / "x.credential", "secret")

    assert exclude.read_text() == "*.swp\n/x.credential\n"


def test_what_is_ignored_already_is_left_alone(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clone / ".gitignore").write_text("*.credential\n")

    write_private(clone / "x.credential", "secret")

    assert capsys.readouterr().err == ""


def test_outside_of_a_clone_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    write_private(tmp_path / "one", "secret")
    monkeypatch.setenv("PATH", str(tmp_path))
    write_private(tmp_path / "two", "secret")

    assert capsys.readouterr().err == ""
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one", "two"]


def test_excludes_that_cannot_be_written_are_told(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exclude = clone / ".git" / "info" / "exclude"
    exclude.unlink(missing_ok=True)
    exclude.parent.mkdir(exist_ok=True)
    exclude.symlink_to("/proc/nowhere/exclude")

    write_private(clone / "x.credential", "secret")

    assert "git does not ignore" in capsys.readouterr().err
