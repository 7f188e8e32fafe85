"""Whom a command means: a person by email or subject, a group, or whoever has a token."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from auditwire_cli.errors import UsageError

if TYPE_CHECKING:
    from auditwire_console.granted import Kind

Email = Annotated[str | None, typer.Option(metavar="A@B", help="Whoever signs in with this verified email.")]
Subject = Annotated[str | None, typer.Option(metavar="ID", help="Whoever the issuer calls so: the claim sub.")]
Group = Annotated[str | None, typer.Option(metavar="NAME", help="Everybody whom the issuer puts into this group.")]
Token = Annotated[str | None, typer.Option(metavar="NAME", help="A program that has a token; the name is yours.")]

_MAX_LENGTH = 255
_TOKEN_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody, by how they are known."""

    kind: "Kind"
    name: str

    @property
    def key(self) -> str:
        """The key of the row; a token's row has that of its digest instead."""
        return self.kind.key(self.name)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def whom_of(email: str | None, subject: str | None, group: str | None, token: str | None) -> Whom:
    """Whom the four options name. Raises UsageError unless exactly one of them is given, with a name that can be."""
    from auditwire_console.granted import Kind

    given = {Kind.EMAIL: email, Kind.SUBJECT: subject, Kind.GROUP: group, Kind.TOKEN: token}
    named = [Whom(kind, name) for kind, name in given.items() if name is not None]
    if len(named) != 1:
        raise UsageError("whom?", "give one of --email, --subject, --group and --token")
    (whom,) = named
    if not 0 < len(whom.name) <= _MAX_LENGTH or not whom.name.isprintable():
        raise UsageError(f"--{whom.kind} takes 1 to {_MAX_LENGTH} printable characters")
    if whom.kind is Kind.TOKEN and not _TOKEN_NAME.fullmatch(whom.name):
        raise UsageError(
            f"{whom.name[:80]!r} is not a name for a token",
            "1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', such as grafana",
        )
    if whom.kind is Kind.EMAIL:
        if not whom.name.isascii() or not _EMAIL.fullmatch(whom.name):
            raise UsageError(f"{whom.name[:80]!r} is not an email", "write it like jane@example.com, in ASCII")
        return Whom(whom.kind, whom.name.lower())
    return whom
