"""A certificate authority for this machine, and a server certificate from it for each run."""

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NAMES = [x509.DNSName("localhost"), x509.DNSName("host.docker.internal")]
_ADDRESSES = [x509.IPAddress(ip_address(address)) for address in ("127.0.0.1", "::1")]
_LIFETIME = timedelta(days=30)
_AUTHORITY_LIFETIME = timedelta(days=365)
_AUTHORITY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "auditwire dev")])


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority that signs certificates of this machine's loopback."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> Self:
        """One that nobody trusts yet."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(_AUTHORITY, _AUTHORITY, key.public_key(), _AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @classmethod
    def of_pem(cls, pem: str) -> Self | None:
        """The one that ``as_pem`` wrote; None for anything else, and for one that ends within a month."""
        try:
            key = serialization.load_pem_private_key(pem.encode(), None)
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except (ValueError, TypeError):
            return None
        is_good = certificate.not_valid_after_utc > datetime.now(UTC) + _LIFETIME
        return cls(key, certificate) if is_good and isinstance(key, ec.EllipticCurvePrivateKey) else None

    def as_pem(self) -> str:
        """Key and certificate. Whoever has them can pretend to be this machine's loopback to those who trust it."""
        return (_pem_of(self.key) + self.certificate.public_bytes(serialization.Encoding.PEM)).decode()


def server_context(folder: Path, authority: Authority | None = None) -> tuple[ssl.SSLContext, Path]:
    """A TLS context for loopback, and the file of the authority that clients must trust, which is written to
    ``folder``.

    Without an ``authority`` a new one is made. Its key is not kept then: it signs this one certificate.
    """
    authority = authority or Authority.new()
    server_key = ec.generate_private_key(ec.SECP256R1())
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.key.public_key())
    server = (
        _builder(server_name, _AUTHORITY, server_key.public_key(), _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([*_NAMES, *_ADDRESSES]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    chain = folder / "server.pem"
    chain.touch(mode=0o600)
    chain.write_bytes(_pem_of(server_key) + server.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain)
    chain.unlink()
    return context, ca_file


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lifetime: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # From an hour ago, for clients whose clock is slow.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + lifetime)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
