"""A changed layer must become a new version of each function that follows published versions."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from template import ROOT, folder_digest, of_type, translated


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the build reads."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("layers", "functions", "rules"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def versions(repository: Path) -> set[str]:
    """Logical ids of the function versions, after building the ingest function's artefact as `sam build` does."""
    artefact = repository / "artefact"
    shutil.rmtree(artefact, ignore_errors=True)
    build = [sys.executable, str(repository / "layers/auditwire/build.py"), "function"]
    subprocess.run([*build, str(repository / "functions/ingest"), str(artefact)], check=True)
    return set(of_type(translated({"IngestFunction": folder_digest(artefact)}), "AWS::Lambda::Version"))


@pytest.mark.parametrize(
    "changed",
    [
        "layers/auditwire/auditwire/documents/diagnostics.py",
        "layers/auditwire/requirements.txt",
        "rules/alerting-rule.yaml",
        "functions/ingest/app.py",
    ],
)
def test_a_changed_layer_makes_a_new_version(repository: Path, changed: str) -> None:
    before = versions(repository)
    with (repository / changed).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    after = versions(repository)

    assert len(before) == len(after) == 1
    assert before.isdisjoint(after)


def test_an_unchanged_layer_makes_none(repository: Path) -> None:
    before = versions(repository)
    compiled = repository / "layers/auditwire/auditwire/__pycache__"
    compiled.mkdir()
    (compiled / "left.pyc").write_bytes(b"left by a run")

    assert versions(repository) == before
