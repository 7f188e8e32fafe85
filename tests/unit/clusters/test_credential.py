"""What a request presents: every way in, and every odd way that must not be one."""

from base64 import b64encode
from hashlib import sha256

import pytest

from auditwire.clusters import Credential, credential_digest, presented

PATH = "/audit/webhook/event"
TOKEN = "Tk-9_secret.~+/=="


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode()).decode()


def test_a_credential_is_known_by_its_sha256() -> None:
    assert credential_digest(TOKEN) == sha256(TOKEN.encode()).hexdigest()


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        pytest.param({"authorization": f"Bearer {TOKEN}"}, PATH, id="bearer, header lower-cased by API Gateway"),
        pytest.param({"Authorization": f"Bearer {TOKEN}"}, PATH, id="bearer, header as sent"),
        pytest.param({"AUTHORIZATION": f"bEARER   {TOKEN} "}, PATH, id="scheme in any case, spaces around"),
        pytest.param({"authorization": f"Bearer {TOKEN}", "Authorization": f"Bearer {TOKEN}"}, PATH, id="twice"),
        pytest.param({"authorization": f"Bearer {TOKEN}"}, f"{PATH}/other", id="the header wins over the path"),
        pytest.param({}, f"{PATH}/{TOKEN}", id="path segment"),
        pytest.param({}, f"{PATH}/{TOKEN}/", id="path segment with a trailing slash"),
        pytest.param({}, f"{PATH}/Tk-9_secret.%7E%2B%2F%3D%3D", id="path segment, URL-encoded"),
        pytest.param({"authorization": " "}, f"{PATH}/{TOKEN}", id="an empty header counts as none"),
        pytest.param({"content-type": "application/json"}, f"{PATH}/{TOKEN}", id="other headers do not matter"),
    ],
)
def test_a_credential_is_found(headers: dict[str, str], path: str) -> None:
    assert presented(headers, path) == Credential(credential_digest(TOKEN))


@pytest.mark.parametrize("name", ["prod", "", "Prod ünï"])
def test_basic_says_which_cluster_it_claims_to_be(name: str) -> None:
    expected = Credential(credential_digest(TOKEN), name)
    assert presented({"authorization": basic(f"{name}:{TOKEN}")}, PATH) == expected


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        pytest.param({}, PATH, id="nothing"),
        pytest.param({}, PATH + "/", id="a trailing slash is no credential"),
        pytest.param({}, PATH + "//", id="two trailing slashes neither"),
        pytest.param({}, f"/audit/webhook/events/{TOKEN}", id="another path"),
        pytest.param({}, f"/x{PATH}/{TOKEN}", id="another prefix"),
        pytest.param({}, f"{PATH}/a%20b", id="characters no credential has"),
        pytest.param({}, f"{PATH}/{'a' * 513}", id="longer than any credential"),
        pytest.param({"authorization": "Bearer"}, f"{PATH}/{TOKEN}", id="a header without a token, despite the path"),
        pytest.param({"authorization": "Bearer "}, f"{PATH}/{TOKEN}", id="an empty token, despite the path"),
        pytest.param({"authorization": f"Bearer {TOKEN}, Bearer {TOKEN}"}, PATH, id="two headers joined by a proxy"),
        pytest.param({"authorization": f"Bearer {TOKEN} {TOKEN}"}, PATH, id="two tokens"),
        pytest.param({"authorization": "Bearer a", "Authorization": "Bearer b"}, PATH, id="two that differ"),
        pytest.param({"authorization": f"Negotiate {TOKEN}"}, f"{PATH}/{TOKEN}", id="another scheme"),
        pytest.param({"authorization": TOKEN}, PATH, id="no scheme"),
        pytest.param({"authorization": "Basic ***"}, PATH, id="basic, not base64"),
        pytest.param({"authorization": "Basic " + b64encode(b"\xff\xfe:x").decode()}, PATH, id="basic, not UTF-8"),
        pytest.param({"authorization": basic(TOKEN)}, PATH, id="basic without a colon"),
        pytest.param({"authorization": basic("prod:")}, PATH, id="basic with an empty password"),
        pytest.param({"authorization": basic("prod:a:b")}, PATH, id="basic with a colon in the password"),
        pytest.param({"authorization": basic("x" * 2_000 + ":a")}, PATH, id="basic, too long"),
        pytest.param({"authorization": "Bearer ä"}, PATH, id="not ASCII"),
        pytest.param({}, f"{PATH}/a%0A", id="a line end is no part of a secret"),
    ],
)
def test_nothing_that_could_hold(headers: dict[str, str], path: str) -> None:
    assert presented(headers, path) is None


def test_only_one_trailing_slash_is_stripped() -> None:
    assert presented({}, f"{PATH}/{TOKEN}//") == Credential(credential_digest(TOKEN + "/"))


def test_a_credential_never_shows_itself() -> None:
    found = presented({"authorization": basic(f"prod:{TOKEN}")}, PATH)
    assert repr(found) == "Credential()"
    assert TOKEN not in f"{found} {found!r}"
