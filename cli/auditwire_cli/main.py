"""The ``auditwire`` application: its commands, its version, and how their errors reach the user."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from auditwire import __version__
from auditwire_cli.cluster.add import cluster_add
from auditwire_cli.cluster.kubeconfig import cluster_kubeconfig
from auditwire_cli.cluster.list import cluster_list
from auditwire_cli.cluster.revoke import cluster_revoke
from auditwire_cli.cluster.rotate import cluster_rotate
from auditwire_cli.cluster.silence import cluster_silence
from auditwire_cli.dev.dev import dev
from auditwire_cli.dlq.list import dlq_list
from auditwire_cli.dlq.redrive import dlq_redrive
from auditwire_cli.errors import CommandError
from auditwire_cli.evidence.public_key import public_key
from auditwire_cli.evidence.receipt import receipt
from auditwire_cli.evidence.seal import seal
from auditwire_cli.evidence.verify import verify
from auditwire_cli.ledger.ledger import ledger
from auditwire_cli.policy.check import policy_check
from auditwire_cli.policy.eval import policy_eval
from auditwire_cli.quarantine.list import quarantine_list
from auditwire_cli.quarantine.retry import quarantine_retry
from auditwire_cli.quarantine.show import quarantine_show
from auditwire_cli.query import query
from auditwire_cli.rules.check import rules_check
from auditwire_cli.rules.diff import rules_diff
from auditwire_cli.rules.eval import rules_eval
from auditwire_cli.rules.fix import rules_fix
from auditwire_cli.rules.publish import rules_publish
from auditwire_cli.rules.pull import rules_pull
from auditwire_cli.rules.rollback import rules_rollback
from auditwire_cli.rules.schema import rules_schema
from auditwire_cli.rules.status import rules_status
from auditwire_cli.send.send import send


class _Group(TyperGroup):
    """Shows an error of a command as its sentence on standard error, never as a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CommandError as error:
            sys.stderr.write(error.as_text() + "\n")
            raise typer.Exit(error.exit_code) from None


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    # Plain help: reads the same in a terminal, in a file and in the documentation, and needs no rich to load.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
rules = typer.Typer(help="Check, try, mend and publish rule documents.", no_args_is_help=True, rich_markup_mode=None)
policy = typer.Typer(help="Check audit policies, try them on requests.", no_args_is_help=True, rich_markup_mode=None)
quarantine = typer.Typer(
    help="See what could not be read, and take it up again.", no_args_is_help=True, rich_markup_mode=None
)
dlq = typer.Typer(
    help="See which alerts no Alertmanager has, and send them again.", no_args_is_help=True, rich_markup_mode=None
)
cluster = typer.Typer(help="Who may send: clusters and their credentials.", no_args_is_help=True, rich_markup_mode=None)
app.command()(dev)
app.command()(send)
app.command()(query)
app.command()(ledger)
app.command()(verify)
app.command()(receipt)
app.command()(seal)
app.command()(public_key)
app.add_typer(rules, name="rules")
rules.command("check")(rules_check)
rules.command("eval")(rules_eval)
rules.command("fix")(rules_fix)
rules.command("schema")(rules_schema)
rules.command("publish")(rules_publish)
rules.command("status")(rules_status)
rules.command("diff")(rules_diff)
rules.command("rollback")(rules_rollback)
rules.command("pull")(rules_pull)
app.add_typer(cluster, name="cluster")
cluster.command("add")(cluster_add)
cluster.command("list")(cluster_list)
cluster.command("rotate")(cluster_rotate)
cluster.command("revoke")(cluster_revoke)
cluster.command("silence")(cluster_silence)
cluster.command("kubeconfig")(cluster_kubeconfig)
app.add_typer(policy, name="policy")
policy.command("check")(policy_check)
policy.command("eval")(policy_eval)
app.add_typer(quarantine, name="quarantine")
quarantine.command("list")(quarantine_list)
quarantine.command("show")(quarantine_show)
quarantine.command("retry")(quarantine_retry)
app.add_typer(dlq, name="dlq")
dlq.command("list")(dlq_list)
dlq.command("redrive")(dlq_redrive)


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
