"""How a credential is handed over, and what is said of it at the command line."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auditwire.clusters import Cluster, LastUse, Registration, is_credential
from auditwire.clusters.listed import as_json, state_of
from auditwire.senders.kind import SenderKind
from auditwire_cli.cluster.clusters import as_table
from auditwire_cli.cluster.secret import (
    check_handover,
    key_of_certificate,
    labels_of,
    new_credential,
)
from auditwire_cli.errors import UsageError

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)


def registration(**more: Any) -> Registration:
    return Registration(
        **{"credential": "1a2b3c4d" + "0" * 56, "cluster": Cluster("prod", SenderKind.KUBERNETES), **more}
    )


def test_credentials_are_random_and_fit_into_a_header_and_a_path() -> None:
    made = {new_credential() for _ in range(200)}
    assert len(made) == 200
    assert all(is_credential(one) and len(one) == 43 for one in made)


def test_labels_are_read() -> None:
    assert labels_of(["team=platform", "note=a=b c"]) == {"team": "platform", "note": "a=b c"}
    assert labels_of(None) == {}


@pytest.mark.parametrize("text", ["team", "=x", "a-b=x", "__a=x", "team=", "team=a\nb"])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a label"):
        labels_of([text])


def test_a_file_that_is_there_is_never_taken(tmp_path: Path) -> None:
    file = tmp_path / "prod.credential"
    file.touch()

    with pytest.raises(UsageError, match="exists"):
        check_handover("prod", certificate=None, output=file, show=False)


def test_a_credential_goes_to_one_place(tmp_path: Path) -> None:
    assert check_handover("prod", certificate=None, output=None, show=True) is None
    assert check_handover("prod", certificate=None, output=tmp_path / "x", show=False) == tmp_path / "x"
    assert check_handover("prod", certificate=tmp_path, output=None, show=False) is None
    with pytest.raises(UsageError, match="exclude each other"):
        check_handover("prod", certificate=None, output=tmp_path / "x", show=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the certificate"),
        (b"\xff", "it is not UTF-8 text"),
        (b"PRIVATE KEY", "there is no PEM certificate"),
    ],
)
def test_what_is_no_certificate_is_refused(content: bytes | None, message: str, tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        key_of_certificate(file)


@pytest.mark.parametrize(
    ("limits", "state"),
    [
        ({}, "ok"),
        ({"enabled": False}, "disabled"),
        ({"expires": NOW}, "expired"),
        ({"expires": NOW + timedelta(seconds=1)}, "ok"),
        ({"not_before": NOW + timedelta(seconds=1)}, "not yet valid"),
    ],
)
def test_the_state_says_whether_it_is_valid(limits: dict[str, Any], state: str) -> None:
    one = registration(**limits)
    assert state_of(one, NOW) == state
    assert (state == "ok") is one.holds(NOW.timestamp())


def test_a_table_for_people_and_an_object_for_scripts() -> None:
    cluster = Cluster("prod", SenderKind.KUBERNETES, {"team": "shop"})
    use = LastUse(NOW - timedelta(hours=3), 12_345, 40, "Go-http-client/2.0\x1b[2J", "")
    rows = [
        registration(cluster=cluster, use=use, expires=NOW + timedelta(days=1), silence_seconds=1_800),
        registration(credential="cert:" + "f" * 64),
    ]

    table = as_table(rows, NOW)
    first_row, second_row = (" ".join(line.split()) for line in table.splitlines()[1:])
    agent = "Go-http-client/2.0\\u001b[2J"
    assert first_row == f"prod kubernetes 1a2b3c4d ok 2026-11-22 22:00Z 3 h ago 30 min 12,345 {agent} team=shop"
    assert second_row == "prod kubernetes cert:ffffffff ok never never - 0 - -"
    assert "\x1b" not in table

    first, second = (as_json(one, NOW) for one in rows)
    assert first["last_seen"] == "2026-11-21T19:00:00Z"
    assert (first["kind"], second["kind"], second["last_seen"]) == ("token", "certificate", None)
    assert (first["events"], first["batches"], first["labels"]) == (12_345, 40, {"team": "shop"})
    assert "0" * 56 not in str(first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "Prod"], "'Prod' is not a cluster name"),
        (["add", "prod", "--expires", "soon"], "'soon' is not a time"),
        (["add", "prod", "--label", "x"], "'x' is not a label"),
        (["add", "prod", "--silence", "1"], "'1' is not a length of time"),
        (["add", "prod", "--silence", "4m"], "a silence shorter than 5 min cannot be noticed"),
        (["silence", "prod", "never"], "'never' is not a length of time"),
        (["silence", "prod", "4m"], "a silence shorter than 5 min cannot be noticed"),
        (["add", "prod", "--show", "--output", "x"], "exclude each other"),
        (["add", "prod", "--state", "none.json"], "there is no state file none.json"),
        (["rotate", "prod", "--force"], "--force is for --drop-old"),
        (["rotate", "prod", "--drop-old", "--show"], "--drop-old makes no credential"),
        (["kubeconfig", "prod", "--credential-file", "x"], "so it is not printed"),
        (["kubeconfig", "prod", "--mtls", "--token-file", "x"], "--mtls uses no credential"),
        (["kubeconfig", "prod", "--credential-file", "x", "--token-file", "y", "--output", "z"], "exclude each other"),
        (["kubeconfig", "prod", "--credential-file", "none", "--output", "z"], "cannot read the credential none"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_writes_nothing(
    auditwire: Callable[..., Any],
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = auditwire("cluster", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []
