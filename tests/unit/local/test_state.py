"""The files by which other programs find a running system."""

import json
from pathlib import Path

import pytest

from auditwire_local.state import env_vars, env_vars_path, issuer_path, write_private


def test_a_private_file_is_for_its_owner_and_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.json"
    path.parent.mkdir()
    path.write_text("old")
    path.chmod(0o644)

    write_private(path, {"a": "é"})

    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"a": "é"}
    assert list(path.parent.iterdir()) == [path]


def test_a_document_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("old")

    with pytest.raises(TypeError):
        write_private(path, {"a": object()})

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_variables_as_a_container_must_see_them() -> None:
    variables = {
        "F": {
            "URLS": "http://127.0.0.1:9093,https://localhost/x,http://127.0.0.1.example.com",
            "NAME": "bucket",
        }
    }

    assert env_vars(variables, "http://127.0.0.1:5000") == {
        "F": {
            "URLS": "http://host.docker.internal:9093,https://host.docker.internal/x,http://127.0.0.1.example.com",
            "NAME": "bucket",
            "AWS_ENDPOINT_URL": "http://host.docker.internal:5000",
        }
    }
    assert env_vars_path(Path("/x/run.json")) == Path("/x/run.env-vars.json")
    assert issuer_path(Path("/x/run.json")) == Path("/x/run.issuer.json")
