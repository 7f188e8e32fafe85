"""The heads of all chains, once a day, to places that who may write to the archive bucket has no hand in: whoever keeps
a number and a hash can tell later whether the end of a chain was cut off, or a chain made anew."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from auditwire.aws.conditional_put import conditional_put
from auditwire.evidence.chain import tail_of
from auditwire.evidence.errors import EvidenceError
from auditwire.evidence.verify import clusters_in

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

    from auditwire.evidence.signing import Verifier
    from auditwire.evidence.store import Writer

MAX_LINES: Final = 1_000
"""In one message; each has at most 150 bytes, and SNS takes 256 kB."""


class HeadLine(msgspec.Struct, frozen=True):
    """The head of one chain: its last seal's number, the hash of its text, until when it is sealed."""

    cluster: str
    number: int
    sha256: str
    reached: str

    def as_text(self) -> str:
        """As ``auditwire verify --head`` takes it."""
        return f"{self.cluster}:{self.number}:{self.sha256}"


def heads_of(store: "Writer", verifier: "Verifier") -> list[HeadLine]:
    """The head of every chain there is. Raises EvidenceError."""
    tails = ((cluster, tail_of(store, cluster, verifier).last) for cluster in clusters_in(store))
    return [
        HeadLine(cluster, last.seal.number, last.file.text_sha256, last.seal.reached)
        for cluster, last in tails
        if last is not None
    ]


def is_time_to_publish(scheduled: datetime) -> bool:
    """Whether a run that was due then publishes the heads: the first of each day."""
    return scheduled.hour == 0


def announce_heads(sns: "SNSClient", topic: str, heads: Sequence[HeadLine], stack: str, day: str) -> None:
    """Sends the heads to a topic, as text for people who keep their mail. Raises EvidenceError."""
    for start in range(0, len(heads), MAX_LINES):
        lines = [head.as_text() for head in heads[start : start + MAX_LINES]]
        text = "\n".join([
            f"The seals of {stack} on {day}, as cluster:number:SHA-256. Keep this: with it, auditwire verify --head",
            "finds out whether a chain of seals was cut off or made anew later.",
            "",
            *lines,
        ])  # fmt: skip
        try:
            sns.publish(TopicArn=topic, Subject=f"auditwire heads {day}", Message=text)
        except (ClientError, BotoCoreError) as error:
            raise EvidenceError(f"{topic}: the heads could not be published: {error}") from error


def put_heads(s3: "S3Client", bucket: str, heads: Sequence[HeadLine], stack: str, day: str) -> None:
    """Puts the heads into another bucket, where none of that day are: ``auditwire-heads/<stack>/<day>.jsonl``. Raises
    EvidenceError."""
    key = f"auditwire-heads/{stack}/{day}.jsonl"
    content = b"".join(msgspec.json.encode(one) + b"\n" for one in heads)
    try:
        conditional_put(s3, {"Bucket": bucket, "Key": key, "Body": content, "IfNoneMatch": "*"})
    except (ClientError, BotoCoreError) as error:
        raise EvidenceError(f"s3://{bucket}/{key}: the heads could not be stored: {error}") from error
