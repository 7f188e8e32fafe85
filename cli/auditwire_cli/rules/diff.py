"""``auditwire rules diff``: what two bundles, or folders of rules, decide differently."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.output import Output
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
    from auditwire.bundles.rules_bucket import RulesBucket
    from auditwire.rules.difference import Snapshot

_ACTIVE = "active"


def rules_diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A folder, a document, a digest, or the word active.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    *,
    output: Annotated[Output, typer.Option("--format", help="For people, or JSON for scripts.")] = Output.TEXT,
    stack: StackName = DEFAULT_STACK,
    profile: Profile = None,
    region: Region = None,
    endpoint_url: EndpointUrl = None,
    state: StateFile = None,
) -> None:
    """Say rule by rule what B decides otherwise than A.

    Rules that came, went or changed: condition, priority, output, labels and what their document is used for; then
    settings and audit policy. Conditions are compared with their macros, lists and aliases put in; layout, comments,
    casing of fields and order of tests are no difference. Where a rule changed because of a macro, list or alias, that
    is named.

    A path that exists is a folder or document; another word is the digest of a bundle, or its beginning; `active` is
    what is in force (./active is a folder of that name). Only for those the stack is asked.

    JSON has the members rules (each with rule, kind, changes and through), settings and policy; a change has what,
    before and after.

    \b
    Exit codes: 0 the same is decided, 1 it is not, 2 the call was wrong or a side cannot be read.

    \b
    Examples:
      auditwire rules diff active rules
      auditwire rules diff 3f1c0a9b active --format json
      auditwire rules diff rules ../other/rules
    """
    from auditwire.rules.difference import difference
    from auditwire_cli.errors import CallError, CommandError
    from auditwire_cli.rules.difference_text import difference_text

    sides = _Sides(Stack(stack, profile, region, endpoint_url, state))
    try:
        found = difference(sides.snapshot(before), sides.snapshot(after))
    except CommandError as error:
        # 1 means different, as diff has it: what cannot be compared is something else.
        raise CallError(error.message, error.hint) from None
    if output is Output.JSON:
        print(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        print(difference_text(found))
    if found:
        raise typer.Exit(1)


class _Sides:
    """Finds what a word means. The stack is asked once, and only for words that are no path."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._bucket: RulesBucket | None = None

    def snapshot(self, word: str) -> "Snapshot":
        from auditwire_cli.rules.bundles import (
            active_snapshot,
            find_digest,
            folder_sources,
            read_active,
            read_bundle,
            snapshot_of,
            snapshot_of_sources,
        )

        if word != _ACTIVE and ("/" in word or "." in word or Path(word).exists()):
            return snapshot_of_sources(folder_sources(Path(word)), f"the rules of {word}")
        with in_one_sentence(self._stack):
            self._bucket = self._bucket or self._stack.rules_bucket()
            if word == _ACTIVE:
                return active_snapshot(self._bucket, read_active(self._bucket))
            return snapshot_of(read_bundle(self._bucket, find_digest(self._bucket, word)))
