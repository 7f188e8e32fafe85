"""The state file of ``auditwire dev``, read once and in one place."""

import json
from pathlib import Path
from typing import Any

import pytest

from auditwire_cli.errors import UsageError
from auditwire_cli.stack import read_state

CONTENT = {
    "url": "https://127.0.0.1:8443/",
    "ca_file": "/tmp/ca.pem",
    "aws_endpoint_url": "http://127.0.0.1:5000",
    "region": "us-east-1",
    "stack": "auditwire",
    "outputs": {},
    "clusters": {
        "demo": {"credential": "secret-1", "sender": "kubernetes"},
        "demo-ks": {"credential": "secret-2", "sender": "kubesphere"},
    },
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(CONTENT))
    return path


def test_it_says_where_everything_is(file: Path) -> None:
    state = read_state(file)

    assert (state.url, state.ca_file, state.aws_endpoint_url) == (
        "https://127.0.0.1:8443", "/tmp/ca.pem", "http://127.0.0.1:5000",
    )  # fmt: skip
    assert (state.region, state.stack) == ("us-east-1", "auditwire")
    assert state.credential_of("demo-ks") == "secret-2"
    assert (state.cluster_of("kubesphere"), state.cluster_of("other")) == ("demo-ks", "demo")


def test_credentials_are_never_shown(file: Path) -> None:
    assert "secret" not in repr(read_state(file))


def test_a_cluster_it_does_not_have_is_named_with_those_it_has(file: Path) -> None:
    with pytest.raises(UsageError, match="has no cluster 'prod'") as caught:
        read_state(file).credential_of("prod")

    assert caught.value.hint == "it has: demo, demo-ks"


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", "\xff", "[" * 100_000, '{"clusters": []}',
     json.dumps({**CONTENT, "clusters": {"demo": "secret"}})],
    ids=["empty", "list", "null", "no UTF-8", "deep", "no clusters", "no credentials"],
)  # fmt: skip
def test_what_is_no_state_file_is_refused(file: Path, content: str) -> None:
    file.write_text(content, encoding="latin-1")

    with pytest.raises(UsageError, match="is not a state file of `auditwire dev`"):
        read_state(file)


@pytest.mark.parametrize("missing", ["url", "aws_endpoint_url", "region", "stack"])
def test_a_member_is_only_missed_by_whoever_needs_it(file: Path, missing: str) -> None:
    content: dict[str, Any] = {**CONTENT}
    del content[missing]
    file.write_text(json.dumps(content))

    state = read_state(file)

    assert state.needs(*{"url", "region"} - {missing}) is state
    with pytest.raises(UsageError, match="is not a state file"):
        state.needs("ca_file", missing)


def test_a_file_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no state file") as caught:
        read_state(tmp_path / "dev.json")

    assert caught.value.hint == "start `auditwire dev` first"


def test_a_folder_and_an_endless_device_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the state file .*: Is a directory"):
        read_state(tmp_path)
    with pytest.raises(UsageError, match="the state file /dev/zero is too large"):
        read_state(Path("/dev/zero"))
