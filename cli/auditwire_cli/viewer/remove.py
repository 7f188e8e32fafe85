"""``auditwire viewer remove``: take from somebody what was granted."""

from typing import Annotated

import typer

from auditwire_cli.errors import CommandError
from auditwire_cli.stack import Stack, on_stack
from auditwire_cli.terminal.output import confirm, show
from auditwire_cli.viewer.viewers import viewers_of
from auditwire_cli.viewer.whom import Email, Group, Subject, Token, whom_of


@on_stack
def viewer_remove(
    *,
    email: Email = None,
    subject: Subject = None,
    group: Group = None,
    token: Token = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    where: Stack,
) -> None:
    """Take from somebody what was granted. It holds from the next request on, also for those who are signed in.

    A person keeps what is granted to the groups that the issuer names. A token that was removed is gone for good.

    \b
    Exit codes: 0 removed, 1 not removed, 2 wrong usage.

    \b
    Examples:
      auditwire viewer remove --email jane@example.com
      auditwire viewer remove --token grafana --yes
    """
    from auditwire_console.granted import Kind

    whom = whom_of(email, subject, group, token)
    table = viewers_of(where.find())
    is_token = whom.kind is Kind.TOKEN
    keys = [one.key for one in table.list().of_token(whom.name)] if is_token else [whom.key]
    if is_token and not keys:
        raise _nothing(str(whom))
    confirm(f"Remove {whom}?", yes=yes)
    removed = [key for key in keys if table.remove(key)]
    if not removed:
        raise _nothing(str(whom))
    show(f"removed {whom}; it holds from the next request on")


def _nothing(whom: str) -> CommandError:
    return CommandError(f"nothing is granted to {whom}", "`auditwire viewer list` shows to whom something is granted")
