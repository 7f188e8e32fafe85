"""How a new credential is made and handed over, and how the other options about it are read.

A credential is shown once, or written to a file that only its owner can read. It is never taken from an argument,
where `ps` and the history of the shell show it, and never logged. The table has only its SHA-256, so nobody can show
it again.
"""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from auditwire_cli.errors import UsageError
from auditwire_cli.files import read_text
from auditwire_cli.times import parse_duration

CREDENTIAL_BYTES = 32

Labels = Annotated[
    list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label of your own; may be repeated.")
]
Expires = Annotated[
    str | None, typer.Option(metavar="WHEN", help="When it ends: 90d, 12h, 4w, or a date.  [default: never]")
]
CertificateFile = Annotated[
    Path | None,
    typer.Option("--certificate", metavar="FILE", help="Use this client certificate (PEM) instead of a credential."),
]
OutputFile = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Where to write the credential.  [default: NAME.credential]"),
]
Show = Annotated[
    bool, typer.Option("--show", help="Print the credential, alone on standard output, and write no file.")
]


def silence_of(text: str) -> int:
    """How long a cluster may send nothing, in seconds. Raises UsageError, also for a time too short to be noticed."""
    from auditwire.clusters.silence import MIN_SILENCE_SECONDS, duration

    seconds = round(parse_duration(text).total_seconds())
    if seconds < MIN_SILENCE_SECONDS:
        raise UsageError(
            f"a silence shorter than {duration(MIN_SILENCE_SECONDS)} cannot be noticed",
            "the last use is written once a minute and checked every five minutes",
        )
    return seconds


def labels_of(texts: list[str] | None) -> dict[str, str]:
    """``key=value`` texts as a map. Raises UsageError for what cannot be a label."""
    from auditwire.clusters import is_label

    labels = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not is_label(name, value):
            raise UsageError(
                f"{text[:200]!r} is not a label",
                "write KEY=VALUE, with a key like team_1 and a value of 1 to 128 printable characters",
            )
        labels[name] = value
    return labels


def key_of_certificate(file: Path) -> str:
    """The key in the table of the certificate in a PEM file. Raises UsageError where there is none."""
    from auditwire.clusters import certificate_digest

    key = certificate_digest(read_text(file, "the certificate"))
    if key is None:
        raise UsageError(f"there is no PEM certificate in {file}", "give the certificate, not its key")
    return key


def check_handover(name: str, *, certificate: Path | None, output: Path | None, show: bool) -> Path | None:
    """The file that a new credential will be written to, None where none will be.

    Raises UsageError for options that exclude each other, and for a file that exists: it may have a credential that is
    still needed.
    """
    if (certificate is not None) + (output is not None) + show > 1:
        raise UsageError("--certificate, --output and --show exclude each other", "give one of them")
    if certificate is not None or show:
        return None
    file = output or Path(f"{name}.credential")
    if file.exists():
        raise UsageError(f"{file} exists", "give another --output; its content may still be needed")
    return file


def new_credential() -> str:
    """A credential of 256 random bits, in characters that a header, a path and a shell can take."""
    return secrets.token_urlsafe(CREDENTIAL_BYTES)
