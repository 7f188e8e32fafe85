"""Public keys of seals, from files and from KMS; with one of them a signature can be verified without AWS."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from auditwire.evidence.walk import Keys


class PublicKey:
    """A Verifier with the public half of a key."""

    def __init__(self, key: "EllipticCurvePublicKey") -> None:
        self._key = key

    @property
    def fingerprint(self) -> str:
        """See Verifier.fingerprint."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return sha256(self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()

    def verify(self, text: bytes, signature: bytes) -> bool:
        """See Verifier.verify; ECDSA with SHA-256."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            self._key.verify(signature, text, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def as_pem(self) -> str:
        """The key as a file has it."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_pem(path: Path) -> PublicKey:
    """The public key of a PEM file. Raises UsageError."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return _elliptic(load_pem_public_key(read_file(path, "the key")), str(path))
    except ValueError:
        raise UsageError(f"there is no public key in PEM in {path}", "`auditwire public-key` prints it") from None


def key_in_kms(kms: Any, arn: str) -> PublicKey:
    """The public key of a key in KMS. Raises UsageError, and errors of botocore."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    return _elliptic(load_der_public_key(kms.get_public_key(KeyId=arn)["PublicKey"]), arn)


def by_fingerprint(keys: "Iterable[PublicKey]") -> "Keys":
    """The keys as verifying asks for them."""
    return {key.fingerprint: key for key in keys}


def _elliptic(key: Any, name: str) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    if not isinstance(key, EllipticCurvePublicKey):
        raise UsageError(f"{name} is not a key for ECDSA", "seals are signed with ECC_NIST_P256")
    return PublicKey(key)
