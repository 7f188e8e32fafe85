"""``auditwire rules diff``: what two bundles or folders of rules decide differently."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import CommandError, ExitCode, UsageError
from auditwire_cli.stack import Stack, in_one_sentence, on_stack
from auditwire_cli.terminal.output import Format, Output, show, show_json

if TYPE_CHECKING:
    from auditwire.bundles.rules_bucket import RulesBucket
    from auditwire.rules.difference import Snapshot

_ACTIVE = "active"


@on_stack
def rules_diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A folder, a document, a digest, or the word active.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The other side, given in the same way.")],
    *,
    output: Format = Output.TEXT,
    where: Stack,
) -> None:
    """Show, rule by rule, what B decides differently from A.

    These are rules that were added, removed or changed in condition, priority, output, labels or use, and changes of
    settings and audit policy. Conditions are compared after their macros, lists and aliases are expanded. Layout,
    comments, the case of field names and the order of tests make no difference. Where a rule changed through a macro,
    list or alias, that is named.

    A path that exists is a folder or document; any other word is the digest of a bundle, or its beginning; and
    `active` is what is in force (write ./active for a folder of that name). The stack is only asked for bundles.

    JSON has the members rules (each with rule, kind, changes and through), settings and policy; a change has what,
    before and after.

    \b
    Exit codes: 0 no difference, 1 a difference, 2 wrong usage, or a side cannot be read.

    \b
    Examples:
      auditwire rules diff active rules
      auditwire rules diff 3f1c0a9b active --format json
      auditwire rules diff rules ../other/rules
    """
    from auditwire.rules.difference import difference
    from auditwire_cli.rules.difference_text import difference_text

    sides = _Sides(where)
    try:
        found = difference(sides.snapshot(before), sides.snapshot(after))
    except CommandError as error:
        # 1 means a difference, as for diff; that something cannot be compared is another matter.
        raise UsageError(error.message, error.hint) from None
    if output is Output.JSON:
        show_json(found.as_json())
    else:
        show(difference_text(found))
    if found:
        raise typer.Exit(ExitCode.FINDINGS)


class _Sides:
    """Finds what a word means. The stack is found once, and only if a word is not a path."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._bucket: RulesBucket | None = None

    def snapshot(self, word: str) -> "Snapshot":
        from auditwire_cli.rules.bundles import (
            active_snapshot,
            check_digest,
            find_digest,
            folder_sources,
            read_active,
            read_bundle,
            snapshot_of,
            snapshot_of_sources,
        )

        if word != _ACTIVE and ("/" in word or "." in word or Path(word).exists()):
            return snapshot_of_sources(folder_sources(Path(word)), f"the rules of {word}")
        if word != _ACTIVE:
            check_digest(word)
        with in_one_sentence(self._stack):
            self._bucket = self._bucket or self._stack.rules_bucket()
            if word == _ACTIVE:
                return active_snapshot(self._bucket, read_active(self._bucket))
            return snapshot_of(read_bundle(self._bucket, find_digest(self._bucket, word)))
