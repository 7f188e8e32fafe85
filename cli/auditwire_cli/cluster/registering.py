"""Putting a row into the clusters table, and handing its credential over once."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from auditwire_cli.cluster.clusters import Clusters
from auditwire_cli.cluster.secret import new_credential
from auditwire_cli.errors import CommandError
from auditwire_cli.files import write_private
from auditwire_cli.terminal.output import tell
from auditwire_cli.times import to_the_minute

if TYPE_CHECKING:
    from auditwire.clusters import Registration


def register(clusters: Clusters, registration: "Registration", file: Path | None) -> "Registration":
    """Put a row into the table and hand its credential over: in ``file``, or on standard output where that is None.

    A row that has a key already is that of a certificate, or of a source that a cloud names; it makes no credential.
    Raises CommandError, and then leaves no file.
    """
    from auditwire.clusters import credential_digest
    from auditwire.clusters.listed import short_id

    credential = "" if registration.credential else new_credential()
    row = replace(registration, credential=registration.credential or credential_digest(credential))
    if credential and file:
        write_private(file, credential + "\n")
    try:
        if not clusters.table.add(row):
            what = "this certificate" if not row.kind.is_name else row.credential
            raise CommandError(f"{what} is registered already", "`auditwire cluster list` shows for whom")
    except BaseException:
        if credential and file:
            file.unlink(missing_ok=True)
        raise
    tell(f"registered {short_id(row)} for {row.cluster.name} ({row.cluster.sender}), valid {_until(row.expires)}")
    if credential and file:
        tell(f"its credential is in {file}, which only you can read, and nowhere else")
    elif credential:
        print(credential)
    return row


def _until(end: datetime | None) -> str:
    return f"until {to_the_minute(end)}" if end else "without an end"
