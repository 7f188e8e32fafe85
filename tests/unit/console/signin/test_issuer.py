"""What an issuer says about itself: believed if it is its own, and asked for rarely."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auditwire_console.person import Person
from auditwire_console.signin import IssuerError
from auditwire_console.signin.identity import person_of
from auditwire_console.signin.issuer import Issuer
from oidc_issuer import OidcIssuer, SigningKey, signing_key

DISCOVERY = "/.well-known/openid-configuration"


class Known:
    """An issuer and what is known of it; ``now`` is moved by the test."""

    def __init__(self, issuer: OidcIssuer | None = None) -> None:
        self.now = datetime(2026, 11, 29, 12, tzinfo=UTC)
        self.issuer = issuer or OidcIssuer()
        self.known = Issuer(self.issuer.url, self.issuer.fetch, lambda: self.now)

    def refusal_of_key(self, kid: str | None, algorithm: str = "ES256") -> str:
        with pytest.raises(IssuerError) as refused:
            self.known.key(algorithm, kid)
        return str(refused.value)


# --- discovery


@pytest.mark.parametrize(
    "url", ["https://issuer.example", "https://issuer.example/", "https://id.example:8443/realms/a"]
)
def test_an_issuer_is_found_by_its_name(url: str) -> None:
    issuer = OidcIssuer(url)

    assert Known(issuer).known.provider().token_endpoint == url.rstrip("/") + "/token"
    assert issuer.asked[0].endswith(DISCOVERY)
    assert "//" not in issuer.asked[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"issuer": "https://issuer.example/"}, "another issuer's"),
        ({"issuer": "https://other.example"}, "another issuer's"),
        ({"issuer": "HTTPS://issuer.example"}, "another issuer's"),
        ({"issuer": None}, "another issuer's"),
        ({"issuer": ["https://issuer.example"]}, "another issuer's"),
        ({"authorization_endpoint": None}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "http://issuer.example/a"}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "http://127.0.0.1/a"}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "//issuer.example/a"}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "https:issuer.example"}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "https:///a"}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "https://issuer.example/a#b"}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "https://me@issuer.example/a"}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "https://issuer.example\\@other.example"}, "no https address as authorization"),
        ({"authorization_endpoint": "https://issuer.example/a\r\nx: y"}, "no https address as authorization_endpoint"),
        ({"authorization_endpoint": "https://issuer.example/" + 2_000 * "a"}, "no https address as authorization"),
        ({"token_endpoint": "http://issuer.example/token"}, "no https address as token_endpoint"),
        ({"token_endpoint": "http://localhost:9001/2018-06-01/runtime"}, "no https address as token_endpoint"),
        ({"token_endpoint": "https://issuer.example:port/token"}, "no https address as token_endpoint"),
        ({"token_endpoint": "https://issuer.example:0/token"}, "no https address as token_endpoint"),
        ({"token_endpoint": "https://[::1/token"}, "no https address as token_endpoint"),
        ({"token_endpoint": "https://ìssuer.example/token"}, "no https address as token_endpoint"),
        ({"token_endpoint": 5}, "no https address as token_endpoint"),
        ({"jwks_uri": "file:///etc/passwd"}, "no https address as jwks_uri"),
        ({"jwks_uri": ["https://issuer.example/keys"]}, "no https address as jwks_uri"),
        ({"code_challenge_methods_supported": ["plain"]}, "no PKCE"),
        ({"code_challenge_methods_supported": "S256"}, "is no list"),
        ({"token_endpoint_auth_methods_supported": {"client_secret_basic": 1}}, "is no list"),
    ],
    ids=str,
)
def test_a_discovery_document_that_leads_elsewhere_is_refused(change: Any, problem: str) -> None:
    with pytest.raises(IssuerError, match=problem):
        Known(OidcIssuer(discovery=change)).known.provider()


def test_an_issuer_on_this_machine_has_its_endpoints_here_too() -> None:
    issuer = OidcIssuer("http://127.0.0.1:5556/dex", discovery={"jwks_uri": "http://localhost:5557/keys"})

    assert Known(issuer).known.provider().jwks_uri == "http://localhost:5557/keys"
    issuer.discovery["jwks_uri"] = "http://127.0.0.1.other.example/keys"
    with pytest.raises(IssuerError, match="jwks_uri"):
        Known(issuer).known.provider()


@pytest.mark.parametrize("silent", ["code_challenge_methods_supported", "token_endpoint_auth_methods_supported"])
def test_what_an_issuer_need_not_say_it_need_not_say(silent: str) -> None:
    assert Known(OidcIssuer(discovery={silent: None})).known.provider().token_endpoint


NO_DOCUMENTS = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b"\xff\xfe",
    b"{" + 3_000 * b"[",
    b"{}x",
    b'{"a":' + (1 << 20) * b" " + b"1}",
]


@pytest.mark.parametrize("body", NO_DOCUMENTS, ids=lambda body: str(body[:9]))
def test_what_is_no_document_is_a_sentence(body: bytes) -> None:
    with pytest.raises(IssuerError, match="discovery document is no JSON object"):
        Known(OidcIssuer(instead={DISCOVERY: (200, body)})).known.provider()
    assert "set of keys is no JSON object" in Known(OidcIssuer(instead={"/keys": (200, body)})).refusal_of_key("first")


@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 500])
def test_an_issuer_that_leads_elsewhere_or_fails_is_not_followed(status: int) -> None:
    issuer = OidcIssuer(instead={DISCOVERY: (status, json.dumps(OidcIssuer().document()).encode())})

    with pytest.raises(IssuerError, match=f"answers {status} for its discovery document"):
        Known(issuer).known.provider()
    assert issuer.asked == [DISCOVERY]
    issuer = OidcIssuer(instead={"/keys": (status, b'{"keys":[]}')})
    assert f"answers {status} for its set of keys" in Known(issuer).refusal_of_key("first")
    assert issuer.asked == [DISCOVERY, "/keys"]


def test_discovery_is_asked_for_once_an_hour() -> None:
    known = Known()
    for minutes in (0, 30, 59, 60, 61):
        known.now = datetime(2026, 11, 29, 12, tzinfo=UTC) + timedelta(minutes=minutes)
        known.known.provider()

    assert known.issuer.asked == 2 * [DISCOVERY]


def test_an_issuer_that_was_down_is_asked_again_at_once() -> None:
    known = Known()
    known.issuer.is_down = True
    with pytest.raises(IssuerError, match="does not answer"):
        known.known.provider()
    known.issuer.is_down = False

    assert known.known.provider().jwks_uri == "https://issuer.example/keys"


# --- keys


@pytest.mark.parametrize(
    "keys", [None, {}, "x", {"first": 1}, 201 * [{"kid": "first"}]], ids=lambda keys: str(keys)[:20]
)
def test_a_set_of_keys_is_a_list_of_200_at_most(keys: Any) -> None:
    body = json.dumps({"keys": keys} if keys is not None else {}).encode()

    assert "no list of at most 200 keys" in Known(OidcIssuer(instead={"/keys": (200, body)})).refusal_of_key("first")


def test_what_is_no_key_among_keys_is_passed_over() -> None:
    issuer = OidcIssuer(published=[None, 5, "first", ["first"], {}, {"kid": "first"}, signing_key().public])

    assert Known(issuer).known.key("ES256", "first").key_type == "EC"


def test_a_key_that_nobody_knows_is_asked_for_once_a_minute_however_many_come() -> None:
    known = Known()
    known.known.key("ES256", "first")
    assert known.issuer.asked == [DISCOVERY, "/keys"]

    for second in range(0, 300, 3):
        known.now = datetime(2026, 11, 29, 12, tzinfo=UTC) + timedelta(seconds=second)
        assert "does not publish" in known.refusal_of_key(f"unknown-{second}")
        assert "does not publish" in known.refusal_of_key(None, "RS256")
        known.known.key("ES256", "first")

    assert known.issuer.asked[2:] == 4 * ["/keys"]


def test_a_key_that_is_new_is_found_within_a_minute() -> None:
    known = Known()
    known.known.key("ES256", "first")
    known.issuer.key = SigningKey("second", "ES256", signing_key("second").private)

    assert "does not publish" in known.refusal_of_key("second")
    known.now += timedelta(minutes=1)
    assert known.known.key("ES256", "second").key_type == "EC"
    assert "does not publish" in known.refusal_of_key("first")


def test_a_key_that_was_withdrawn_ends_within_an_hour() -> None:
    known = Known()
    known.known.key("ES256", "first")
    known.issuer.published = [signing_key("other").public]

    known.now += timedelta(minutes=59)
    known.known.key("ES256", "first")
    known.now += timedelta(minutes=1)
    assert "does not publish" in known.refusal_of_key("first")


def test_keys_that_cannot_be_fetched_now_are_kept_for_their_hour() -> None:
    known = Known()
    known.known.key("ES256", "first")
    known.issuer.is_down = True
    known.now += timedelta(minutes=2)

    assert "does not answer" in known.refusal_of_key("unknown")
    assert "does not publish" in known.refusal_of_key("unknown")
    known.known.key("ES256", "first")
    known.now += timedelta(minutes=59)
    assert "does not answer" in known.refusal_of_key("first")


# --- who an ID token names


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": "Jane@Shop.Example", "email_verified": True}, "jane@shop.example"),
        ({"email": "jane@shop.example"}, ""),
        ({"email": "jane@shop.example", "email_verified": False}, ""),
        ({"email": "jane@shop.example", "email_verified": "true"}, ""),
        ({"email": "jane@shop.example", "email_verified": 1}, ""),
        ({"email": "jane@shop.example", "email_verified": [True]}, ""),
        ({"email_verified": True}, ""),
        ({"email": ["jane@shop.example"], "email_verified": True}, ""),
        ({"email": "", "email_verified": True}, ""),
        ({"email": "jane", "email_verified": True}, ""),
        ({"email": "jane@shop.example\n", "email_verified": True}, ""),
        ({"email": "jane\u200b@shop.example", "email_verified": True}, ""),
        # The Kelvin sign becomes a k in lower case.
        ({"email": "\u212aim@shop.example", "email_verified": True}, ""),
        ({"email": "j\u0430ne@shop.example", "email_verified": True}, ""),
        ({"email": 250 * "j" + "@a.b", "email_verified": True}, 250 * "j" + "@a.b"),
        ({"email": 251 * "j" + "@a.b", "email_verified": True}, ""),
    ],
    ids=str,
)
def test_an_email_counts_if_the_issuer_has_verified_it(claims: Any, email: str) -> None:
    assert person_of({"sub": "1", **claims}, "groups") == Person("1", email)


@pytest.mark.parametrize(
    ("claim", "groups", "left_out"),
    [
        (["ops", "shop"], ("ops", "shop"), 0),
        ("ops", ("ops",), 0),
        ("ops,shop", ("ops,shop",), 0),
        ([], (), 0),
        (None, (), 0),
        (["ops", "ops", "Ops"], ("ops", "Ops"), 0),
        (["ops", "", 5, None, True, ["shop"], {"name": "shop"}, "a\nb", 256 * "x"], ("ops",), 8),
        (5, (), 1),
        (True, (), 1),
        ({"ops": True}, (), 1),
        ("", (), 1),
        ([f"g{number}" for number in range(200)] + ["g0"], tuple(f"g{number}" for number in range(200)), 0),
        ([f"g{number}" for number in range(5_000)], tuple(f"g{number}" for number in range(200)), 4_800),
    ],
    ids=lambda one: str(one)[:30],
)
def test_groups_are_texts_of_which_200_count(claim: Any, groups: tuple[str, ...], left_out: int) -> None:
    assert person_of({"sub": "1", "https://x/groups": claim}, "https://x/groups") == Person("1", "", groups, left_out)
    assert person_of({"sub": "1", "https://x/groups": claim}, "groups") == Person("1")


@pytest.mark.parametrize(
    ("elsewhere", "left_out"),
    [({"groups": "src1"}, 1), ({"other": "src1"}, 0), ({}, 0), (["groups"], 0), ("groups", 0), (None, 0)],
    ids=str,
)
def test_groups_that_are_to_be_asked_for_elsewhere_are_left_out(elsewhere: Any, left_out: int) -> None:
    claims = {"sub": "1", "_claim_names": elsewhere, "_claim_sources": {"src1": {"endpoint": "https://other.example"}}}

    assert person_of(claims, "groups") == Person("1", "", (), left_out)
