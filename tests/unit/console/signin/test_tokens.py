"""ID tokens that an issuer did not give, or not for this sign-in, sign nobody in."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oidc_issuer import OidcIssuer, SigningKey, signing_key
from signing_in import Desk

Claims = dict[str, Any]


def refusal(issuer: OidcIssuer) -> str:
    """Why this issuer's token signs nobody in."""
    desk = Desk(issuer)
    browser = desk.browser()
    answer = browser.sign_in()
    assert answer.status_code == 502, answer.text
    assert "set-cookie" not in answer.headers
    assert (browser.name, desk.sessions.sessions) == ("", {})
    return str(answer.text)


def name_after(issuer: OidcIssuer) -> str:
    """Who is signed in with this issuer's token."""
    browser = Desk(issuer).browser()
    answer = browser.sign_in()
    assert answer.status_code == 200, answer.text
    return browser.name


def encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


def assembled(head: Any, claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """A token of these parts, whatever they are."""
    signed = encoded(json.dumps(head).encode()) + b"." + encoded(json.dumps(claims).encode())
    return (signed + b"." + encoded(sign(signed))).decode()


# --- algorithms and keys


@pytest.mark.parametrize(
    "algorithm",
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
)
def test_every_algorithm_of_the_list_signs_in(algorithm: str) -> None:
    key = signing_key("a key", algorithm) if algorithm[0] == "E" else SigningKey("a key", algorithm, rsa_key().private)

    assert name_after(OidcIssuer(key=key)) == "1234"


def rsa_key(algorithm: str = "RS256") -> SigningKey:
    return SigningKey("rsa", algorithm, signing_key("rsa", "RS256").private)


def test_a_token_that_nobody_signed_signs_nobody_in() -> None:
    for name in ("none", "None", "NONE", "nOnE"):
        issuer = OidcIssuer()
        issuer.forged = lambda claims, name=name: assembled({"alg": name, "kid": "first"}, claims, lambda _: b"")

        assert "signed by RS, PS, ES or EdDSA" in refusal(issuer)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("encoding", ["PEM", "DER", "JWK", "n"])
def test_a_public_key_is_no_secret_to_sign_with(algorithm: str, encoding: str) -> None:
    issuer = OidcIssuer(key=rsa_key())
    public = rsa_key().private.public_key()
    spki = PublicFormat.SubjectPublicKeyInfo
    secret = {
        "PEM": public.public_bytes(Encoding.PEM, spki),
        "DER": public.public_bytes(Encoding.DER, spki),
        "JWK": json.dumps(issuer.key.public).encode(),
        "n": str(issuer.key.public["n"]).encode(),
    }[encoding]
    digest = f"sha{algorithm[2:]}"
    head = {"alg": algorithm, "kid": "rsa"}
    issuer.forged = lambda claims: assembled(head, claims, lambda signed: hmac.digest(secret, signed, digest))

    assert f"this one says {algorithm}" in refusal(issuer)


def test_a_symmetric_key_among_the_issuers_is_not_used() -> None:
    published = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "first"}
    issuer = OidcIssuer(published=[{**published, "alg": alg} for alg in ("HS256", "ES256", "RS256")])

    assert "a key that the issuer does not publish" in refusal(issuer)


@pytest.mark.parametrize(
    "head", [{"alg": None}, {"alg": ["ES256"]}, {"alg": {}}, {"alg": "es256"}, {"alg": "ES256K"}, {}]
)
def test_an_algorithm_outside_the_list_is_refused(head: Any) -> None:
    issuer = OidcIssuer()
    issuer.forged = lambda claims: assembled({"kid": "first", **head}, claims, lambda _: 64 * b"x")

    assert "signed by RS, PS, ES or EdDSA" in refusal(issuer)


@pytest.mark.parametrize(
    ("key", "head"),
    [
        (rsa_key(), {"alg": "ES256"}),
        (rsa_key(), {"alg": "EdDSA"}),
        (signing_key("first", "ES256"), {"alg": "RS256"}),
        (signing_key("first", "ES256"), {"alg": "EdDSA"}),
        (signing_key("first", "ES256"), {"alg": "ES384"}),
        (signing_key("ed", "EdDSA"), {"alg": "ES256"}),
    ],
    ids=lambda one: getattr(one, "algorithm", None) or one["alg"],
)
@pytest.mark.parametrize("says_its_algorithm", [True, False])
def test_a_key_is_used_for_its_own_kind_of_algorithm_alone(
    key: SigningKey, head: Any, says_its_algorithm: bool
) -> None:
    public = {**key.public}
    if not says_its_algorithm:
        del public["alg"]
    issuer = OidcIssuer(key=key, published=[public])
    issuer.forged = lambda claims: assembled({**head, "kid": key.kid}, claims, lambda _: 64 * b"x")

    assert "a key that the issuer does not publish" in refusal(issuer)


def test_a_key_is_used_for_the_algorithm_that_it_names_alone() -> None:
    issuer = OidcIssuer(key=rsa_key("PS256"), published=[rsa_key("RS256").public])

    assert "a key that the issuer does not publish" in refusal(issuer)


@pytest.mark.parametrize(
    "change",
    [{"use": "enc"}, {"use": None}, {"key_ops": ["sign"]}, {"key_ops": "verify"}, {"d": "AQAB"}, {"kty": "rsa"}],
    ids=str,
)
def test_a_key_that_is_not_for_verifying_is_not_used(change: Any) -> None:
    issuer = OidcIssuer(key=rsa_key(), published=[rsa_key().public | change])

    assert "a key that the issuer does not publish" in refusal(issuer)


@pytest.mark.parametrize(
    "change",
    [
        {"n": 5},
        {"n": None},
        {"n": ""},
        {"n": "%%%"},
        {"n": "A" * 2_001},
        {"e": ["AQAB"]},
        {"e": ""},
        {"e": "AQ"},
        {"e": "AA"},
        {"e": "Ag"},
    ],
    ids=lambda change: str(change)[:20],
)
def test_a_key_that_cannot_be_read_is_a_sentence(change: Any) -> None:
    issuer = OidcIssuer(key=rsa_key(), published=[rsa_key().public | change])

    assert "key cannot be read" in refusal(issuer)


def test_a_point_that_is_not_on_the_curve_is_a_sentence() -> None:
    issuer = OidcIssuer(published=[signing_key().public | {"x": 43 * "A"}])

    assert "key cannot be read" in refusal(issuer)


def test_an_rsa_key_has_2048_bits_at_least() -> None:
    short = signing_key("short", "RS256", 1024)
    issuer = OidcIssuer(key=short)
    issuer.forged = lambda claims: assembled(
        {"alg": "RS256", "kid": "short"},
        claims,
        lambda signed: short.private.sign(signed, padding.PKCS1v15(), hashes.SHA256()),
    )

    assert "RSA key has 1024 bits; 2048 are needed" in refusal(issuer)


def test_a_signature_of_another_key_is_none() -> None:
    other = SigningKey("first", "ES256", signing_key("other", "ES256").private)
    issuer = OidcIssuer(published=[signing_key().public])
    issuer.forged = lambda claims: issuer.signed(claims, key=other)

    assert "did not sign this ID token" in refusal(issuer)


@pytest.mark.parametrize("spoil", ["claims", "signature", "head"])
def test_a_token_that_was_changed_is_none(spoil: str) -> None:
    issuer = OidcIssuer()

    def forge(claims: Claims) -> str:
        head, body, signature = issuer.signed(claims).split(".")
        changed = {
            "claims": (head, encoded(json.dumps({**claims, "sub": "admin"}).encode()).decode(), signature),
            "signature": (head, body, ("B" if signature[0] == "A" else "A") + signature[1:]),
            "head": (encoded(b'{"alg":"ES256","kid":"first","typ":"x"}').decode(), body, signature),
        }
        return ".".join(changed[spoil])

    issuer.forged = forge

    assert "did not sign this ID token" in refusal(issuer)


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ({"crit": ["b64"], "b64": True}, "critical extension"),
        ({"crit": ["exp"], "exp": 1}, "cannot be read"),
        ({"crit": []}, "cannot be read"),
        ({"crit": None}, "cannot be read"),
    ],
    ids=str,
)
def test_a_critical_extension_is_refused(head: Any, problem: str) -> None:
    key = signing_key("ed", "EdDSA")
    issuer = OidcIssuer(key=key)
    issuer.forged = lambda claims: assembled({"alg": "EdDSA", "kid": "ed", **head}, claims, key.private.sign)

    assert problem in refusal(issuer)
    head.clear()
    assert name_after(issuer) == "1234"


def test_keys_that_a_token_brings_along_are_not_looked_at() -> None:
    own = signing_key("own", "ES256")
    for head in (
        {"jwk": own.public},
        {"jku": "https://other.example/keys"},
        {"x5u": "https://other.example/cert"},
        {"x5c": ["MIIB"]},
    ):
        issuer = OidcIssuer()
        issuer.forged = lambda claims, issuer=issuer, head=head: issuer.signed(claims, key=own, kid="first", **head)

        assert "did not sign this ID token" in refusal(issuer)
        issuer.forged = lambda claims, issuer=issuer, head=head: issuer.signed(claims, key=own, kid=None, **head)
        assert "did not sign this ID token" in refusal(issuer)
        issuer.forged = lambda claims, issuer=issuer, head=head: issuer.signed(claims, **head)
        assert name_after(issuer) == "1234"
        assert set(issuer.asked) == {"/.well-known/openid-configuration", "/token", "/keys"}


# --- names of keys


def test_a_token_without_the_name_of_a_key_needs_a_single_key_that_fits() -> None:
    issuer = OidcIssuer()
    issuer.forged = lambda claims: issuer.signed(claims, kid=None)
    ours, other, enc = signing_key().public, signing_key("other", "ES256").public, {"use": "enc"}

    assert name_after(issuer) == "1234"
    issuer.published = [other | enc, rsa_key().public, "no key", ours]
    assert name_after(issuer) == "1234"
    issuer.published = [ours, other]
    assert "does not say which one" in refusal(issuer)
    issuer.published = []
    assert "a key that the issuer does not publish" in refusal(issuer)


def test_a_name_that_two_keys_have_says_nothing() -> None:
    ours, other = signing_key().public, signing_key("other", "ES256").public

    assert "does not say which one" in refusal(OidcIssuer(published=[ours, {**other, "kid": "first"}]))
    assert "does not say which one" in refusal(OidcIssuer(published=[ours, ours]))
    # Keys of another kind are no choice.
    assert name_after(OidcIssuer(published=[ours, {**rsa_key().public, "kid": "first"}])) == "1234"


@pytest.mark.parametrize("kid", [5, ["first"], {"a": 1}, True])
def test_a_name_of_a_key_is_a_text(kid: Any) -> None:
    issuer = OidcIssuer(published=[signing_key().public | {"kid": kid}])
    issuer.forged = lambda claims: assembled({"alg": "ES256", "kid": kid}, claims, lambda _: 64 * b"x")

    assert "cannot be read" in refusal(issuer)


# --- claims


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"iss": None}, "another issuer&#x27;s"),
        ({"iss": "https://issuer.example/"}, "another issuer&#x27;s"),
        ({"iss": "https://ISSUER.example"}, "another issuer&#x27;s"),
        ({"iss": "https://issuer.example.other"}, "another issuer&#x27;s"),
        ({"iss": ["https://issuer.example"]}, "another issuer&#x27;s"),
        ({"aud": None}, "for another client"),
        ({"aud": ""}, "for another client"),
        ({"aud": "console2"}, "for another client"),
        ({"aud": "Console"}, "for another client"),
        ({"aud": {"console": 1}}, "for another client"),
        ({"aud": []}, "for another client"),
        ({"aud": ["other"]}, "for another client"),
        ({"aud": [["console"]]}, "for another client"),
        ({"aud": ["console", 5], "azp": "console"}, "for another client"),
        ({"aud": ["console", "other"]}, "given to another client"),
        ({"aud": ["console", "other"], "azp": "other"}, "given to another client"),
        ({"aud": ["console", "console"]}, "given to another client"),
        ({"azp": "other"}, "given to another client"),
        ({"azp": ["console"]}, "given to another client"),
        ({"nonce": None}, "another sign-in"),
        ({"nonce": ""}, "another sign-in"),
        ({"nonce": 43 * "n"}, "another sign-in"),
        ({"nonce": "ä"}, "another sign-in"),
        ({"nonce": ["n"]}, "another sign-in"),
        ({"exp": None}, "no time as exp"),
        ({"exp": "1796000000"}, "no time as exp"),
        ({"exp": True}, "no time as exp"),
        ({"exp": [1796000000]}, "no time as exp"),
        ({"exp": 0}, "has expired"),
        ({"exp": -1e308}, "has expired"),
        ({"iat": None}, "no time as iat"),
        ({"iat": "now"}, "no time as iat"),
        ({"iat": 1e300}, "issued in the future"),
        ({"nbf": "never"}, "no time as nbf"),
        ({"nbf": 1e300}, "does not hold yet"),
        ({"sub": None}, "names nobody"),
        ({"sub": ""}, "names nobody"),
        ({"sub": 256 * "s"}, "names nobody"),
        ({"sub": "a\nb"}, "names nobody"),
        ({"sub": "a\u202eb"}, "names nobody"),
        ({"sub": "a\u0000"}, "names nobody"),
        ({"sub": 1234}, "names nobody"),
        ({"sub": ["1234"]}, "names nobody"),
    ],
    ids=str,
)
def test_a_token_that_is_not_meant_here_signs_nobody_in(claims: Claims, problem: str) -> None:
    assert problem in refusal(OidcIssuer(claims={"sub": "1234"} | claims))


@pytest.mark.parametrize(
    ("seconds", "problem"),
    [
        ({"exp": 0}, "has expired"),
        ({"exp": -1}, "has expired"),
        ({"exp": 1}, ""),
        ({"exp": 0.5}, ""),
        ({"iat": 61}, "issued in the future"),
        ({"iat": 60}, ""),
        ({"nbf": 61}, "does not hold yet"),
        ({"nbf": 60}, ""),
    ],
    ids=str,
)
def test_a_token_holds_from_and_until_its_times(seconds: dict[str, float], problem: str) -> None:
    issuer = OidcIssuer()
    issuer.forged = lambda claims: issuer.signed(claims | {name: issuer.now() + by for name, by in seconds.items()})

    if problem:
        assert problem in refusal(issuer)
    else:
        assert name_after(issuer) == "1234"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["console"]},
        {"aud": ["other", "console"], "azp": "console"},
        {"azp": "console"},
        {"sub": 255 * "s"},
        {"sub": "José|1 2"},
        {"extra": 200 * [{"x": 1.5}]},
    ],
    ids=lambda claims: str(claims)[:30],
)
def test_a_token_may_say_more(claims: Claims) -> None:
    issuer = OidcIssuer(claims={"sub": "1234"} | claims)

    assert name_after(issuer) == issuer.claims["sub"]


@pytest.mark.parametrize(
    "claims", [b"[]", b"1", b"null", b"", b"\xff", b"{" + 3_000 * b"[", b'{"iss":NaN}'], ids=lambda one: str(one[:9])
)
def test_claims_that_are_no_object_are_a_sentence(claims: bytes) -> None:
    issuer = OidcIssuer()
    issuer.forged = lambda _: jwt.PyJWS().encode(claims, signing_key().private, "ES256", {"kid": "first"})

    assert "is no JSON object" in refusal(issuer)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "a.b",
        "a.b.c",
        "...",
        "a.b.c.d.e",
        "e30.e30.",
        "\u00e4.b.c",
        "e30=.e30.e30",
        "W10.e30.e30",
        "bnVsbA.e30.e30",
    ],
)
def test_what_is_no_token_is_a_sentence(token: str) -> None:
    issuer = OidcIssuer()
    issuer.forged = lambda _: token

    assert "ID token" in refusal(issuer)
