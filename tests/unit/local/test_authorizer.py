"""The stand-in for API Gateway's JWT authorizer lets through what AWS would, and nothing else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from auditwire_local.authorizer import Authorizer, Issuer, authorizers
from auditwire_local.errors import DeployError

GOOGLE = "https://accounts.google.com"
ASKED = Authorizer(GOOGLE, ("auditwire",))
CLAIMS = {"iss": GOOGLE, "aud": "auditwire", "email": "push@p.iam.gserviceaccount.com", "email_verified": True}
SCHEME = {
    "type": "jwt",
    "identitySource": "$request.header.Authorization",
    "jwtConfiguration": {"issuer": GOOGLE, "audience": ["auditwire"]},
}


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


def test_the_claims_of_a_token_are_passed_on_as_texts(issuer: Issuer) -> None:
    claims = issuer.claims_of(f"Bearer {issuer.token(CLAIMS | {'groups': ['a', 'b']})}", ASKED)

    assert claims is not None
    assert {name: claims[name] for name in ("iss", "email", "email_verified", "groups")} == {
        "iss": GOOGLE, "email": "push@p.iam.gserviceaccount.com", "email_verified": "true", "groups": "[a b]",
    }  # fmt: skip


def with_other_claims(token: str) -> str:
    head, body, signature = token.split(".")
    text = urlsafe_b64decode(body + "==").replace(b"push@", b"root@")
    return ".".join((head, urlsafe_b64encode(text).decode().rstrip("="), signature))


REFUSED: dict[str, Callable[[Issuer], str]] = {
    "none": lambda _: "",
    "no token": lambda _: "Bearer a.b.c",
    "signed by somebody else": lambda _: f"Bearer {Issuer().token(CLAIMS)}",
    "not signed": lambda _: f"Bearer {jwt.encode(CLAIMS | {'exp': 9_999_999_999}, '', 'none')}",
    "signed with a secret": lambda _: f"Bearer {jwt.encode(CLAIMS | {'exp': 9_999_999_999}, 'x' * 32, 'HS256')}",
    "changed": lambda issuer: f"Bearer {with_other_claims(issuer.token(CLAIMS))}",
    "expired": lambda issuer: f"Bearer {issuer.token(CLAIMS, seconds=-1)}",
    "not yet valid": lambda issuer: f"Bearer {issuer.token(CLAIMS | {'nbf': 9_999_999_999})}",
    "for another audience": lambda issuer: f"Bearer {issuer.token(CLAIMS | {'aud': 'another'})}",
    "without an audience": lambda issuer: f"Bearer {issuer.token({'iss': GOOGLE})}",
    "of another issuer": lambda issuer: f"Bearer {issuer.token(CLAIMS | {'iss': 'https://example.com'})}",
    "two headers": lambda issuer: f"Bearer {issuer.token(CLAIMS)},Bearer {issuer.token(CLAIMS)}",
}


@pytest.mark.parametrize("header", REFUSED.values(), ids=REFUSED)
def test_a_token_that_does_not_hold_is_refused(issuer: Issuer, header: Callable[[Issuer], str]) -> None:
    assert issuer.claims_of(header(issuer), ASKED) is None


def _body(**scheme: Any) -> dict[str, Any]:
    return {"components": {"securitySchemes": {"PubSub": {"x-amazon-apigateway-authorizer": SCHEME | scheme}}}}


def test_authorizers_are_those_of_the_document() -> None:
    assert authorizers(_body()) == {"PubSub": ASKED}
    assert authorizers({}) == {}


@pytest.mark.parametrize(
    "scheme",
    [{"type": "request"}, {"identitySource": "$request.querystring.t"}, {"enableSimpleResponses": True}],
    ids=["another type", "another source", "another property"],
)
def test_an_authorizer_that_is_not_understood_stops_the_deployment(scheme: dict[str, Any]) -> None:
    with pytest.raises(DeployError, match="authorizer PubSub"):
        authorizers(_body(**scheme))
