"""Who signs seals, and who says whether a signature holds."""

import base64
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.aws.errors import code_of
from auditwire.evidence.errors import EvidenceError
from auditwire.evidence.seal import ALGORITHM

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class Verifier(Protocol):
    """Says whether a signature is that of one key."""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 in hex of the public key as DER (SubjectPublicKeyInfo). Raises EvidenceError."""

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether the key has signed this text so. Raises EvidenceError where that cannot be found out."""


class Signer(Verifier, Protocol):
    """Signs with one key."""

    def sign(self, text: bytes) -> bytes:
        """The signature of a text of at most 4,096 bytes, as DER. Raises EvidenceError."""


class KmsSigner:
    """Signs with a key that never leaves KMS: ECC_NIST_P256 for SIGN_VERIFY."""

    def __init__(self, client: "KMSClient", key: str) -> None:
        """``key`` is the ARN of the key."""
        self._client = client
        self._key = key
        self._fingerprint = ""

    @property
    def fingerprint(self) -> str:
        """See Verifier.fingerprint; asked for once."""
        if not self._fingerprint:
            self._fingerprint = fingerprint_of(self.public_key())
        return self._fingerprint

    def public_key(self) -> bytes:
        """The public key as DER. Raises EvidenceError."""
        try:
            return self._client.get_public_key(KeyId=self._key)["PublicKey"]
        except (ClientError, BotoCoreError) as error:
            raise self._failure(error) from error

    def sign(self, text: bytes) -> bytes:
        """See Signer.sign."""
        try:
            # RAW: KMS hashes the text itself. What is given as a DIGEST some stand-ins hash again.
            answer = self._client.sign(KeyId=self._key, Message=text, MessageType="RAW", SigningAlgorithm=ALGORITHM)
        except (ClientError, BotoCoreError) as error:
            raise self._failure(error) from error
        return answer["Signature"]

    def verify(self, text: bytes, signature: bytes) -> bool:
        """See Verifier.verify."""
        try:
            answer = self._client.verify(
                KeyId=self._key, Message=text, MessageType="RAW", Signature=signature, SigningAlgorithm=ALGORITHM
            )
        except ClientError as error:
            if code_of(error) == "KMSInvalidSignatureException":
                return False
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise self._failure(error) from error
        return answer["SignatureValid"]

    def _failure(self, error: Exception) -> EvidenceError:
        return EvidenceError(f"{self._key}: {error}")


def fingerprint_of(public_key: bytes) -> str:
    """The fingerprint of a public key in DER."""
    return sha256(public_key).hexdigest()


def as_base64(signature: bytes) -> str:
    """A signature as it stands in a seal."""
    return base64.b64encode(signature).decode()
