"""The commands of ``auditwire rules``."""

from auditwire_cli.groups import group
from auditwire_cli.importing.command import rules_export, rules_import
from auditwire_cli.replay.command import rules_replay
from auditwire_cli.replay.noise import rules_noise
from auditwire_cli.replay.price import rules_price
from auditwire_cli.rules.check import rules_check
from auditwire_cli.rules.diff import rules_diff
from auditwire_cli.rules.eval import rules_eval
from auditwire_cli.rules.explain import rules_explain
from auditwire_cli.rules.fix import rules_fix
from auditwire_cli.rules.publish import rules_publish
from auditwire_cli.rules.pull import rules_pull
from auditwire_cli.rules.reach import rules_reach
from auditwire_cli.rules.rollback import rules_rollback
from auditwire_cli.rules.schema import rules_schema
from auditwire_cli.rules.status import rules_status
from auditwire_cli.rules.test import rules_test
from auditwire_cli.rules.update import rules_update

rules = group(
    "Check, try, test, fix and publish rule documents.",
    check=rules_check,
    eval=rules_eval,
    test=rules_test,
    explain=rules_explain,
    replay=rules_replay,
    noise=rules_noise,
    price=rules_price,
    reach=rules_reach,
    update=rules_update,
    fix=rules_fix,
    schema=rules_schema,
    publish=rules_publish,
    status=rules_status,
    diff=rules_diff,
    rollback=rules_rollback,
    pull=rules_pull,
)
rules.add_typer(rules_import, name="import")
rules.add_typer(rules_export, name="export")
