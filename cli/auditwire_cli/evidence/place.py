"""Where evidence is, and whose signatures count: in a stack, or in a folder with a key."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError, UsageError
from auditwire_cli.evidence.pem import PublicKey, by_fingerprint, key_in_kms, read_pem
from auditwire_cli.stack import Deployment, Stack, in_one_sentence

if TYPE_CHECKING:
    from auditwire.evidence.store import Reader
    from auditwire.evidence.walk import Keys

Folder = Annotated[
    Path | None,
    typer.Option("--folder", metavar="DIR", help="A copy of the archive bucket, instead of a stack; needs --key."),
]
KeyFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--key", metavar="PEM", help="A public key that may have signed seals; may be repeated, after a change of keys."
    ),
]


@dataclass(frozen=True, slots=True)
class Place:
    """Evidence, and the keys that may have signed it. ``live`` says that this is the archive itself, not a copy."""

    reader: "Reader"
    keys: "Keys"
    live: bool


def find_place(stack: Stack, folder: Path | None, key_files: Sequence[Path], *, in_bucket: bool = False) -> Place:
    """The folder, or the bucket of the stack; with ``in_bucket`` also where events are archived in DynamoDB now.

    Raises UsageError, also for an archive without seals, and errors of botocore.
    """
    keys = [read_pem(path) for path in key_files]
    if folder is not None:
        if stack != Stack():
            raise UsageError("--folder needs no stack", "leave --stack, --state and the other options of a stack out")
        if not keys:
            raise UsageError("without AWS the key of the seals is not known", "give the public key: --key seal.pem")
        return Place(_folder(folder), by_fingerprint(keys), live=False)
    found = stack.find()
    if found.outputs.get("ArchiveTable") and not in_bucket:
        raise UsageError(
            "this stack archives events in DynamoDB, which is not sealed: nothing shows whether they were changed",
            "docs/evidence.md says what to do; --store s3 verifies what is in the bucket",
        )
    from auditwire.evidence.s3 import S3Store

    return Place(S3Store(found.client("s3"), found.output("ArchiveBucket")), _with_own_key(found, keys), live=True)


@contextmanager
def unreadable_is_2() -> Iterator[None]:
    """What cannot be read proves nothing, so inside it ends a command with exit code 2."""
    from auditwire.evidence.errors import EvidenceError

    try:
        yield
    except EvidenceError as error:
        raise UsageError(str(error)) from None
    except UsageError:
        raise
    except CommandError as error:
        raise UsageError(error.message, error.hint) from None


def stack_keys(stack: Stack, key_files: Sequence[Path]) -> "Keys":
    """The keys in these files, or that of the stack if there are none. Raises as find_place does."""
    if key_files:
        return by_fingerprint(read_pem(path) for path in key_files)
    with in_one_sentence(stack):
        return _with_own_key(stack.find(), [])


def _with_own_key(found: Deployment, keys: Sequence[PublicKey]) -> "Keys":
    """The keys, and the one that the stack signs with now; where that cannot be read, the given ones are all."""
    from botocore.exceptions import BotoCoreError, ClientError

    arn = found.outputs.get("SealKeyArn")
    if arn is None:
        if keys:
            return by_fingerprint(keys)
        raise UsageError(f"the stack {found.name} makes no seals", "its parameter SealKeyArn is none; docs/evidence.md")
    try:
        return by_fingerprint([*keys, key_in_kms(found.client("kms"), arn)])
    except (BotoCoreError, ClientError):
        if keys:
            return by_fingerprint(keys)
        raise


def _folder(folder: Path) -> "Reader":
    from auditwire.evidence.folder import FolderReader
    from auditwire.evidence.verify import clusters_in

    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "give a copy of the archive bucket")
    reader = FolderReader(folder)
    if not clusters_in(reader):
        raise UsageError(f"{folder} is not a copy of an archive", "one has events/cluster=… and seals/cluster=…")
    return reader
