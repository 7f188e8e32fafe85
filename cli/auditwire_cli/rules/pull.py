"""``auditwire rules pull``: write the documents in force, or those of an earlier bundle, into a folder."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import counted, show

if TYPE_CHECKING:
    from auditwire.documents.source import Source


@on_stack
def rules_pull(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to write to; it is made if it does not exist.")
    ],
    *,
    digest: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="The digest of a bundle, or its beginning.  [default: the active one]"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite documents that differ.")] = False,
    where: Stack,
) -> None:
    """Write the documents in force into a folder.

    These are the documents that the active bundle was made of, byte for byte, whatever is in the bucket now. Without
    --force a document in the folder is never overwritten with other content; then nothing is written at all. Other
    documents in the folder are left alone, and named.

    \b
    Exit codes: 0 done, 1 a document differs, or there is no bundle, 2 wrong usage.

    \b
    Examples:
      auditwire rules pull rules --profile prod
      auditwire rules pull /tmp/before --digest 3f1c0a9b
    """
    from auditwire_cli.rules.bundles import find_digest, read_active, read_bundle

    bucket = where.rules_bucket()
    active = read_active(bucket)
    if digest is None and active is None:
        raise CommandError("nothing has been published to this stack yet, so the shipped rules are in force")
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
                show(f"{'~ changed' if path in there else '+ new    '}  {path}")
    except OSError as error:
        raise CommandError(f"cannot write to {folder}: {error.strerror}") from None
    for path in others:
        show(f"  not in the bundle: {path}")
    show(f"{counted(len(files), 'document')} in {folder}")


def _place(folder: Path, path: str) -> Path:
    """Where a document of a bundle goes: into the folder, whatever the bundle says."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path or not path.isprintable():
        raise CommandError(f"the bundle has a document called {path!r}, which cannot be written")
    return folder.joinpath(*parts.parts)
