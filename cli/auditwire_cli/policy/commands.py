"""The commands of ``auditwire policy``."""

from auditwire_cli.groups import group
from auditwire_cli.policy.check import policy_check
from auditwire_cli.policy.eval import policy_eval
from auditwire_cli.policy.init import policy_init

policy = group(
    "Write and check audit policies, and try them on requests.",
    init=policy_init,
    check=policy_check,
    eval=policy_eval,
)
