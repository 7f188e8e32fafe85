"""An issuer of OpenID Connect for tests. It is as strict as the standard: about its client, the redirect URI, PKCE and
codes, which it takes once. It can be told what to claim, with what to sign, and what to get wrong."""

import json
import secrets
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from auditwire_console.signin import Answer, IssuerError

_CURVES: Mapping[str, Any] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


@dataclass(frozen=True)
class SigningKey:
    """A private key with its name and its algorithm."""

    kid: str
    algorithm: str
    private: Any

    @property
    def public(self) -> dict[str, Any]:
        """As a set of keys has it."""
        algorithm: Any = get_default_algorithms()[self.algorithm]
        jwk = algorithm.to_jwk(self.private.public_key(), as_dict=True)
        jwk.pop("key_ops", None)
        return {**jwk, "kid": self.kid, "alg": self.algorithm, "use": "sig"}


@cache
def signing_key(kid: str = "first", algorithm: str = "ES256", bits: int = 2048) -> SigningKey:
    """The same key each time."""
    if algorithm == "EdDSA":
        return SigningKey(kid, algorithm, ed25519.Ed25519PrivateKey.generate())
    if algorithm in _CURVES:
        return SigningKey(kid, algorithm, ec.generate_private_key(_CURVES[algorithm]))
    return SigningKey(kid, algorithm, rsa.generate_private_key(public_exponent=65537, key_size=bits))


@dataclass
class OidcIssuer:
    """``claims`` are what it claims about whoever signs in, beside what every token has; None takes a claim away.

    ``redirect_uris`` are those that its client registered. ``key`` signs, and ``published`` are the keys it publishes:
    that one, unless told. ``discovery`` changes its discovery document in the same way as ``claims``. ``refuses`` is
    what it sends back instead of a code. ``forged`` makes the ID token of its claims in another way. ``instead``
    answers in its place: by path, a status and a body. ``asked`` has every request to it.
    """

    url: str = "https://issuer.example"
    client_id: str = "console"
    client_secret: str = ""
    redirect_uris: tuple[str, ...] = ("https://console.example/callback",)
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "1234"})
    key: SigningKey = field(default_factory=signing_key)
    published: list[Any] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)
    forged: Callable[[dict[str, Any]], str] | None = None
    instead: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    is_down: bool = False
    now: Callable[[], float] = time.time
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    # --- what it is asked

    def answer(
        self, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        self.asked.append(path)
        base = urlsplit(self.url).path.rstrip("/")
        if path in self.instead:
            status, content = self.instead[path]
            return status, {"location": f"{self.url}/elsewhere"}, content
        match path.removeprefix(base):
            case "/.well-known/openid-configuration":
                return _json(200, self.document())
            case "/keys":
                return _json(200, {"keys": [self.key.public] if self.published is None else self.published})
            case "/authorize":
                return 302, {"location": self.authorize(_once(query))}, b""
            case "/token":
                return _json(*self.token(_once(body.decode()), headers))
        return 404, {}, b""

    def document(self) -> dict[str, Any]:
        """The discovery document."""
        base = self.url.rstrip("/")
        proofs = ["client_secret_basic", "client_secret_post"] if self.client_secret else ["none"]
        return _changed(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [self.key.algorithm],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": proofs,
                "authorization_response_iss_parameter_supported": True,
            },
            self.discovery,
        )

    def authorize(self, asked: Mapping[str, str]) -> str:
        """Signs somebody in at once. Returns where the browser goes; AssertionError for a request that it may not
        answer."""
        assert asked["client_id"] == self.client_id
        assert asked["redirect_uri"] in self.redirect_uris
        assert asked["response_type"] == "code"
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        assert all(len(asked[name]) == 43 for name in ("state", "nonce", "code_challenge"))
        back = {"state": asked["state"], "iss": self.url}
        if self.refuses:
            back |= self.refuses
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = dict(asked)
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def token(self, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and answer of the token endpoint."""
        if not self._is_client(form, headers.get("authorization", "")):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        if form.get("grant_type") != "authorization_code":
            return 400, {"error": "unsupported_grant_type"}
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"] or challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(self.now())
        standard = {"iss": self.url, "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = _changed(standard, self.claims)
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": (self.forged or self.signed)(claims)}

    def signed(self, claims: dict[str, Any], *, key: SigningKey | None = None, **head: Any) -> str:
        """An ID token with these claims."""
        key = key or self.key
        headers = {"kid": key.kid, **head}
        given = {name: value for name, value in headers.items() if value is not None}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), key.private, key.algorithm, given)

    def _is_client(self, form: Mapping[str, str], authorization: str) -> bool:
        if authorization:
            pair = b64decode(authorization.removeprefix("Basic ")).decode().split(":")
            return [unquote_plus(part) for part in pair] == [self.client_id, self.client_secret]
        return (form.get("client_id"), form.get("client_secret", "")) == (self.client_id, self.client_secret)

    # --- how it is asked

    def fetch(self, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """A Fetch without a network."""
        parts = urlsplit(url)
        if self.is_down:
            message = f"the issuer's host {parts.hostname} does not answer (connection refused); try again"
            raise IssuerError(message)
        status, _, content = self.answer(parts.path, parts.query, headers, body or b"")
        return Answer(status, content)

    @contextmanager
    def serving(self) -> Iterator["OidcIssuer"]:
        """Serves it on a free port of 127.0.0.1, and gives it that address."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                given = {name.lower(): value for name, value in self.headers.items()}
                status, headers, content = issuer.answer(parts.path, parts.query, given, body)
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Keeps the tests' output clean."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _changed(given: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def _once(query: str) -> dict[str, str]:
    given = parse_qs(query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in given.values())
    return {name: value for name, [value] in given.items()}


def _json(status: int, answer: Any) -> tuple[int, dict[str, str], bytes]:
    return status, {"content-type": "application/json"}, json.dumps(answer).encode()
