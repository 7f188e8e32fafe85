"""``auditwire rules update``: bring the rules that ship with this version into a folder of rules."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError, ExitCode, UsageError
from auditwire_cli.rules.documents import read_documents
from auditwire_cli.terminal.output import show, tell

if TYPE_CHECKING:
    from auditwire.rules import Loaded

# What belongs to the site: written where it is missing, and never again.
_OF_THE_SITE = ("site/", "policy.yaml", "webhook.yaml")
# Only here a document that is no longer shipped is removed: elsewhere it is the site's own.
_OF_THE_PACK = "detections/"


def rules_update(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of your rules.")],
    *,
    write: Annotated[bool, typer.Option("--write", help="Write the new documents into DIR.")] = False,
) -> None:
    """Show what an update of the shipped rules would change.

    Compares the documents in DIR with those that ship with this version: which of them are new or changed, and what the
    rules will decide differently. Nothing is written unless you say --write. Then changed documents are replaced, new
    ones are added, and those of detections/ that are no longer shipped are removed. What your site adds stays as it is:
    site/, policy.yaml, webhook.yaml, and documents of your own. Tests beside the rules are not written.

    \b
    Exit codes: 0 up to date, or written; 1 something would change, or the rules would have errors; 2 wrong usage.

    \b
    Examples:
      auditwire rules update rules
      auditwire rules update rules --write
    """
    from auditwire.rules.difference import Snapshot, difference
    from auditwire_cli.rules.difference_text import difference_text

    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of rule documents", "give the folder that has all of them")
    there = {Path(one.path).relative_to(folder).as_posix(): one.text for one in read_documents([folder])}
    changes = _changes(there)
    if not changes:
        show("up to date: these are the rules that ship with this version")
        return
    for path, text in changes.items():
        sign = "- removed" if text is None else "~ changed" if path in there else "+ new    "
        show(f"{sign}  {path}")
    after = {path: text for path, text in (there | changes).items() if text is not None}
    before, loaded = _loaded(there), _loaded(after)
    if loaded.rule_set is None:
        for found in loaded.diagnostics:
            if found.is_error:
                tell(found.as_text())
        raise CommandError(
            "with the new documents your rules would have errors, so nothing was written",
            "names that a document of your own uses may be gone, or lists may be missing in site/",
        )
    if before.rule_set is not None:
        old, new = Snapshot(before.rule_set, before.documents), Snapshot(loaded.rule_set, loaded.documents)
        show(difference_text(difference(old, new)))
    if not write:
        raise typer.Exit(ExitCode.FINDINGS)
    for path, text in changes.items():
        _put(folder / path, text)
    show(f"written to {folder}: check it, then `auditwire rules publish {folder}`")


def _changes(there: dict[str, str]) -> dict[str, str | None]:
    """What an update writes, by path; None for what it removes."""
    from auditwire.rules import default_rules

    shipped = {one.path: one.text for one in default_rules()}
    changes: dict[str, str | None] = {
        path: text
        for path, text in shipped.items()
        if there.get(path) != text and not (path in there and path.startswith(_OF_THE_SITE))
    }
    gone = (path for path in there if path.startswith(_OF_THE_PACK) and path not in shipped and not _is_test(path))
    return dict(sorted((changes | dict.fromkeys(gone)).items()))


def _is_test(path: str) -> bool:
    from auditwire.documents.source import is_test_file

    return is_test_file(path)


def _loaded(documents: dict[str, str]) -> "Loaded":
    from auditwire.rules import Source, load_sources

    sources: list[Source] = [Source(path, text) for path, text in sorted(documents.items())]
    return load_sources(sources)


def _put(path: Path, text: str | None) -> None:
    try:
        if text is None:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None
