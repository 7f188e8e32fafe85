"""The file of viewers: what it grants, and what is said of one that is wrong."""

from pathlib import Path

import pytest

from auditwire_cli.console.viewers_file import read_viewers
from auditwire_cli.errors import UsageError
from auditwire_console import Grant, Viewer

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def read(tmp_path: Path, text: str) -> dict[str, Viewer]:
    (tmp_path / "viewers.yaml").write_text(text)
    return read_viewers(tmp_path / "viewers.yaml")


def test_it_grants_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    text = f"""\
viewers:
  - name: shop
    tokenSHA256: {DIGEST}
    clusters: [prod]
    namespaces: [shop, shop-test]
    hostCluster: prod
  - {{name: bare, tokenSHA256: {DIGEST.replace("9", "0")}}}
  - {{name: all, tokenSHA256: {DIGEST.replace("9", "1")}, clusters: ['*'], everything: true}}
"""
    shop, bare, everybody = read(tmp_path, text).values()

    assert shop == Viewer("shop", (Grant(frozenset({"prod"}), frozenset({"shop", "shop-test"})),), "prod")
    assert bare.sees_nothing
    assert everybody.sees_all


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("viewers: [", "viewers.yaml:1:"),
        ("[]", "has no list `viewers`"),
        ("viewers: {}", "has no list `viewers`"),
        ("viewers: [x]", "viewer 1 is no mapping"),
        ("viewers: [{name: a}]", "viewer 1: tokenSHA256 is the SHA-256"),
        (f"viewers: [{{name: a, tokenSHA256: {DIGEST.upper()}}}]", "viewer 1: tokenSHA256"),
        (f"viewers: [{{tokenSHA256: {DIGEST}}}]", "viewer 1 has no name"),
        (f"viewers: [{{name: a, tokenSHA256: {DIGEST}, namespace: [x]}}]", "unknown key namespace"),
        (f"viewers: [{{name: a, tokenSHA256: {DIGEST}, namespaces: x}}]", "namespaces is a list"),
        (f"viewers: [{{name: a, tokenSHA256: {DIGEST}, clusters: ['']}}]", "clusters is a list"),
        (f"viewers: [{{name: a, tokenSHA256: {DIGEST}, everything: 'yes please'}}]", "everything is true or false"),
        (f"viewers: [{{name: a, tokenSHA256: {DIGEST}, hostCluster: [x]}}]", "hostCluster is the name"),
        (f"viewers: [{{name: a, tokenSHA256: {DIGEST}}}, {{name: b, tokenSHA256: {DIGEST}}}]", "has the token of a"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"viewers\.yaml") as error:
        read(tmp_path, text)

    assert said in error.value.message
