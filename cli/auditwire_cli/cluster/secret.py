"""How a new credential is made and handed over, and how what else is said of it is read.

A credential is shown once or written to a file of its owner alone; it is never taken from an argument, where `ps` and
the shell's history show it, and never logged. The table holds its SHA-256 only, so nobody can show it again.
"""

import os
import re
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from auditwire_cli.errors import CallError, CommandError

CREDENTIAL_BYTES = 32
_UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}

Labels = Annotated[
    list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A word of your own; may be repeated.")
]
Expires = Annotated[
    str | None, typer.Option(metavar="WHEN", help="When it ends: 90d, 12h, 4w, or a date. [default: never]")
]
CertificateFile = Annotated[
    Path | None,
    typer.Option("--certificate", metavar="FILE", help="A client certificate in PEM, instead of a new credential."),
]
OutputFile = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Where the credential is written.  [default: NAME.credential]"),
]
Show = Annotated[bool, typer.Option("--show", help="Print the credential, alone on standard output, and write none.")]


def seconds_of(text: str) -> int:
    """``90d``, ``12h``, ``30m`` or ``4w`` in seconds. Raises CallError for anything else."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", text)
    if found is None:
        raise CallError(f"{text!r} is no length of time", "give one like 30m, 12h, 90d or 4w")
    return int(found[1]) * _UNITS[found[2]]


def silence_of(text: str) -> int:
    """A length of time after which a cluster counts as silent, in seconds. Raises CallError, also for one that is
    shorter than can be told."""
    from auditwire.clusters.silence import MIN_SILENCE_SECONDS, duration

    seconds = seconds_of(text)
    if seconds < MIN_SILENCE_SECONDS:
        raise CallError(
            f"no silence shorter than {duration(MIN_SILENCE_SECONDS)} can be told",
            "last use is written once a minute, and looked at every five",
        )
    return seconds


def end_of(text: str | None, now: datetime) -> datetime | None:
    """When a credential ends: a length of time from now, or a date. Raises CallError, also for what is past."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]+[a-z]", text):
        return now + timedelta(seconds=seconds_of(text))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CallError(f"{text!r} is no time", "give one like 90d, 2027-02-21 or 2027-02-21T12:00:00Z") from None
    time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    if time <= now:
        raise CallError(f"{text} is past")
    return time


def labels_of(texts: list[str] | None) -> dict[str, str]:
    """``key=value`` words as a map. Raises CallError for what may be no label."""
    from auditwire.clusters import is_label

    labels = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not is_label(name, value):
            raise CallError(
                f"{text!r} is no label", "KEY=VALUE: a key like team_1, a value of 1 to 128 printable characters"
            )
        labels[name] = value
    return labels


def key_of_certificate(file: Path) -> str:
    """The table's key of the certificate in a PEM file. Raises CallError where there is none."""
    from auditwire.clusters import certificate_digest

    try:
        key = certificate_digest(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CallError(f"cannot read the certificate {file}: {reason}") from None
    if key is None:
        raise CallError(f"{file} holds no certificate in PEM", "its certificate is needed, not its key")
    return key


def checked_handover(name: str, *, certificate: Path | None, output: Path | None, show: bool) -> Path | None:
    """The file a new credential will go to, None for none. Raises CallError for options that exclude each other, and
    for a file that is there: it may hold a credential that is still needed."""
    if (certificate is not None) + (output is not None) + show > 1:
        raise CallError("--certificate, --output and --show exclude each other")
    if certificate is not None or show:
        return None
    file = output or Path(f"{name}.credential")
    if file.exists():
        raise CallError(f"{file} exists", "give another --output; what it holds may still be needed")
    return file


def new_credential() -> str:
    """256 random bits that may stand in a header, a path and a shell."""
    return secrets.token_urlsafe(CREDENTIAL_BYTES)


def write_private(file: Path, text: str) -> None:
    """Write a new file that only its owner can read. Raises CommandError; one that is there is not touched."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise CommandError(f"{file} exists", "give another --output") from None
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from None


def say(text: str) -> None:
    """A word beside the result, so that standard output can hold a credential alone."""
    sys.stderr.write(text + "\n")
