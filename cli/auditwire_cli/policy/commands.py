"""The commands of ``auditwire policy``."""

from auditwire_cli.groups import group
from auditwire_cli.policy.check import policy_check
from auditwire_cli.policy.eval import policy_eval

policy = group("Check audit policies, and try them on requests.", check=policy_check, eval=policy_eval)
