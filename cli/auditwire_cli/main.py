"""The ``auditwire`` application: its commands and its version."""

from typing import Annotated

import typer

from auditwire import __version__
from auditwire_cli.cluster.commands import cluster
from auditwire_cli.console.console import console
from auditwire_cli.dev.dev import dev
from auditwire_cli.dlq.commands import dlq
from auditwire_cli.doctor.doctor import doctor
from auditwire_cli.evidence.public_key import public_key
from auditwire_cli.evidence.receipt import receipt
from auditwire_cli.evidence.seal import seal
from auditwire_cli.evidence.verify import verify
from auditwire_cli.groups import Application
from auditwire_cli.import_logs.import_logs import import_logs
from auditwire_cli.ledger.ledger import ledger
from auditwire_cli.policy.commands import policy
from auditwire_cli.quarantine.commands import quarantine
from auditwire_cli.query.index import index
from auditwire_cli.query.query import query
from auditwire_cli.query.subject import subject
from auditwire_cli.rules.commands import rules
from auditwire_cli.send.send import send
from auditwire_cli.viewer.commands import viewer

app = typer.Typer(
    cls=Application,
    no_args_is_help=True,
    # Plain help: it reads the same on a terminal, in a file and in the documentation, and does not load rich.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (dev, send, query, subject, index, console, ledger, doctor, verify, receipt, seal, public_key):
    app.command()(command)
app.command("import")(import_logs)
app.add_typer(rules, name="rules")
app.add_typer(cluster, name="cluster")
app.add_typer(viewer, name="viewer")
app.add_typer(policy, name="policy")
app.add_typer(quarantine, name="quarantine")
app.add_typer(dlq, name="dlq")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"auditwire {__version__}")
        raise typer.Exit


@app.callback()
def auditwire(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Kubernetes and KubeSphere audit webhooks in; an archive and alerts out.

    \b
    Start here:
      auditwire dev --demo         the whole system on this machine, with sample traffic
      auditwire rules check rules  what is wrong with these rule documents
    """
