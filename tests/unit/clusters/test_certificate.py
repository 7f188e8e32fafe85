"""A client certificate as credential: its fingerprint, what may stand beside it, and what it can never equal."""

import hashlib
import ssl
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from auditwire.clusters import (
    Credential,
    CredentialKind,
    certificate_digest,
    credential_digest,
    is_credential,
    presented,
)

PATH = "/audit/webhook/event"


def certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


CERTIFICATE = certificate()
PEM = CERTIFICATE.public_bytes(serialization.Encoding.PEM).decode()
KEY = "cert:" + CERTIFICATE.fingerprint(hashes.SHA256()).hex()


def test_a_certificate_is_known_by_the_fingerprint_that_openssl_shows() -> None:
    assert certificate_digest(PEM) == KEY
    assert "cert:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(PEM)).hexdigest() == KEY


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param(PEM.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param("".join(PEM.splitlines()), id="no line ends"),
        pytest.param(f"subject=CN = kube-apiserver\n{PEM}", id="words before it"),
        pytest.param(PEM + certificate().public_bytes(serialization.Encoding.PEM).decode(), id="its chain behind it"),
    ],
)
def test_the_form_of_the_text_does_not_matter(pem: str) -> None:
    assert certificate_digest(pem) == KEY


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param("", id="empty"),
        pytest.param("CERT_CONTENT", id="no PEM"),
        pytest.param(PEM.replace("-----END", "----END"), id="no end"),
        pytest.param(PEM.replace("CERTIFICATE", "PRIVATE KEY"), id="another kind"),
        pytest.param("-----BEGIN CERTIFICATE-----\nMIIB*\n-----END CERTIFICATE-----", id="not base64"),
        pytest.param("-----BEGIN CERTIFICATE-----\nMIIBA\n-----END CERTIFICATE-----", id="cut off"),
        pytest.param("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----", id="not DER"),
        pytest.param(PEM + " " * 70_000, id="far too long"),
    ],
)
def test_what_is_no_certificate_is_no_credential_whatever_else_is_presented(pem: str) -> None:
    assert certificate_digest(pem) is None
    assert presented({}, PATH, pem) is None
    assert presented({"authorization": "Bearer good"}, PATH, pem) is None


def test_a_certificate_alone_is_the_credential() -> None:
    assert presented({}, PATH, PEM) == presented({"authorization": ""}, PATH + "/", PEM) == Credential(KEY)


def test_what_stands_beside_a_certificate_must_hold_too() -> None:
    both = Credential(credential_digest("good"), None, KEY)
    basic = b64encode(b"prod:good").decode()
    assert presented({"authorization": "Bearer good"}, PATH, PEM) == both
    assert presented({}, f"{PATH}/good", PEM) == both
    assert presented({"authorization": f"Basic {basic}"}, PATH, PEM) == Credential(both.digest, "prod", KEY)


@pytest.mark.parametrize(
    ("headers", "path"),
    [({"authorization": "Bearer"}, PATH), ({"authorization": "Digest x"}, PATH), ({}, f"{PATH}/a%20b")],
    ids=["no token", "another scheme", "no secret in the path"],
)
def test_a_certificate_does_not_make_up_for_a_credential_that_cannot_hold(headers: dict[str, str], path: str) -> None:
    assert presented(headers, path, PEM) is None


def test_neither_shows_itself() -> None:
    assert repr(presented({"authorization": "Bearer good"}, PATH, PEM)) == "Credential()"


@given(st.text(st.characters(codec="ascii")))
def test_no_token_has_the_digest_of_a_certificate(token: str) -> None:
    assert not credential_digest(token).startswith("cert:")
    assert not is_credential(KEY), "nor can the key itself be presented"


def test_the_key_of_a_row_tells_its_kind() -> None:
    certificate = certificate_digest(PEM)

    assert certificate
    assert CredentialKind.of(certificate) is CredentialKind.CERTIFICATE
    assert CredentialKind.of(credential_digest("token")) is CredentialKind.TOKEN
    assert [str(kind) for kind in CredentialKind] == ["token", "certificate", "log group", "account", "bucket"]
