"""``auditwire rules rollback``: the documents of an earlier bundle back into the rules bucket, and in force."""

from typing import Annotated

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


def rules_rollback(
    digest: Annotated[
        str | None, typer.Argument(metavar="DIGEST", help="The bundle, or its beginning.  [default: the one before]")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; send nothing.")] = False,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for the verdict.")] = 120,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Bring an earlier bundle's documents back into force.

    Every bundle that was in force carries the documents it was made of. Those of the one you name, or of the one that
    was written before the active one, take the place of all documents in the bucket, and the verdict is waited for as
    by `auditwire rules publish`.

    \b
    Exit codes: 0 in force, 1 refused, or there is no such bundle, 2 the call was wrong, 3 no verdict in time,
    130 interrupted.

    \b
    Examples:
      auditwire rules rollback --dry-run
      auditwire rules rollback 3f1c0a9b --profile prod
    """
    from auditwire_cli.rules.bundles import find_digest, previous_digest, read_active, read_bundle
    from auditwire_cli.rules.publishing import bring_into_force, show
    from auditwire_cli.rules.upload import Upload, documents_in
    from auditwire_cli.rules.verdict import short

    where = Stack(stack, profile, region, endpoint_url, state)
    with in_one_sentence(where):
        bucket = where.rules_bucket()
        wanted = find_digest(bucket, digest) if digest else previous_digest(bucket, read_active(bucket))
        bundle = read_bundle(bucket, wanted)
        print(f"back to {short(wanted)}")
        upload = Upload(documents_in(bucket), {source.path: source.text.encode() for source in bundle.sources})
        show(bucket, upload)
        if not dry_run:
            bring_into_force(bucket, upload, seconds=timeout)
