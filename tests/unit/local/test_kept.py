"""What is kept of a local system for its next run."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditwire_local import certificate
from auditwire_local.certificate import Authority
from auditwire_local.kept import Kept, kept_path


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    path = kept_path(tmp_path / "run.json")
    kept = Kept({"demo": "secret"})
    kept.write(path)

    again = Kept.read(path)

    assert path.name == "run.kept.json"
    assert (again.credentials, again.authority.as_pem()) == (kept.credentials, kept.authority.as_pem())
    assert "secret" not in repr(kept)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"credentials": []}', '{"credentials": {"demo": "x"}}', "\0", '{"authority": "x"}']
)
def test_what_cannot_be_used_is_made_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text)
    assert Kept.read(path).credentials == Kept.read(tmp_path / "none.json").credentials == {}


def test_an_authority_that_cannot_be_used_costs_no_credential(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text(json.dumps({"credentials": {"demo": "x", "demo-ks": ""}, "authority": "no PEM"}))
    assert Kept.read(path).credentials == {"demo": "x"}


def test_an_authority_that_ends_soon_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Authority.of_pem(Authority.new().as_pem()) is not None
    monkeypatch.setattr(certificate, "_AUTHORITY_LIFETIME", timedelta(days=29))
    old = Authority.new()
    assert old.certificate.not_valid_after_utc < datetime.now(UTC) + timedelta(days=30)
    assert Authority.of_pem(old.as_pem()) is None
