"""``auditwire rules publish``: documents of a folder into the rules bucket, checked, as one, and waited for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from auditwire_cli.rules.upload import Documents


def rules_publish(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that holds all the documents.")],
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Keep documents of the bucket that DIR does not have.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Publish only without warnings.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show what would change; send nothing.")] = False,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for the verdict.")] = 120,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Bring the documents of a folder into force.

    They are checked here first, as `auditwire rules check` does; with errors nothing is sent. Then you see which
    documents and which rules change, the documents are sent so that they go live as one, and the verdict on exactly
    these documents is waited for. Documents of the bucket that the folder does not have are deleted, unless --keep.

    Ctrl-C while sending puts the documents back as they were. Ctrl-C while waiting only ends the waiting.

    \b
    Exit codes: 0 in force, 1 refused (here or there) or AWS would not, 2 the call was wrong, 3 no verdict in time,
    130 interrupted. With --dry-run: 0 these documents would be sent, 1 they have errors.

    \b
    Examples:
      auditwire rules publish rules --dry-run
      auditwire rules publish rules --profile prod --region eu-west-1
      auditwire rules publish rules --state .auditwire/dev.json
    """
    from auditwire_cli.errors import CallError
    from auditwire_cli.rules.check import check_and_print
    from auditwire_cli.rules.publishing import bring_into_force, show
    from auditwire_cli.rules.upload import Upload, documents_in

    where = Stack(stack, profile, region, endpoint_url, state)
    if not folder.is_dir():
        raise CallError(f"{folder} is no folder of rule documents")
    documents = _documents(folder)
    if not keep:
        check_and_print(_sources(folder, documents, {}), strict=strict)
    with in_one_sentence(where):
        bucket = where.rules_bucket()
        there = documents_in(bucket)
        kept = {path: data for path, data in there.items() if keep and path not in documents}
        if keep:
            check_and_print(_sources(folder, documents, kept), strict=strict)
        upload = Upload(there, {**kept, **documents})
        for path in kept:
            print(f"  kept     {path}")
        show(bucket, upload)
        if not dry_run:
            bring_into_force(bucket, upload, seconds=timeout, folder=folder)


def _documents(folder: Path) -> dict[str, bytes]:
    """The documents below a folder by path. Raises CallError for a folder without any, and for what cannot be sent."""
    from auditwire.rules import rule_files
    from auditwire_cli.errors import CallError

    documents = {}
    for file in rule_files(folder):
        path = file.relative_to(folder).as_posix()
        if not path.isprintable():
            raise CallError(f"a document cannot be called {path!r} in the bucket", "rename it")
        try:
            documents[path] = file.read_bytes()
        except OSError as error:
            raise CallError(f"cannot read {file}: {error.strerror}") from None
    if not documents:
        raise CallError(f"no rule documents in {folder}", "they are called *.yaml or *.yml")
    return documents


def _sources(folder: Path, documents: "Documents", kept: "Documents") -> "list[Source]":
    """What will lie in the bucket, each document called as where it comes from."""
    from auditwire.documents.source import Source

    here = [(str(folder / path), data) for path, data in documents.items()]
    there = [(f"(in the bucket) {path}", data) for path, data in kept.items()]
    return [Source(name, data.decode(errors="replace")) for name, data in [*here, *there]]
