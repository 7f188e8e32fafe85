"""``auditwire rules pull``: the documents in force, or those of an earlier bundle, into a folder."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError
from auditwire_cli.output import counted
from auditwire_cli.stack import (
    DEFAULT_STACK,
    EndpointUrl,
    Profile,
    Region,
    Stack,
    StackName,
    StateFile,
    in_one_sentence,
)

if TYPE_CHECKING:
    from auditwire.documents.source import Source


def rules_pull(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; it is made if there is none.")],
    *,
    digest: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Another bundle than the active one, or its beginning.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite documents that differ.")] = False,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Write the documents in force into a folder.

    They are those the active bundle was made of, byte for byte, whatever lies in the bucket now. A document of the
    folder that differs is never overwritten without --force: then nothing is written at all. Documents the bundle
    does not have are left alone, and named.

    \b
    Exit codes: 0 done, 1 a document differs, or there is no bundle, 2 the call was wrong.

    \b
    Examples:
      auditwire rules pull rules --profile prod
      auditwire rules pull /tmp/before --digest 3f1c0a9b
    """
    from auditwire_cli.rules.bundles import find_digest, read_active, read_bundle

    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        bucket = where.rules_bucket()
        active = read_active(bucket)
        if digest is None and active is None:
            raise CommandError("nothing was published to this stack yet: the shipped rules decide")
        bundle = read_bundle(bucket, find_digest(bucket, digest) if digest else active.digest if active else "")
    _write(folder, bundle.sources, force=force)


def _write(folder: Path, sources: "tuple[Source, ...]", *, force: bool) -> None:
    from auditwire.rules import rule_files

    files = {_place(folder, source.path): source.text.encode() for source in sources}
    try:
        there = {path: path.read_bytes() for path in files if path.exists()}
        differing = sorted(path for path, content in there.items() if content != files[path])
        if differing and not force:
            raise CommandError(
                f"{', '.join(map(str, differing))} would be overwritten, so nothing was written",
                "give --force, or another folder",
            )
        others = sorted(set(rule_files(folder)) - files.keys()) if folder.is_dir() else []
        for path, content in sorted(files.items()):
            if there.get(path) != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                print(f"{'~ changed' if path in there else '+ new    '}  {path}")
    except OSError as error:
        raise CommandError(f"cannot write to {folder}: {error.strerror}") from None
    for path in others:
        print(f"  not of the bundle: {path}")
    print(f"{counted(len(files), 'document', 'documents')} in {folder}")


def _place(folder: Path, path: str) -> Path:
    """Where a document of a bundle goes: below the folder, whatever the bundle says."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path or not path.isprintable():
        raise CommandError(f"the bundle has a document {path!r}, which cannot be written")
    return folder.joinpath(*parts.parts)
