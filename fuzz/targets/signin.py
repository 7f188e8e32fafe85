"""What a browser and an issuer send while somebody signs in: the callback, ID tokens, discovery and keys."""

import logging
from base64 import urlsafe_b64encode
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from jwt.algorithms import get_default_algorithms
from starlette.requests import Request

from auditwire_console.signin import Answer, IssuerError, MemorySessions, Settings, SignIn, Transaction
from auditwire_console.signin.claims import check_claims
from auditwire_console.signin.discovery import read_provider
from auditwire_console.signin.identity import person_of
from auditwire_console.signin.keys import ALGORITHMS, key_for, read_keys
from auditwire_console.signin.tokens import read_token
from fuzz.mutation import mutator
from fuzz.target import Target

_ISSUER = "https://issuer.example"
_CLIENT = "console"
_SECRET = 43 * "s"
_NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
_SECONDS = int(_NOW.timestamp())
_KEY = Ed25519PrivateKey.generate()
_PROVIDER = {
    "issuer": _ISSUER,
    "authorization_endpoint": f"{_ISSUER}/authorize",
    "token_endpoint": f"{_ISSUER}/token",
    "jwks_uri": f"{_ISSUER}/keys",
}
_CLAIMS = {"iss": _ISSUER, "aud": _CLIENT, "sub": "1", "nonce": _SECRET, "iat": _SECONDS, "exp": _SECONDS + 300}
_HEAD = {"alg": "EdDSA", "kid": "k"}


def _public(algorithm: str, key: Any, **more: Any) -> dict[str, Any]:
    made: Any = get_default_algorithms()[algorithm]
    return {**made.to_jwk(key.public_key(), as_dict=True), "kid": "k", **more}


_KEYS = [
    _public("EdDSA", _KEY, use="sig"),
    _public("ES256", generate_private_key(SECP256R1()), alg="ES256"),
    _public("RS256", generate_rsa_key(public_exponent=65537, key_size=2048)),
]


def _signed(head: Any, claims: Any) -> str:
    parts = b".".join(urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=") for part in (head, claims))
    return (parts + b"." + urlsafe_b64encode(_KEY.sign(parts)).rstrip(b"=")).decode()


def _read(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


# --- the callback


def _fetch(url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
    del headers, body
    documents: dict[str, Any] = {
        "token": {"id_token": _signed(_HEAD, _CLAIMS)},
        "keys": {"keys": _KEYS[:1]},
        "openid-configuration": _PROVIDER,
    }
    return Answer(200, orjson.dumps(documents[url.rpartition("/")[2]]))


def _callback(data: bytes) -> Hashable:
    """The first line is the cookie header, the rest is the query."""
    logging.disable(logging.CRITICAL)
    cookie, _, query = data.partition(b"\n")
    sessions = MemorySessions()
    until = _NOW + timedelta(minutes=10)
    sessions.begin(_SECRET, Transaction(_SECRET, _SECRET, _SECRET, "https://c.example/callback", "/", until))
    sign_in = SignIn(Settings(_ISSUER, _CLIENT), _fetch, sessions, str, lambda: _NOW)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/callback",
        "query_string": query,
        "headers": [(b"cookie", cookie)],
    }
    answer = sign_in.routes()[1].endpoint(Request(scope))
    assert answer.status_code in {200, 403, 502}, "a status that nobody documented"
    assert b"<img" not in answer.body, "somebody else's words are markup"
    given = Request(scope).query_params
    is_signed_in = any(value.startswith("__Host-session=") for value in answer.headers.getlist("set-cookie"))
    assert is_signed_in == bool(sessions.sessions) == (answer.status_code == 200), "a page that says something else"
    if is_signed_in:
        assert _SECRET.encode() in cookie, "signed in without the cookie"
        assert (given.getlist("state"), len(given.getlist("code"))) == ([_SECRET], 1), "signed in with another state"
        assert given.get("iss", _ISSUER) == _ISSUER, "signed in by another issuer"
        assert "error" not in given, "signed in though the issuer refused"
    return answer.status_code, len(sessions.transactions), answer.body.partition(b"<p>")[2][:40]


def _callbacks() -> list[bytes]:
    cookie = f"__Host-signin={_SECRET}\n"
    queries: list[dict[str, str]] = [
        {"state": _SECRET, "code": "c"},
        {"state": _SECRET, "code": "c", "iss": _ISSUER, "session_state": "x"},
        {"state": _SECRET, "error": "access_denied", "error_description": "<img src=x>"},
        {"code": "c"},
    ]
    return [(cookie + urlencode(query)).encode() for query in queries]


_WORDS = (
    b"&", b"=", b";", b"; ", b"\n", b"%00", b"%ff", b"%0a", b"+", b"state=", b"code=", b"iss=", b"error=", b"error_description=",
    _SECRET.encode(), b"__Host-signin=", b"__Host-session=", b"https%3A%2F%2Fissuer.example", b"%3Cimg%20src%3Dx%3E", b'"',
)  # fmt: skip


# --- ID tokens


def _token(data: bytes) -> Hashable:
    """An object with ``head`` and ``claims`` is signed by the issuer; anything else is a token as it stands."""
    given = _read(data)
    ours = isinstance(given, dict) and {"head", "claims"} <= set(given)
    token = _signed(given["head"], given["claims"]) if ours else data.decode("utf-8", "replace")
    keys = read_keys(orjson.dumps({"keys": _KEYS}))

    def find(algorithm: str, kid: str | None) -> Any:
        found = key_for(keys, algorithm, kid)
        if found is None:
            raise IssuerError("no such key")
        return found

    try:
        claims = read_token(token, find)
        check_claims(claims, issuer=_ISSUER, client_id=_CLIENT, nonce=_SECRET, now=_NOW)
        person = person_of(claims, "groups")
    except IssuerError as error:
        return str(error)[:60]
    assert ours, "a token that the issuer did not sign"
    assert given["head"]["alg"] == "EdDSA", "another algorithm than that of the key"
    assert "crit" not in given["head"], "a critical extension"
    assert (claims["iss"], claims["nonce"]) == (_ISSUER, _SECRET), "another issuer or sign-in"
    assert claims["aud"] == _CLIENT or (_CLIENT in claims["aud"] and claims.get("azp", _CLIENT) == _CLIENT)
    assert claims["exp"] > _SECONDS >= claims["iat"] - 60, "another time"
    assert 1 <= len(person.subject) <= 255, "nobody"
    assert len(person.groups) <= 200, "more groups than count"
    assert person.email in {"", str(claims.get("email")).lower()}, "another email"
    return bool(person.email), min(len(person.groups), 3), min(person.left_out, 3)


def _tokens() -> list[bytes]:
    more = {"email": "J@x.example", "email_verified": True, "groups": ["a", "b", 5], "azp": _CLIENT, "nbf": 1}
    heads: list[dict[str, Any]] = [_HEAD, {"alg": "ES256", "kid": "k"}, {"alg": "none"}, {**_HEAD, "jwk": _KEYS[0]}]
    made = [{"head": head, "claims": _CLAIMS | more} for head in heads]
    made += [{"head": _HEAD, "claims": _CLAIMS | {"aud": [_CLIENT, "other"], "azp": _CLIENT}}]
    return [*map(orjson.dumps, made), _signed(_HEAD, _CLAIMS | {"sub": "2", "aud": "other"}).encode()]


# --- discovery and keys


def _documents(data: bytes) -> Hashable:
    """An object with ``discovery`` and ``keys`` is both documents; anything else is either."""
    given = _read(data)
    pair = isinstance(given, dict) and {"discovery", "keys"} <= set(given)
    discovery, keys = (orjson.dumps(given[name]) if pair else data for name in ("discovery", "keys"))
    outcome: list[Hashable] = []
    try:
        provider = read_provider(discovery, _ISSUER)
    except IssuerError as error:
        outcome.append(str(error)[:60])
    else:
        for address in (provider.authorization_endpoint, provider.token_endpoint, provider.jwks_uri):
            assert address.startswith("https://"), "an address that is not https"
            assert address.isascii(), "an address that browsers read in other ways"
            assert address.isprintable(), "an address that is cut in two"
            assert not {"@", "\\", " "} & set(address), "an address of another host"
        outcome.append(provider.proofs)
    try:
        found = read_keys(keys)
    except IssuerError as error:
        return *outcome, str(error)[:60]
    for algorithm in ALGORITHMS:
        for kid in ("k", None):
            try:
                key = key_for(found, algorithm, kid)
            except IssuerError as error:
                outcome.append(str(error)[:30])
                continue
            outcome.append(key is not None)
            if key is not None:
                assert not hasattr(key.key, "sign"), "a private key"
                assert key.algorithm_name == algorithm, "another algorithm"
                assert isinstance(key.key, Ed25519PublicKey) or key.key.key_size >= 256, "a short key"
    return tuple(outcome)


def _pairs() -> list[bytes]:
    more = {
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    }
    sets: list[Any] = [
        {"keys": _KEYS},
        {"keys": _KEYS[:1]},
        {"keys": [{**_KEYS[2], "key_ops": ["verify"], "alg": "PS256"}]},
    ]
    return [orjson.dumps({"discovery": _PROVIDER | more, "keys": keys}) for keys in sets]


CALLBACK = Target("callback", _callback, _callbacks, mutator(_WORDS, trees=False))
ID_TOKEN = Target("id-token", _token, _tokens, mutator())
ISSUER = Target("issuer", _documents, _pairs, mutator())
