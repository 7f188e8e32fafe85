"""``auditwire rules rollback``: bring the documents of an earlier bundle back into force."""

from typing import Annotated

import typer

from auditwire_cli.rules.publish import Timeout
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import show


@on_stack
def rules_rollback(
    digest: Annotated[
        str | None,
        typer.Argument(metavar="DIGEST", help="The digest of the bundle, or its beginning.  [default: the one before]"),
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and send nothing.")] = False,
    timeout: Timeout = 120,
    where: Stack,
) -> None:
    """Bring the documents of an earlier bundle back into force.

    Every bundle has the documents it was made of. Those of the bundle you name, or else of the one that was written
    before the active one, replace all documents in the bucket. Then the command waits for the verdict, as
    `auditwire rules publish` does.

    \b
    Exit codes: 0 in force, 1 refused, or there is no such bundle, 2 wrong usage, 3 no verdict in time,
    130 interrupted.

    \b
    Examples:
      auditwire rules rollback --dry-run
      auditwire rules rollback 3f1c0a9b --profile prod
    """
    from auditwire_cli.rules.bundles import find_digest, previous_digest, read_active, read_bundle
    from auditwire_cli.rules.documents import short
    from auditwire_cli.rules.publishing import bring_into_force, show_changes
    from auditwire_cli.rules.upload import Upload, documents_in

    bucket = where.rules_bucket()
    wanted = find_digest(bucket, digest) if digest else previous_digest(bucket, read_active(bucket))
    bundle = read_bundle(bucket, wanted)
    show(f"back to {short(wanted)}")
    upload = Upload(documents_in(bucket), {source.path: source.text.encode() for source in bundle.sources})
    show_changes(bucket, upload)
    if not dry_run:
        bring_into_force(bucket, upload, where, seconds=timeout)
