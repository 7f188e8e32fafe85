"""``auditwire viewer list``: who may see what."""

from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import Format, Output, show, show_json, tell
from auditwire_cli.viewer.viewers import as_json, as_table, viewers_of

_SHOWN = len("token#12345678")


@on_stack
def viewer_list(*, output: Format = Output.TEXT, where: Stack) -> None:
    """List who may see what in the console of a stack.

    Tokens are listed by their names: neither they nor their digests are shown.

    \b
    Exit codes: 0 listed, 1 the table cannot be read, 2 wrong usage.

    \b
    Examples:
      auditwire viewer list --profile prod
      auditwire viewer list --profile prod --format json
    """
    listing = viewers_of(where.find()).list()
    if output is Output.JSON:
        show_json([as_json(one) for one in listing.rows])
    else:
        show(as_table(listing.rows) if listing.rows else "nothing is granted to anybody")
    for key, reason in listing.damaged.items():
        shown = f"{key[:_SHOWN]}…" if key.startswith("token#") else key
        tell(f"auditwire: the row {shown} cannot be used, and grants nothing: {reason}")
